"""The published constants, from the parameters that are drawn."""

import numpy as np
import pytest
from scipy import stats

from limpid import catalogue
from limpid.errors import SettingError
from limpid.physics.seeds import generator

COUNT = 2000


def drawn(name: str, key: str, count: int = COUNT, **settings: object) -> np.ndarray:
    formation = catalogue.find("mixtures", name).build(**settings)
    return np.array([formation.draw(generator(seed, name), (224, 224))[key] for seed in range(count)])


@pytest.mark.parametrize(
    ("name", "key", "low", "high"),
    [
        ("subtractive", "sigma", 2, 5),
        ("zhang", "attenuation", 1.08, 1.18),
        ("zhang", "transmission_loss", 0, 0.2),
        ("screen", "sigma", 2, 5),
        ("screen", "transmission_gain", 0.8, 1.0),
        ("screen", "reflection_gain", 0.4, 1.0),
        ("channel_gain", "sigma", 2, 5),
        ("channel_gain", "reflection_gain", 0.4, 1.0),
        ("haze_veil", "sigma", 2, 5),
        ("haze_veil", "airlight", 0.02, 0.06),
        ("haze_veil", "density", 0.02, 0.12),
        ("dark_scene", "sigma", 2, 5),
        ("dark_scene", "gain", 0.4, 1.8),
    ],
)
def test_uniform_ranges(name: str, key: str, low: float, high: float) -> None:
    values = drawn(name, key)
    assert low <= values.min()
    assert values.max() <= high
    assert stats.kstest(values, "uniform", args=(low, high - low)).pvalue > 1e-3


@pytest.mark.parametrize(
    ("name", "key", "value", "share"),
    [("screen", "screen", True, 0.7), ("channel_gain", "screen", True, 0.7), ("haze_veil", "veil", True, 0.5)]
    + [
        (name, "kernel", size, p)
        for name in ("screen", "channel_gain")
        for size, p in zip((5, 7, 9, 11), (0.1, 0.2, 0.3, 0.4), strict=True)
    ]
    + [("ghosting", "share", 0.3, 0.5), ("ghosting", "share", 0.5, 0.5)],
)
def test_shares(name: str, key: str, value: float, share: float) -> None:
    hits = int((drawn(name, key) == value).sum())
    assert stats.binomtest(hits, COUNT, share).pvalue > 1e-3


@pytest.mark.parametrize(
    ("name", "factor"), [("subtractive", 1.3), ("screen", 1.3), ("channel_gain", 1.3), ("haze_veil", 1.3), ("dark_scene", 1.3)]
)
def test_darkening_factors(name: str, factor: float) -> None:
    assert set(drawn(name, "factor", 5)) == {factor}


def test_fixed_kernels_have_eleven_pixels() -> None:
    for name in ("subtractive", "haze_veil", "dark_scene"):
        assert set(drawn(name, "kernel", 5)) == {11}


def test_zhang_draws_sigma_from_eighty_even_steps() -> None:
    values = drawn("zhang", "sigma")
    assert set(values) == set(np.linspace(1, 5, 80))
    assert stats.chisquare(np.unique(values, return_counts=True)[1]).pvalue > 1e-3


def test_ibcln_with_batches_of_two_starts_sigma_at_two() -> None:
    assert set(drawn("zhang", "sigma", sigma=(2.0, 5.0))) == set(np.linspace(2, 5, 80))


@pytest.mark.parametrize("size", [(224, 224), (400, 549), (555, 560), (700, 900)])
def test_zhang_crops_the_vignette_inside_with_ten_pixels_left(size: tuple[int, int]) -> None:
    formation = catalogue.find("mixtures", "zhang").build()
    for seed in range(200):
        parameters = formation.draw(generator(seed), size)
        assert parameters["mask_side"] == max(560, max(size) + 11)
        assert 0 <= parameters["top"] < parameters["mask_side"] - size[0] - 10
        assert 0 <= parameters["left"] < parameters["mask_side"] - size[1] - 10


@pytest.mark.parametrize(
    ("channel", "law"),
    [(0, (1.109, 0.118, 0.82, 1.42)), (1, (1.106, 0.115, 0.85, 1.35)), (2, (1.078, 0.116, 0.85, 1.31))],
)
def test_channel_gains_follow_truncated_normals(channel: int, law: tuple[float, float, float, float]) -> None:
    mean, deviation, low, high = law
    values = drawn("channel_gain", "transmission_gains")[:, channel]
    reference = stats.truncnorm((low - mean) / deviation, (high - mean) / deviation, mean, deviation)
    assert low <= values.min() < low + 0.03
    assert high - 0.03 < values.max() <= high
    assert stats.kstest(values, reference.cdf).pvalue > 1e-3


def test_dark_scenes_are_grey_or_normal_per_channel() -> None:
    colours = drawn("dark_scene", "colour") * 255
    grey = (colours == colours[:, :1]).all(axis=1) & (colours[:, 0] > 0)
    black = (colours == 0).all(axis=1)  # three normal draws below 0: (0.1587)³ of the rest
    assert stats.binomtest(int(grey.sum()), COUNT, 0.4).pvalue > 1e-3
    assert stats.kstest(colours[grey, 0], "uniform", args=(0, 30)).pvalue > 1e-3
    normal = colours[~grey & ~black].ravel()
    inside = normal[(normal > 0) & (normal < 255)]
    lowest, highest = (0 - 50) / 50, (255 - 50) / 50
    assert stats.kstest(inside, stats.truncnorm(lowest, highest, 50, 50).cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("subtractive", {"sigma": (5.0, 2.0)}),
        ("subtractive", {"kernel": 10}),
        ("screen", {"share": 1.5}),
        ("screen", {"kernel_weights": (0.5, 0.5)}),
        ("channel_gain", {"red": (1.0, 0.0, 0.9, 1.1)}),
        ("haze_veil", {"airlight": (0.0, 2.0)}),
        ("dark_scene", {"grey": (0.0, 300.0)}),
        ("ghosting", {"attenuation": (0.5, 1.5)}),
        ("alpha_mask", {"mask": (-0.1, 0.5)}),
        ("glass", {"angle": (0.0, 95.0)}),
        ("zhang", {"attenuation": (2.0, 1.0)}),
    ],
)
def test_settings_outside_their_range_are_refused_by_name(name: str, settings: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=f"{name}.{next(iter(settings))}"):
        catalogue.find("mixtures", name).build(**settings)
