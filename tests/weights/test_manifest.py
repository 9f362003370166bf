import shutil
from pathlib import Path

import pytest

from limpid import catalogue
from limpid.checkpoints import file
from limpid.errors import UnknownNameError, WeightsError
from limpid.recipe.load import load
from limpid.weights import manifest
from recipe_shrink import names_in

LAST = {"limpid": "limpid_gate"}
"""Weights → the last of the recipes that they were trained by."""


def plain(settings):
    return {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}


def test_every_shipped_file_is_right_small_and_says_what_it_is():
    assert manifest.rows()
    for name, row in manifest.rows().items():
        path = manifest.locate(name)
        assert path.stat().st_size <= 16_000_000
        checkpoint = file.read(path)
        assert checkpoint.model == row.model
        network = file.build(checkpoint, source=name)
        assert sum(parameter.numel() for parameter in network.parameters()) <= 8_000_000
        recipe = LAST.get(name, name)
        model = load(recipe, [f"{place}=." for place in names_in(recipe)]).recipe.model
        assert (model.name, model.size) == (row.model, row.size)
        settings = {**catalogue.settings_of(catalogue.find("models", row.model), row.size), **model.settings}
        assert plain(checkpoint.settings) == plain(settings)  # what the recipe of its name says
        assert row.licence == "Apache-2.0"
        assert row.score
        assert (Path(__file__).parents[2] / "docs" / "models" / f"{name}.md").is_file()


@pytest.mark.parametrize(
    ("task", "name"),
    [("reflection", "limpid"), ("denoise", "limpid_denoise"), ("deblur", "limpid_deblur"), ("intrinsic", "limpid_intrinsic")],
)
def test_tasks_have_defaults(task, name):
    assert manifest.default(task).name == name


def test_a_task_without_weights_says_so():
    with pytest.raises(WeightsError, match="no weights are shipped for the task 'layers_2' yet"):
        manifest.default("layers_2")


def test_unknown_weights_answer_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'limpid'"):
        manifest.locate("limpit")


def test_damaged_and_missing_weights_are_told_apart(tmp_path, monkeypatch):
    row = manifest.rows()["limpid"]
    copy = tmp_path / row.file
    shutil.copy(manifest.locate("limpid"), copy)
    with copy.open("r+b") as opened:
        opened.seek(2000)
        opened.write(b"\x00\x01\x02")
    monkeypatch.setattr(manifest, "_FOLDER", tmp_path)
    with pytest.raises(WeightsError, match=r"damaged .* expected"):
        manifest.locate("limpid")
    copy.unlink()
    with pytest.raises(WeightsError, match="missing from this installation"):
        manifest.locate("limpid")
