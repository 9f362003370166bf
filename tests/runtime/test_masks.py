"""Masks that keep places untouched: exactly there, softly around, and the layers compose the photo everywhere."""

import numpy as np
import pytest
import torch
from PIL import Image

from limpid.errors import SettingError, UsageError
from limpid.image.read import read
from limpid.layers.network import LayerNetwork
from limpid.layers.separation import Separation
from limpid.layers.task import TASKS, find_task
from limpid.runtime.masks import share_of_change
from limpid.runtime.options import SeparationOptions
from limpid.runtime.separator import Separator


class Halves(LayerNetwork):
    """Every layer is the photo at another brightness."""

    radius = 0

    def __init__(self, names):
        super().__init__()
        self.layer_names = names

    def forward(self, mixed, context=None):
        return Separation({name: (0.4 + 0.2 * place) * mixed for place, name in enumerate(self.layer_names)})


def photo(height=60, width=90):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    pixels[:, ::7] = 0  # of black nobody knows the light
    return read(pixels)


def mask(path, left, size=(60, 90), white=255):
    """White in the columns before ``left``."""
    pixels = np.zeros(size, np.uint8)
    pixels[:, :left] = white
    Image.fromarray(pixels).save(path)
    return path


def separated(task, **options):
    return Separator(Halves(TASKS[task].layers), find_task(task), name="halves")(photo(), **options)


@pytest.mark.parametrize("task", ["reflection", "intrinsic", "layers_3", "denoise", "deblur"])
def test_what_is_protected_stays_bit_for_bit(task, tmp_path):
    before = photo().tensor()
    kept = separated(task, protect=mask(tmp_path / "m.png", 40))
    primary = kept[TASKS[task].primary]
    assert torch.equal((255 * primary[..., :40]).round(), 255 * before[..., :40])
    free = separated(task)[TASKS[task].primary]
    assert torch.equal(primary[..., 50:], free[..., 50:])
    assert not torch.equal(free[..., :40], before[..., :40])


@pytest.mark.parametrize("task", [name for name, task in TASKS.items() if task.law is not None and name != "denoise"])
def test_layers_compose_the_photo_under_any_mask(task, tmp_path):
    before = photo().tensor()
    options = {"protect": mask(tmp_path / "m.png", 40, white=200), "only": mask(tmp_path / "o.png", 70)}
    layers, plain = separated(task, **options), separated(task)
    wanted = before
    if TASKS[task].symmetric:  # of a sum that the network leaves open, the mask closes its share
        share = torch.from_numpy(share_of_change(photo(), SeparationOptions(**options))).float() / 255
        wanted = before.lerp(TASKS[task].compose(plain), share)
    torch.testing.assert_close(TASKS[task].compose(layers), wanted, atol=2e-3, rtol=0)
    assert torch.equal(layers[TASKS[task].primary][..., 80:], before[..., 80:])


def test_where_nothing_is_changed_nothing_is_mirrored_and_light_is_white(tmp_path):
    only = mask(tmp_path / "m.png", 30)
    assert float(separated("reflection", only=only)["reflection"][..., 30:].abs().max()) == 0
    assert float(separated("intrinsic", only=only)["shading"][..., 30:].min()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(("word", "kept"), [("protect", slice(0, 40)), ("only", slice(40, 90))])
@pytest.mark.parametrize("feather", [0, 1, 9])
def test_masks_fade_outside_of_what_is_kept(tmp_path, word, kept, feather):
    share = share_of_change(photo(), SeparationOptions(**{word: mask(tmp_path / "m.png", 40), "feather": feather}))
    assert share[:, kept].max() == 0
    fading = np.unique(share[0]).size - 2
    assert fading == 2 * ((feather + 1) // 2)
    assert share[:, slice(60, 90) if word == "protect" else slice(0, 20)].min() == 255


def test_a_wide_photo_fades_wider(tmp_path):
    path = mask(tmp_path / "m.png", 500, size=(20, 2000))
    share = share_of_change(photo(20, 2000), SeparationOptions(protect=path))
    assert 9 <= np.unique(share).size - 2 <= 11


def test_grey_is_a_part_of_the_change(tmp_path):
    layers = separated("reflection", protect=mask(tmp_path / "m.png", 90, white=51), feather=0)
    full = separated("reflection")
    torch.testing.assert_close(layers.reflection, 0.8 * full.reflection)


def test_sixteen_bits_and_colour_are_read_as_grey(tmp_path):
    eight = share_of_change(photo(), SeparationOptions(protect=mask(tmp_path / "m.png", 40)))
    pixels = np.zeros((60, 90), np.uint16)
    pixels[:, :40] = 65535
    Image.fromarray(pixels).save(tmp_path / "deep.png")
    Image.open(tmp_path / "m.png").convert("RGB").save(tmp_path / "colour.png")
    for name in ("deep.png", "colour.png"):
        assert np.array_equal(share_of_change(photo(), SeparationOptions(protect=tmp_path / name)), eight)


def test_masks_that_do_not_fit_are_refused(tmp_path):
    Image.new("L", (10, 12)).save(tmp_path / "m.png")
    with pytest.raises(UsageError, match="the mask to protect has 10x12 pixels, the photo 90x60"):
        separated("reflection", protect=tmp_path / "m.png")
    with pytest.raises(UsageError, match="no such file"):
        SeparationOptions(only=tmp_path / "gone.png")
    with pytest.raises(UsageError, match="--feather"):
        SeparationOptions(feather=3)
    with pytest.raises(SettingError, match="--feather counts pixels"):
        SeparationOptions(feather=-1, only=tmp_path / "m.png")


def test_tiles_and_rebuilt_photos_keep_what_is_protected(tmp_path):
    wide = photo(700, 1500)
    path = mask(tmp_path / "m.png", 700, size=(700, 1500))
    separator = Separator(Halves(TASKS["reflection"].layers), find_task("reflection"), name="halves")
    for options in ({"tile": "352", "resolution": "full"}, {}):
        layers = separator(wide, protect=path, **options)
        assert torch.equal(layers.transmission[..., :700], wide.tensor()[..., :700])
        torch.testing.assert_close(layers.transmission + layers.reflection + layers.residual, wide.tensor())
