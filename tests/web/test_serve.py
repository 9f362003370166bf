"""``limpid app --check``: what a container asks of the image that it was made of."""

from types import SimpleNamespace

import pytest

pytest.importorskip("gradio")

from limpid.web.options import AppOptions  # noqa: E402
from limpid.web.serve import serve  # noqa: E402
from web.web_samples import loading  # noqa: E402


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """What the command sets in its own process is taken back."""
    for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "False")


@pytest.mark.parametrize(("host", "who"), [("0.0.0.0", "everybody who reaches this machine"), ("127.0.0.1", None)])
def test_listening_to_more_than_this_machine_is_said(monkeypatch, capsys, host, who):
    running = SimpleNamespace(run=lambda: None, started=False, should_exit=True)
    monkeypatch.setattr("limpid.web.connections.server", lambda *_: running)
    for part in ("application", "_log_to_console"):
        monkeypatch.setattr(f"limpid.web.serve.{part}", lambda *_: None)
    assert serve(AppOptions(host=host)) == 0
    said = capsys.readouterr().err
    assert bool(said) == bool(who)
    assert who is None or said.startswith(f"limpid: warning: listening on {host}, so {who} can send photos;")


@pytest.mark.exhaustive
def test_a_sound_app_passes_its_check_with_a_token_and_again_in_the_same_process(monkeypatch, capsys):
    loading(monkeypatch)
    for _ in range(2):
        assert serve(AppOptions(check=True, quiet=True, token="a-token-of-ours")) == 0
        assert capsys.readouterr().out == "limpid: check passed\n"
