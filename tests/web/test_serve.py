"""``limpid app --check``: what a container asks of the image that it was made of."""

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


@pytest.mark.exhaustive
def test_a_sound_app_passes_its_check_with_a_token_and_again_in_the_same_process(monkeypatch, capsys):
    loading(monkeypatch)
    for _ in range(2):
        assert serve(AppOptions(check=True, quiet=True, token="a-token-of-ours")) == 0
        assert capsys.readouterr().out == "limpid: check passed\n"
