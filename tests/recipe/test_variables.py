from pathlib import Path

import pytest

from limpid.errors import UsageError
from limpid.recipe.load import load
from recipe_samples import PLACES


def voc(example, *overrides):
    recipe = load(example, ("REAL=/real", "VAL=/val", *overrides)).recipe
    return recipe.data.train[0].settings["transmission"]


def test_override_beats_environment_beats_file(example, bare_machine, monkeypatch):
    bare_machine.parent.mkdir(parents=True)
    bare_machine.write_text("VOC: /from/file\n")
    assert voc(example) == "/from/file"
    monkeypatch.setenv("VOC", "/from/environment")
    assert voc(example) == "/from/environment"
    assert voc(example, "VOC=/from/override") == "/from/override"


def test_the_home_folder_and_braces(example):
    assert voc(example, "VOC=~/photos") == str(Path.home() / "photos")
    assert load(example, PLACES).recipe.data.train[1].settings["root"] == "/real/89"


def test_a_missing_place_is_named_with_three_ways_to_give_it(example, bare_machine):
    with pytest.raises(UsageError) as caught:
        voc(example)
    assert str(caught.value) == (
        f"{example}:9: data.train.0.transmission: $VOC has no value; write VOC=FOLDER after the recipe, set the environment"
        f" variable VOC, or add the line `VOC: FOLDER` to {bare_machine}"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("VOC: 3\n", ":1: VOC: expected a folder; got 3"),
        ("VOC: /a\nVOC: /b\n", ":2: key VOC stands twice; first in {path}:1"),
        ("/a\n", ":1: expected keys and values such as `name: errnet`; got '/a'"),
    ],
)
def test_a_broken_file_of_places_says_so(example, bare_machine, text, line):
    bare_machine.parent.mkdir(parents=True)
    bare_machine.write_text(text)
    with pytest.raises(UsageError) as caught:
        voc(example)
    assert str(caught.value) == f"{bare_machine}{line.format(path=bare_machine)}"


def test_a_file_of_places_is_read_only_when_needed(example, bare_machine):
    bare_machine.parent.mkdir(parents=True)
    bare_machine.write_text("\tbroken")
    assert voc(example, "VOC=/x") == "/x"


def test_two_dollars_are_one_and_small_names_are_texts(example):
    example.write_text(example.read_text().replace('comment: ""', 'comment: "costs $5, $$VOC, $voc"'))
    assert load(example, PLACES).recipe.comment == "costs $5, $VOC, $voc"
