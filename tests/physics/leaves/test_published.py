"""The published law against a painter written by hand from the specification, one pixel and one leaf after the other."""

import numpy as np
import pytest
import torch

from limpid.physics.leaves.chart import chart, reduce
from limpid.physics.leaves.presets import PRESETS
from limpid.physics.leaves.settings import Chart

BACKGROUND = (0.2, 0.4, 0.6)


def draw_by_hand(seed, size, count, low, high, pixels=None):
    """Columns, rows, radii, colours in the published order of draws, alpha 3."""
    stream = np.random.default_rng(np.random.SeedSequence(seed))
    columns, rows = stream.integers(0, size[1], count), stream.integers(0, size[0], count)
    radius = (stream.uniform(low=high**-2, high=low**-2, size=count) ** -0.5).round().astype(int)
    colours = np.random.default_rng(np.random.SeedSequence(stream.integers(0, 1e10)))
    if pixels is None:
        return columns, rows, radius, colours.uniform(size=(count, 3))
    colours.integers(0, 1)  # the choice among one photo
    return columns, rows, radius, pixels[colours.integers(0, len(pixels), count)]


def paint_by_hand(size, leaves, primitives):
    """First hit per pixel, with the published branches by leaf index."""
    columns, rows, radius, colours = leaves
    picture = np.empty((*size, 3))
    for row, column in np.ndindex(size):
        picture[row, column] = BACKGROUND
        for index in range(len(radius)):
            across, down, r = int(column - columns[index]), int(row - rows[index]), int(radius[index])
            found = _primitive(index, across, down, r) if primitives else ("flat" if across**2 + down**2 <= r**2 else None)
            if found:
                a = (across**2 + down**2) / r**2 if found == "gradient" else 1.0
                picture[row, column] = a * colours[index] + (1 - a) * np.roll(colours[index], -1)
                break
    return picture


def _primitive(index, across, down, r):
    if index % 4 == 0 and across**2 + down**2 <= r**2:
        return "gradient"
    if index % 4 == 1 and abs(across) + abs(down) <= r:
        return "gradient"
    if index % 4 == 2 and max(abs(across), abs(down)) <= r:
        return "flat"
    if (index % 200 == 3 and abs(down) <= r // 5) or (index % 200 == 4 and abs(across) <= r // 5):
        return "flat"
    return None


@pytest.mark.parametrize("law", ["published", "published_primitives"])
@pytest.mark.parametrize("backend", ["numba", "torch"])
def test_the_published_generator_is_reproduced_from_its_seed(law, backend):
    size, count = (31, 44), 260
    settings = Chart(law=law, radius=(1.0, 200.0), count=count, background=BACKGROUND)
    for seed in (42, 43):
        expected = paint_by_hand(size, draw_by_hand(seed, size, count, 1.0, 200.0), law != "published")
        found = chart(settings, size, np.random.default_rng(np.random.SeedSequence(seed)), backend=backend)
        assert torch.allclose(found, torch.from_numpy(expected).permute(2, 0, 1).float(), atol=1e-6)


def test_bands_are_drawn_where_the_publication_means_them():
    """Large, hence wide bands: leaves 3 and 4 span the picture."""
    size, settings = (25, 40), Chart(law="published_primitives", radius=(15.0, 16.0), count=5, background=BACKGROUND)
    expected = paint_by_hand(size, draw_by_hand(6, size, 5, 15.0, 16.0), True)
    found = chart(settings, size, np.random.default_rng(6))
    assert torch.allclose(found, torch.from_numpy(expected).permute(2, 0, 1).float(), atol=1e-6)


def test_the_number_of_leaves_follows_the_longer_side():
    size = (20, 30)
    leaves = draw_by_hand(3, size, 30 * 30, 1.0, 2000.0)
    found = chart(Chart(law="published", background=BACKGROUND), size, np.random.default_rng(3))
    expected = torch.from_numpy(paint_by_hand(size, leaves, False)).permute(2, 0, 1).float()
    assert torch.allclose(found, expected, atol=1e-6)


def test_natural_colours_are_the_published_pixels():
    photo = torch.rand(3, 9, 14, generator=torch.Generator().manual_seed(1))
    leaves = draw_by_hand(5, (16, 18), 200, 1.0, 90.0, photo.reshape(3, -1).T.numpy())
    settings = Chart(law="published", radius=(1.0, 90.0), count=200, colours="natural", background=BACKGROUND)
    found = chart(settings, (16, 18), np.random.default_rng(5), photos=[photo])
    expected = torch.from_numpy(paint_by_hand((16, 18), leaves, False)).permute(2, 0, 1).float()
    assert torch.allclose(found, expected, atol=1e-6)


def test_the_published_reduction_is_its_kernel_at_its_phase():
    fine = torch.rand(3, 10, 15, generator=torch.Generator().manual_seed(2))
    settings = Chart(law="published", supersample=5, reduction="published")
    wide = np.pad(fine.numpy(), ((0, 0), (0, 0), (2, 2)), mode="edge")
    kernel = np.array([[np.exp(-((i * i + j * j) ** 2) / (2 * 0.36)) for j in range(-2, 3)] for i in range(-2, 3)])
    kernel /= kernel.sum()
    assert kernel[2, 2] == pytest.approx(0.497, abs=5e-4)
    assert kernel[2, 1] == pytest.approx(0.124, abs=5e-4)
    expected = [[(wide[:, i : i + 5, j : j + 5] * kernel).sum((1, 2)) for j in (0, 5, 10)] for i in (0, 5)]
    assert np.allclose(reduce(settings, fine).numpy(), np.moveaxis(np.array(expected), 2, 0), atol=1e-6)


def test_presets_are_the_published_collections():
    sizes = {name: (preset.side, preset.count) for name, preset in PRESETS.items()}
    assert sizes == {
        "randomrgb_1024": (1024, 1000),
        "div2k_1024": (1024, 1000),
        "div2k_512": (512, 4000),
        "primitives_div2k_512": (512, 4000),
    }
    for preset in PRESETS.values():
        assert preset.chart.radius == (5.0, 2000.0)
        assert preset.chart.supersample == 5
        assert preset.chart.background == BACKGROUND
        assert preset.generator(7).random() == np.random.default_rng(49).random()
