"""Colours, fills, averaging, depth of field, and that equal generators give equal bytes."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from scipy import stats

from limpid.errors import SettingError, UnknownNameError
from limpid.physics.leaves.chart import chart, render
from limpid.physics.leaves.occlusion import cover
from limpid.physics.leaves.paint import colour, draw_paint
from limpid.physics.leaves.palette import draw_colours
from limpid.physics.leaves.settings import FILLS, Chart
from limpid.physics.leaves.shapes import SHAPES
from limpid.physics.leaves.textures import noise_field
from limpid.physics.seeds import generator

EVERYTHING = Chart(
    shapes=dict.fromkeys(SHAPES, 1.0),
    fills=dict.fromkeys(FILLS, 1.0),
    fill_from=4.0,
    radius=(3.0, 90.0),
    supersample=2,
    defocus=2.0,
)
PHOTO = torch.rand(3, 20, 30, generator=torch.Generator().manual_seed(0))


def big_leaf(fill, **settings):
    """One canvas, mostly large leaves, all of one fill; its leaves, map and paint."""
    kind = Chart(radius=(40.0, 90.0), fills={fill: 1.0}, fill_from=1.0, **settings)
    leaves, labels = cover(kind, generator(4), (90, 120))
    return leaves, labels, draw_paint(kind, leaves, generator(5))


@pytest.mark.parametrize("settings", [Chart(), EVERYTHING, replace(EVERYTHING, colours="natural")])
def test_equal_generators_give_equal_bytes(settings):
    first, again, other = (chart(settings, (33, 50), generator(seed, "x"), photos=[PHOTO]) for seed in (1, 1, 2))
    assert first.shape == (3, 33, 50)
    assert first.dtype == torch.float32
    assert first.is_contiguous()
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert 0 <= first.min() <= first.max() <= 1


@pytest.mark.parametrize("backend", ["torch", "reference"])
def test_the_backend_does_not_change_the_chart(backend):
    settings = replace(EVERYTHING, radius=(8.0, 90.0))
    expected = chart(settings, (10, 14), generator(1), backend="numba")
    assert torch.equal(chart(settings, (10, 14), generator(1), backend=backend), expected)


def test_supersampling_is_the_mean_of_blocks():
    settings = Chart(supersample=3, radius=(2.0, 80.0), fills=dict.fromkeys(FILLS, 1.0), fill_from=5.0)
    leaves, labels = cover(settings, generator(7), (60, 90))
    paint = draw_paint(settings, leaves, generator(8))
    blocks = colour(labels, leaves, paint).numpy().reshape(3, 20, 3, 30, 3).mean((2, 4))
    assert np.allclose(render(settings, labels, leaves, paint).numpy(), blocks, atol=1e-6)


def test_strips_leave_no_seam(monkeypatch):
    settings = Chart(supersample=2, radius=(2.0, 80.0), fills=dict.fromkeys(FILLS, 1.0), fill_from=5.0)
    leaves, labels = cover(settings, generator(7), (60, 90))
    paint = draw_paint(settings, leaves, generator(8))
    whole = render(settings, labels, leaves, paint)
    monkeypatch.setattr("limpid.physics.leaves.chart._STRIP", 90 * 2 * 4)
    assert torch.equal(render(settings, labels, leaves, paint), whole)


def test_flat_colours_are_a_look_up():
    leaves, labels, paint = big_leaf("flat")
    assert paint.fills is None
    assert np.array_equal(colour(labels, leaves, paint).numpy(), paint.colours[labels].transpose(2, 0, 1))


def test_one_map_takes_many_colourings():
    settings = Chart(radius=(5.0, 90.0))
    leaves, labels = cover(settings, generator(4), (50, 60))
    one, two = (colour(labels, leaves, draw_paint(settings, leaves, generator(seed))).numpy() for seed in (1, 2))
    edges = [np.any(picture[:, :, 1:] != picture[:, :, :-1], axis=0) for picture in (one, two)]
    assert not np.array_equal(one, two)
    assert np.array_equal(edges[0], edges[1])
    assert np.array_equal(edges[0], labels[:, 1:] != labels[:, :-1])


def test_uniform_colours_fill_the_cube():
    colours = draw_colours("uniform", generator(1), 20_000, [])
    assert all(stats.kstest(colours[:, channel], "uniform").pvalue > 0.01 for channel in range(3))
    assert abs(np.corrcoef(colours.T) - np.eye(3)).max() < 0.03


def test_saturated_colours_are_uniform_in_lab_where_rgb_can_show_them():
    colours = draw_colours("saturated", generator(1), 20_000, [])
    assert colours.min() >= 0
    assert colours.max() <= 1
    inside = ((colours > 0.001) & (colours < 0.999)).all(axis=1)
    expected = np.random.default_rng(0).random((200_000, 3)) * (100, 254, 254) - (0, 127, 127)
    rgb = cv2.cvtColor(expected[None].astype(np.float32), cv2.COLOR_Lab2RGB)[0]
    shown = expected[((rgb > 0.001) & (rgb < 0.999)).all(axis=1)]
    lab = cv2.cvtColor(colours[inside][None], cv2.COLOR_RGB2Lab)[0]
    assert all(stats.ks_2samp(lab[:, axis], shown[:, axis]).pvalue > 0.01 for axis in range(3))
    assert colours.std(axis=1).mean() > 1.2 * draw_colours("uniform", generator(1), 20_000, []).std(axis=1).mean()


def test_natural_colours_are_the_joint_histogram_of_one_photo():
    few = torch.tensor([[0.1, 0.1, 0.1, 0.7], [0.2, 0.2, 0.2, 0.5], [0.3, 0.3, 0.3, 0.9]]).reshape(3, 2, 2)
    colours = draw_colours("natural", generator(2), 8000, [few, few])
    assert np.array_equal(np.unique(colours, axis=0), np.float32([[0.1, 0.2, 0.3], [0.7, 0.5, 0.9]]))
    assert (colours[:, 0] > 0.5).mean() == pytest.approx(0.25, abs=0.02)
    with pytest.raises(SettingError, match="photos="):
        draw_colours("natural", generator(2), 5, [])


def test_linear_gradients_rise_evenly_along_their_direction():
    leaves, labels, paint = big_leaf("linear")
    picture = colour(labels, leaves, paint).numpy()
    for leaf in np.unique(labels)[:4]:
        rows, columns = np.nonzero(labels == leaf)
        turn = paint.fills.turn[leaf]
        along = ((columns - leaves.x[leaf]) * np.cos(turn) + (rows - leaves.y[leaf]) * np.sin(turn)) / leaves.radius[leaf]
        expected = np.outer(1 - along, paint.colours[leaf]) / 2 + np.outer(1 + along, paint.fills.others[leaf]) / 2
        assert np.allclose(picture[:, rows, columns].T, expected, atol=1e-5)


def test_periodic_fills_repeat_after_their_period():
    leaves, labels, paint = big_leaf("periodic", period=(10.0, 10.0))
    turned = replace(paint, fills=replace(paint.fills, turn=np.zeros(len(leaves)), grid=np.zeros(len(leaves), bool)))
    picture = colour(labels, leaves, turned).numpy()
    same = labels[:, 10:] == labels[:, :-10]
    assert np.allclose(picture[:, :, 10:][:, same], picture[:, :, :-10][:, same], atol=1e-4)
    assert abs(picture[:, :, 5:] - picture[:, :, :-5])[:, labels[:, 5:] == labels[:, :-5]].mean() > 0.1


def test_small_leaves_stay_flat():
    settings = Chart(radius=(2.0, 60.0), fills={"noise": 1.0}, fill_from=15.0)
    leaves, labels = cover(settings, generator(4), (60, 60))
    picture = colour(labels, leaves, draw_paint(settings, leaves, generator(5))).numpy()
    flat = [np.ptp(picture[:, labels == leaf], axis=1).max() == 0 for leaf in np.unique(labels)]
    small = [leaves.radius[leaf] < 15 for leaf in np.unique(labels)]
    assert all(is_flat for is_flat, is_small in zip(flat, small, strict=True) if is_small)
    assert not all(flat)


@pytest.mark.parametrize("slope", [0.5, 1.5, 2.5])
def test_noise_has_its_spectrum_and_no_seam(slope):
    power = np.mean([abs(np.fft.fft2(noise_field(generator(seed), slope, 128))) ** 2 for seed in range(8)], axis=0)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(128), np.fft.fftfreq(128)))
    ring = (frequency > 0.02) & (frequency < 0.4)
    fitted = np.polyfit(np.log(frequency[ring]), np.log(power[ring]), 1)[0]
    assert fitted == pytest.approx(-2 * slope, abs=0.1)
    field = noise_field(generator(1), slope, 128)
    assert field.std() == pytest.approx(1, rel=0.01)
    assert abs(field[:, 0] - field[:, -1]).mean() < 1.5 * abs(np.diff(field, axis=1)).mean()


def test_depth_of_field_blurs_the_background_and_keeps_a_sharp_layer():
    """Sharp steps survive in front of a background that has none; without a front, all is soft."""
    settings = Chart(radius=(6.0, 60.0), defocus=6.0, in_focus=0.0, foreground=0.0)
    softest = [chart(settings, (60, 60), generator(seed)) for seed in range(6)]
    sharp = [chart(replace(settings, in_focus=3.0), (60, 60), generator(seed)) for seed in range(6)]
    step = [[float(picture.diff(dim=2).abs().max()) for picture in pictures] for pictures in (softest, sharp)]
    assert np.median(step[0]) < 0.35
    assert min(step[1]) > 0.5


def test_depth_of_field_is_as_bright_at_the_rim_as_in_the_middle():
    """Colours average one half; the margin hides where the canvas ends."""
    settings = Chart(radius=(2.0, 20.0), defocus=3.0)
    mean = torch.stack([chart(settings, (12, 12), generator(seed)) for seed in range(400)]).mean((0, 1))
    assert float((mean[0].mean() - mean[6].mean()).abs()) < 0.03
    assert float(mean.mean()) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"radius": (5.0, 2.0)}, SettingError),
        ({"radius": (0.0, 9.0)}, SettingError),
        ({"aspect": (0.5, 1.5)}, SettingError),
        ({"shapes": {"disc": 1.0}}, UnknownNameError),
        ({"shapes": {"disk": 0.0}}, SettingError),
        ({"fills": {}}, SettingError),
        ({"colours": "grey"}, UnknownNameError),
        ({"law": "publishd"}, UnknownNameError),
        ({"law": "published", "defocus": 2.0}, SettingError),
        ({"supersample": 0}, SettingError),
        ({"reduction": "published", "supersample": 3}, SettingError),
    ],
)
def test_impossible_settings_are_refused(settings, error):
    with pytest.raises(error):
        Chart(**settings)


def test_an_empty_chart_is_refused():
    with pytest.raises(SettingError, match="at least one pixel"):
        chart(Chart(), (0, 5), generator(1))
