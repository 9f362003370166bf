"""See the data of recipes: every shipped one shows something or says why not, and its settings change what is seen."""

import numpy as np
import pytest

from limpid.errors import DataError, UnknownNameError
from limpid.recipe.load import places, shipped
from limpid.web.recipe_sheets import parts, recipe_sheet


def test_every_recipe_has_parts_with_settings():
    for name in shipped():
        found = parts(name, None)
        assert found[0].path == "data.train.0."
        assert all(part.path.endswith(".") for part in found)


@pytest.mark.parametrize("name", ["errnet", "limpid_denoise", "nafnet_denoise_leaves"])
def test_a_recipe_shows_what_a_training_would_see(name):
    found = recipe_sheet(name, {}, seed=3, count=2, folder=None)
    assert found.pixels.std() > 5
    assert np.array_equal(recipe_sheet(name, {}, seed=3, count=2, folder=None).pixels, found.pixels)
    assert not np.array_equal(recipe_sheet(name, {}, seed=4, count=2, folder=None).pixels, found.pixels)


def test_what_needs_more_than_photos_is_left_out_and_named():
    assert [line.split(":")[0] for line in recipe_sheet("errnet", {}, seed=0, count=1, folder=None).left_out] == [
        "data.train.1 (pairs)"
    ]
    with pytest.raises(DataError, match="pairs"):
        recipe_sheet("limpid_finetune", {}, seed=0, count=1, folder=None)


def test_settings_reach_the_things_a_source_names():
    key = "data.train.0.degradations.0.sigma"
    assert key.removesuffix("sigma") in [part.path for part in parts("nafnet_denoise_leaves", None)]
    plain, loud = (
        recipe_sheet("nafnet_denoise_leaves", settings, seed=0, count=1, folder=None).pixels
        for settings in ({}, {key: [49.0, 50.0]})
    )
    assert not np.array_equal(plain, loud)


@pytest.mark.parametrize("name", ["../recipes/errnet", "/etc/passwd", "errnet.yaml"])
def test_only_shipped_recipes_are_read(name):
    for ask in (places, lambda wanted: parts(wanted, None)):
        with pytest.raises(UnknownNameError):
            ask(name)


def test_controls_of_a_part_start_at_what_the_recipe_says():
    pytest.importorskip("gradio")
    from limpid.web.controls import controls, defaults_of, settings

    for part in parts("limpid_denoise", None):
        made = controls(part.build, "x", part.given)
        assert settings(made, [control.component.value for control in made], defaults_of(part.build, part.given)) == {}
    noise = next(part for part in parts("nafnet_denoise_leaves", None) if "gaussian_noise" in part.title)
    assert [c.component.value for c in controls(noise.build, "x", noise.given) if c.name == "sigma"] == [0, 50]
