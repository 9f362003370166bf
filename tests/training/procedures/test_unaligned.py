"""What may be said of pairs that do not lie on each other."""

import pytest

from limpid.errors import SettingError
from procedure_samples import procedure, term


def test_unaligned_pairs_are_not_compared_pixel_by_pixel():
    adversarial = term("adversarial", form="relativistic_average", kinds=("unaligned",))
    with pytest.raises(SettingError, match="l1: compares pixel by pixel"):
        procedure("unaligned", [term("l1", kinds=("unaligned", "aligned")), adversarial])
    deep = term("perceptual", kinds=("unaligned",), layers={"transmission": 1.0}, preset="errnet_unaligned")
    assert procedure("unaligned", [term("l1"), deep, adversarial]).needs_start
