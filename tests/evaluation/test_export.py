"""Degraded photos for other people's code."""

import tifffile

from evaluation.pair_sets import photo, save
from limpid.evaluation.degradation_text import parse
from limpid.evaluation.export import exported
from limpid.evaluation.protocols import SIZE_RULES
from limpid.evaluation.sets import open_set


def test_what_is_written_is_what_models_see(tmp_path):
    save(tmp_path / "clean" / "a.png", photo(0))
    items = open_set(f"clean={tmp_path / 'clean'}", parse(["noise:sigma=50:draws=2"], [])).items
    assert exported(tmp_path / "out", items, SIZE_RULES["native"], True) == 2
    case = items[1].open(SIZE_RULES["native"])
    found = tifffile.imread(tmp_path / "out" / "input" / "clean" / "noise-50" / "a@1.tif")
    assert found.dtype == "float32"
    assert (found == case.photo.pixels).all()
    assert found.max() > 1  # not clipped
    truth = tifffile.imread(tmp_path / "out" / "truth" / "clean" / "noise-50" / "a@1.tif")
    assert (truth * 255).round().astype("uint8").tolist() == photo(0).tolist()
    assert {item.scene for item in items} == {"a"}
