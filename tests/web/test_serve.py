"""``limpid app --check``: what a container asks of the image that it was made of."""

import pytest

pytest.importorskip("gradio")

from limpid.errors import NoRoomError  # noqa: E402
from limpid.web import networks  # noqa: E402
from limpid.web.options import AppOptions  # noqa: E402
from limpid.web.serve import serve  # noqa: E402
from web.web_samples import loading  # noqa: E402


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """What the command sets in its own process is taken back."""
    for name in ("GRADIO_TEMP_DIR", "GRADIO_ANALYTICS_ENABLED", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "False")


@pytest.mark.parametrize("guard", [{}, {"token": "a-token-of-ours"}, {"auth": "me:a pass"}])
def test_a_sound_app_passes_its_check_whoever_may_come_in(monkeypatch, capsys, guard):
    loading(monkeypatch)
    assert serve(AppOptions(check=True, quiet=True, **guard)) == 0
    assert capsys.readouterr().out == "limpid: check passed\n"


def test_an_app_that_cannot_separate_fails_its_check(monkeypatch, capsys):
    def refuse(*given, **named):
        raise NoRoomError("no room")

    loading(monkeypatch)
    monkeypatch.setattr(networks, "load_with", refuse)
    assert serve(AppOptions(check=True, quiet=True)) == 1
    said = capsys.readouterr()
    assert "check failed: POST /api/separate: 413" in said.err
    assert "passed" not in said.out
