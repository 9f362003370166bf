"""Painted scenes: every kind, any size, the same from the same seed."""

import pytest
import torch

from limpid.errors import SettingError, UnknownNameError
from limpid.physics.scenes.scene import SCENES, Scenes, scene
from limpid.physics.seeds import generator


@pytest.mark.parametrize("kind", SCENES)
@pytest.mark.parametrize("size", [(48, 64), (97, 31)])
def test_a_scene_is_a_photo_of_its_size_and_seed(kind, size):
    pictures = [scene(kind, size, generator(seed, kind)) for seed in range(6)]
    again = scene(kind, size, generator(0, kind))
    assert all(picture.shape == (3, *size) and picture.dtype == torch.float32 for picture in pictures)
    assert all(torch.isfinite(picture).all() and picture.min() >= 0 and picture.max() <= 1 for picture in pictures)
    assert torch.equal(again, pictures[0])
    assert len({picture.numpy().tobytes() for picture in pictures}) == len(pictures)


def test_what_they_show():
    pictures = {kind: torch.stack([scene(kind, (64, 64), generator(seed)) for seed in range(12)]) for kind in SCENES}
    assert pictures["night"].mean() < 0.35 < pictures["snow"].mean()
    assert pictures["document"].mean() > 0.6  # paper
    assert pictures["wall"].std((2, 3)).mean() < 0.1
    upper, lower = pictures["snow"][:, :, :8], pictures["snow"][:, :, -8:]
    assert (upper - lower).abs().mean() > 0.02


def test_kinds_are_chosen_by_name():
    assert Scenes(kinds=("wall",)).kinds == ("wall",)
    with pytest.raises(UnknownNameError, match="did you mean 'snow'"):
        Scenes(kinds=("sno",))
    with pytest.raises(SettingError, match="at least one"):
        Scenes(kinds=())
