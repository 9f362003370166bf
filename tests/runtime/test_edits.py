"""What is done with albedo and shading: another light, another colour, and what people may type wrong."""

import pytest
import torch

from limpid.errors import ShapeError, UsageError
from limpid.layers.encoding import to_linear
from limpid.layers.task import TASKS
from limpid.runtime.edit_options import Relighting, parse_recolouring, parse_relighting
from limpid.runtime.edits import recolour, relight


@pytest.fixture
def layers():
    torch.manual_seed(0)
    return {"albedo": 0.2 + 0.7 * torch.rand(3, 20, 30), "shading": (0.2 + 0.7 * torch.rand(1, 20, 30)).expand(3, -1, -1)}


def test_no_wish_gives_the_photo_and_flat_light_the_albedo(layers):
    photo = TASKS["intrinsic"].compose(layers)
    assert torch.allclose(relight(layers, Relighting()), photo, atol=1e-5)
    assert torch.allclose(relight(layers, Relighting(flat=1)), layers["albedo"], atol=1e-5)


def test_light_is_warmer_and_comes_from_its_side(layers):
    photo = to_linear(TASKS["intrinsic"].compose(layers))
    warm = to_linear(relight(layers, Relighting(warm=0.5))) / photo
    assert float(warm[0].mean()) > 1.1 > 0.9 > float(warm[2].mean())
    left = to_linear(relight(layers, Relighting(side="left")))[0] / photo[0]
    assert float(left[:, 0].mean()) > 1.3 > 0.7 > float(left[:, -1].mean())
    top = to_linear(relight(layers, Relighting(side="top")))[0] / photo[0]
    assert float(top[0].mean()) > float(top[-1].mean())


def test_a_colour_is_changed_under_its_mask_and_the_light_stays(layers):
    mask = torch.zeros(1, 20, 30)
    mask[:, :, :10] = 1
    flat = {**layers, "albedo": torch.full((3, 20, 30), 0.5)}
    red = torch.tensor([0.8, 0.2, 0.2])
    made = recolour(flat, [(mask, red)])
    expected = TASKS["intrinsic"].compose({"albedo": red[:, None, None].expand(3, 20, 30), "shading": layers["shading"]})
    assert torch.allclose(made[:, :, :10], expected[:, :, :10], atol=1e-4)
    assert torch.allclose(made[:, :, 10:], TASKS["intrinsic"].compose(flat)[:, :, 10:], atol=1e-5)
    with pytest.raises(ShapeError, match="size of the photo, 30×20"):
        recolour(flat, [(mask[..., 1:], red)])


@pytest.mark.parametrize("text", ["flat", "flat=2", "warm=x", "from=above", "flat=0.1,flat=0.2", "shine=1"])
def test_a_wish_that_makes_no_sense_says_what_does(text):
    with pytest.raises(UsageError, match="--relight"):
        parse_relighting(text)


def test_wishes_are_read():
    assert parse_relighting("flat=0.7,warm=-0.3,from=left") == Relighting(flat=0.7, warm=-0.3, side="left")
    path, colour = parse_recolouring("a=b.png=#ff0080")
    assert (str(path), colour) == ("a=b.png", (1.0, 0.0, 128 / 255))
    with pytest.raises(UsageError, match="#rrggbb"):
        parse_recolouring("mask.png=red")
