"""Label maps: every backend against brute force, brute force against plain geometry."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from limpid.errors import DeviceError, MissingExtraError, UnknownNameError
from limpid.physics.leaves.geometry import join
from limpid.physics.leaves.occlusion import cover, filler, label_map
from limpid.physics.leaves.occlusion_reference import covers
from limpid.physics.leaves.sampling import draw
from limpid.physics.leaves.settings import Chart
from limpid.physics.leaves.shapes import SHAPES
from limpid.physics.seeds import generator

SIZES = [(37, 45), (64, 33), (1, 70), (50, 1)]
MIXED = Chart(shapes=dict.fromkeys(SHAPES, 1.0), radius=(1.0, 120.0))
PUBLISHED = [Chart(law=law, count=700, radius=(2.0, 500.0)) for law in ("published", "published_primitives")]


@pytest.mark.parametrize("backend", ["numba", "torch"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", SIZES)
def test_backends_give_the_map_of_brute_force(backend, shape, size):
    for seed in range(3):
        settings = Chart(shapes={shape: 1.0}, radius=(0.9 if shape != "stroke" else 3.0, 150.0))
        expected_leaves, expected = cover(settings, generator(seed, shape), size, "reference")
        leaves, labels = cover(settings, generator(seed, shape), size, backend)
        assert labels.dtype == np.int32
        assert np.array_equal(labels, expected)
        assert np.array_equal(leaves.x, expected_leaves.x)


@pytest.mark.parametrize("backend", ["numba", "torch"])
@pytest.mark.parametrize("settings", [MIXED, *PUBLISHED], ids=["mixed", "published", "primitives"])
def test_backends_agree_on_mixed_and_published_leaves(backend, settings):
    expected = cover(settings, generator(8), (70, 90), "reference")[1]
    assert np.array_equal(cover(settings, generator(8), (70, 90), backend)[1], expected)


@pytest.mark.parametrize("backend", ["numba", "torch"])
def test_backends_agree_on_leaves_with_whole_number_edges(backend):
    """Boundaries that pass exactly through pixels are where rounding and the sense of inequalities show."""
    whole = draw(Chart(radius=(1.0, 40.0)), generator(2), (60, 60), 400)
    radius = whole.radius.round()
    conic = np.stack([np.zeros(400), np.ones(400), radius**2], axis=1)
    leaves = replace(whole, x=whole.x.round(), y=whole.y.round(), radius=radius, reach=radius + 1e-6, conic=conic)
    rows, columns = np.mgrid[:60, :60]
    expected = np.full((60, 60), -1)
    for index in reversed(range(400)):
        away = (columns - int(leaves.x[index])) ** 2 + (rows - int(leaves.y[index])) ** 2
        expected[away <= int(radius[index]) ** 2] = index
    assert np.array_equal(label_map(leaves, (60, 60), backend), expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_leaves_stay_inside_their_circle_and_reach_it(shape):
    leaves = draw(Chart(shapes={shape: 1.0}, radius=(20.0, 30.0)), generator(4, shape), (9, 9), 60)
    rows, columns = np.mgrid[-80:90, -80:90].astype(float)
    for index in range(len(leaves)):
        inside = covers(leaves, index, rows, columns)
        away = np.hypot(rows - leaves.y[index], columns - leaves.x[index])[inside]
        assert away.max() <= leaves.reach[index]
        assert shape == "polygon" or away.max() > leaves.radius[index] - 2.5


def test_an_ellipse_is_the_textbook_ellipse():
    leaves = draw(Chart(shapes={"ellipse": 1.0}, radius=(20.0, 30.0)), generator(6), (9, 9), 20)
    rows, columns = np.mgrid[-60:70, -60:70].astype(float)
    for index in range(len(leaves)):
        inside = covers(leaves, index, rows, columns)
        points = np.stack([columns - leaves.x[index], rows - leaves.y[index]])[:, inside]
        spread, axes = np.linalg.eigh(np.cov(points))  # of a uniform ellipse: (half axis / 2)²
        along = axes.T @ np.stack([(columns - leaves.x[index]).ravel(), (rows - leaves.y[index]).ravel()])
        level = (along**2 / (4 * spread[:, None])).sum(axis=0).reshape(inside.shape)
        assert (inside == (level <= 1))[abs(level - 1) > 0.1].all()
        assert 2 * np.sqrt(spread[1]) == pytest.approx(leaves.radius[index], rel=0.02)


def test_squares_and_diamonds_have_the_area_of_their_formula():
    for shape, area in {"rectangle": 2.0, "diamond": 2.0, "disk": np.pi}.items():
        settings = Chart(shapes={shape: 1.0}, radius=(30.0, 30.0), aspect=(1.0, 1.0))
        leaves = draw(settings, generator(1, shape), (3, 3), 25)
        rows, columns = np.mgrid[-70:75, -70:75].astype(float)
        counted = [covers(leaves, index, rows, columns).sum() for index in range(25)]
        assert np.mean(counted) == pytest.approx(area * 900, rel=0.005), shape


def test_no_pixel_stays_uncovered():
    for index in range(40):
        leaves, labels = cover(MIXED, generator(1, index), (48, 80))
        assert labels.min() >= 0
        assert labels.max() == len(leaves) - 1


def test_batches_are_one_endless_draw():
    """Filling batch by batch gives the map of all leaves at once."""
    parts = [draw(MIXED, generator(3, part), (40, 40), 50) for part in range(3)]
    labels = np.full((40, 40), -1, np.int32)
    for place, part in enumerate(parts):
        left = filler("numba")(labels, part, 50 * place)
    assert left == (labels < 0).sum()
    assert np.array_equal(labels, label_map(join(parts), (40, 40), "reference"))


def test_the_front_leaves_are_a_view_that_stands_alone():
    leaves = draw(MIXED, generator(3), (40, 40), 90)
    head = leaves.head(30)
    assert len(head) == len(head.first) - 1 == 30
    labels = label_map(leaves, (40, 40), "reference")
    expected = np.where(labels < 30, labels, -1)
    assert np.array_equal(label_map(head, (40, 40), "numba"), expected)


SIMULATED = """
from limpid.physics.leaves.occlusion import cover, label_map
from limpid.physics.leaves.settings import Chart
from limpid.physics.leaves.shapes import SHAPES
from limpid.physics.seeds import generator
for settings in [
    *(Chart(shapes={shape: 1.0}, radius=(1.0, 60.0)) for shape in SHAPES),
    Chart(law="published_primitives", count=450, radius=(2.0, 60.0)),
]:
    leaves, expected = cover(settings, generator(2), (11, 35), "reference")
    found = label_map(leaves, (11, 35), "cuda")
    assert (found == expected).all(), settings
"""


COMPILED = """
from limpid.physics.leaves import occlusion, occlusion_numba, settings
from limpid.physics.seeds import generator
occlusion.cover(settings.Chart(), generator(1), (8, 8))
assembly = "".join(occlusion_numba._fill.inspect_asm().values())
assert "mul" in assembly, "nothing was compiled"
assert not any(fused in assembly for fused in ("fmadd", "fmsub", "fmla", "fmls")), "a product was fused with a sum"
"""


def run_apart(script, **environment):
    """In a process of its own, since numba reads its environment once."""
    done = subprocess.run([sys.executable, "-c", script], env=os.environ | environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_cuda_kernel_gives_the_map_of_brute_force_in_the_simulator():
    run_apart(SIMULATED, NUMBA_ENABLE_CUDASIM="1")


@pytest.mark.slow
def test_row_kernel_fuses_no_product_with_a_sum(tmp_path):
    run_apart(COMPILED, NUMBA_CACHE_DIR=str(tmp_path))  # an empty cache: numba shows no assembly of what it loads


def test_cuda_backend_agrees_on_a_device_or_says_that_there_is_none():
    from numba import cuda

    leaves = draw(MIXED, generator(9), (50, 70), 300)
    if cuda.is_available():
        assert np.array_equal(label_map(leaves, (50, 70), "cuda"), label_map(leaves, (50, 70), "reference"))
    else:
        with pytest.raises(DeviceError, match="no CUDA device"):
            label_map(leaves, (50, 70), "cuda")


def test_without_numba_auto_falls_back_and_numba_names_the_extra(monkeypatch):
    expected = cover(MIXED, generator(5), (20, 30))[1]
    monkeypatch.setattr("limpid.physics.leaves.occlusion.find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.delitem(sys.modules, "limpid.physics.leaves.occlusion_numba", raising=False)
    assert np.array_equal(cover(MIXED, generator(5), (20, 30))[1], expected)
    with pytest.raises(MissingExtraError, match=r"limpid\[fast\]"):
        cover(MIXED, generator(5), (20, 30), "numba")


def test_an_unknown_backend_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match="'numba'"):
        filler("nomba")
