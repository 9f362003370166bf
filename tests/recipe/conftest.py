from pathlib import Path

import pytest

from recipe_samples import EXAMPLE


@pytest.fixture
def example(tmp_path: Path) -> Path:
    path = tmp_path / "errnet.yaml"
    path.write_text(EXAMPLE, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No places in the environment, and an empty configuration folder; returns where ``data.yaml`` would lie."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("VOC", "REAL", "VAL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "config" / "limpid" / "data.yaml"
