"""``limpid separate -m double_dip``: no weights, one photo."""

import numpy as np
from PIL import Image

from limpid.runtime import double_dip


def test_the_command_writes_layers_and_a_preview(limpid, tmp_path, monkeypatch):
    monkeypatch.setattr(double_dip, "WORKING", 96)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (100, 140, 3), dtype=np.uint8)).save(tmp_path / "x.png")
    preview = tmp_path / "best.png"
    done = limpid("separate", "-m", "double_dip", tmp_path / "x.png", "--steps", "2", "--preview", preview, "-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["x.reflection.png", "x.transmission.png"]
    assert Image.open(tmp_path / "out/x.reflection.png").size == (140, 100)
    assert Image.open(preview).size[0] == 2 * 96
