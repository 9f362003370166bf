"""The untouched input of CEILNet's table 2 against its truth, as specs/evaluation.md §8 computed it elsewhere."""

from functools import cache

import pytest

from limpid import catalogue, read
from metrics.pairs import TABLE2

NAMES = ("psnr", "ssim", "ncc", "lmse", "psnr_joint", "ssim_gauss")
ROWS = {
    "2007_003506": (22.0128, 0.9216, 0.9792, 0.0052, 21.7482, 0.9352),
    "2007_003525": (22.8733, 0.9118, 0.9739, 0.0033, 20.6355, 0.9196),
    "2007_003571": (15.0890, 0.8605, 0.8604, 0.0183, 15.0672, 0.8688),
    "2007_004049": (19.6938, 0.8900, 0.9451, 0.0047, 18.5914, 0.8989),
    "2009_000653": ((15.3983 + 17.8612 + 100) / 3, 0.8652, 0.9593, 0.0048, 18.2184, 0.8764),
    "2012_003521": (10.3738, 0.7160, 0.6193, 0.0378, 10.3062, 0.7383),
}
MEANS = {
    "psnr": 14.9167,
    "ssim": 0.7537,
    "ncc": 0.7960,
    "lmse": 0.0211,
    "psnr_joint": 14.0657,
    "ssim_gauss": 0.7739,
    "psnr_y": 15.5905,
    "ssim_y": 0.8174,
}
STEMS = sorted(path.stem for path in (TABLE2 / "blended").glob("*.png"))

pytestmark = pytest.mark.skipif(not STEMS, reason="research data is absent")


def photos(stem):
    return tuple(read(TABLE2 / folder / f"{stem}.png").tensor() for folder in ("blended", "transmission_layer"))


@cache
def table():
    metrics = [catalogue.find("metrics", name).build() for name in MEANS]
    return {stem: {metric.name: metric(*photos(stem)) for metric in metrics} for stem in STEMS}


@pytest.mark.parametrize("stem", ROWS)
def test_rows(stem):
    found = table()[stem]
    assert [found[name] for name in NAMES] == pytest.approx(ROWS[stem], abs=6e-5)


@pytest.mark.parametrize("name", MEANS)
def test_means_over_the_hundred(name):
    assert len(STEMS) == 100
    assert sum(row[name] for row in table().values()) / 100 == pytest.approx(MEANS[name], abs=5e-5)


def test_one_band_of_three_hundred_is_capped():
    metric = catalogue.find("metrics", "psnr").build()
    assert {stem: metric.capped(*photos(stem)) for stem in STEMS if metric.capped(*photos(stem))} == {"2009_000653": 1}
