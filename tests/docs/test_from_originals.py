"""The page for people who come from other code: what it names as ours is taken by a recipe, and no experiment is forgotten."""

import re

import pytest
import torch

from limpid.errors import LimpidError
from limpid.recipe.load import load, shipped
from limpid.recipe.settings import arguments, built
from recipe_shrink import names_in
from scripts import ROOT

PAGE = (ROOT / "docs/training/from-originals.md").read_text(encoding="utf-8")
OVERRIDE = re.compile(r"`((?:data|train|model|schedule|optimiser|procedure|losses|log)[\w.]*=[^`…]+)`")
RECIPES = ("ibcln", "nafnet_denoise_natural", "stacked_denoise_leaves")
IDS = """-1 -2 -3 -4 1000 1001 1002 1003 1004 1005 1006 1007 1008 2000 2001 2002 2003 2004 2005 2006 2007 3000 3001 3002 3010 3011
3020 3030 3040 3050 3101 3111 3120 5000 5001 5002 5003 5004 5005 6002 6003 7000 7001 7002"""


def takes(name, override):
    """Whether a shipped recipe takes an override, with the settings of all that it names."""
    try:
        recipe = load(name, [*(f"{place}=." for place in names_in(name)), override]).recipe
        with torch.device("meta"):
            arguments("models", recipe.model.name, recipe.model.settings, size=recipe.model.size)
            for term in recipe.losses:
                built("losses", term.name, term.settings)
        given = {"network": None, "objective": None}
        arguments("procedures", recipe.procedure.name, recipe.procedure.settings, given=given)
    except LimpidError:
        return False
    return True


@pytest.mark.parametrize("override", sorted({found.replace("'", "") for found in OVERRIDE.findall(PAGE)}))
def test_what_the_page_calls_ours_is_taken(override):
    assert any(takes(name, override) for name in RECIPES)


def test_every_experiment_has_a_row_and_starts_from_a_recipe():
    table = PAGE.partition("## rstor's experiments")[2].replace("−", "-")
    cells = [row.split("|")[1:4] for row in table.splitlines() if re.match(r"\| [-\d]", row)]
    assert {*IDS.split()} <= {name for ids, *_ in cells for name in re.findall(r"-?\d+", ids)}
    named = {name for _, start, _ in cells for name in re.findall(r"`(\w+)`", start)}
    assert named <= {*shipped()}
    assert len(named) > 5
