"""``limpid decompose``: layers that compose the photo, another light, another colour, a sheet of several methods."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from limpid import catalogue, create_model
from limpid.checkpoints import file
from limpid.layers.task import TASKS


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "light.safetensors"
    settings, tensors = catalogue.find("models", "light_unet").sizes["tiny"], create_model("light_unet", "tiny").state_dict()
    file.save(path, file.Checkpoint(model="light_unet", settings=settings, tensors=tensors, notes={}))
    return path


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "x.png"
    Image.fromarray(np.random.default_rng(0).integers(20, 250, (40, 56, 3), dtype=np.uint8)).save(path)
    return path


def layer(path):
    return torch.from_numpy(np.asarray(Image.open(path))).permute(2, 0, 1).float() / 255


def test_the_files_compose_the_photo(limpid, weights, photo, tmp_path):
    done = limpid("decompose", photo, "-m", weights, "--layers", "albedo,shading", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    found = {name: layer(tmp_path / "out" / f"x.{name}.png") for name in ("albedo", "shading")}
    assert float((TASKS["intrinsic"].compose(found) - layer(photo)).abs().max()) < 1.5 / 255


def test_light_and_colour_are_changed_beside_the_layers(limpid, weights, photo, tmp_path):
    Image.fromarray(np.full((40, 56), 255, dtype=np.uint8)).save(tmp_path / "mask.png")
    wishes = ("--relight", "flat=1", "--recolour", f"{tmp_path / 'mask.png'}=#c02020")
    done = limpid("decompose", photo, "-m", weights, *wishes, "-o", tmp_path / "out")
    assert done.code == 0, done.err
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["x.albedo.png", "x.recoloured.png", "x.relit.png", "x.shading.png"]
    relit, albedo = (layer(tmp_path / "out" / f"x.{name}.png") for name in ("relit", "albedo"))
    assert float((relit - albedo).abs().max()) <= 1 / 255
    red, green, blue = layer(tmp_path / "out/x.recoloured.png").mean((1, 2)).tolist()
    assert red > 1.5 * max(green, blue)


def test_a_grey_photo_given_a_colour_is_one_of_colours(limpid, weights, tmp_path):
    draw = np.random.default_rng(0)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    grey = profile[:16] + b"GRAY" + profile[20:]
    Image.fromarray(draw.integers(20, 250, (40, 56), dtype=np.uint8)).save(tmp_path / "x.png", icc_profile=grey)
    Image.fromarray(np.full((40, 56), 255, dtype=np.uint8)).save(tmp_path / "mask.png")
    wishes = ("--relight", "flat=1", "--recolour", f"{tmp_path / 'mask.png'}=#c02020")
    done = limpid("decompose", tmp_path / "x.png", "-m", weights, *wishes, "-o", tmp_path / "out")
    assert done.code == 0, done.err
    modes = {path.name: Image.open(path).mode for path in (tmp_path / "out").iterdir()}
    assert modes == {"x.albedo.png": "L", "x.shading.png": "L", "x.relit.png": "L", "x.recoloured.png": "RGB"}
    red, green, blue = layer(tmp_path / "out/x.recoloured.png").mean((1, 2)).tolist()
    assert red > 1.5 * max(green, blue)
    assert ("icc_profile" in Image.open(tmp_path / "out/x.albedo.png").info) == ("does not describe colours" in done.err)
    assert "icc_profile" not in Image.open(tmp_path / "out/x.recoloured.png").info


@pytest.mark.parametrize(
    "wish",
    [
        ("--relight", "flat=2"),
        ("--recolour", "mask.png"),
        ("--relight", "flat=1", "--task", "layers_2"),
        ("--compare", "-o", "-"),
    ],
)
def test_wishes_that_make_no_sense_end_before_anything_loads(limpid, photo, wish):
    done = limpid("decompose", photo, *wish)
    assert done.code == 2
    assert wish[0] in done.err


def test_a_sheet_compares_methods(limpid, weights, photo, tmp_path):
    done = limpid("decompose", photo, "-m", f"ours={weights}", "-m", "retinex", "--compare", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert Image.open(tmp_path / "out/x.compare.png").size == (3 * 3 * 56, 2 * (24 + 3 * 40))  # a row for each method
    assert done.lines[-1].endswith("x.compare.png")
