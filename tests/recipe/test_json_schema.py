"""The schema for editors, checked by a small validator that knows the words our schema uses."""

from typing import Any

import pytest

from limpid import catalogue
from limpid.data.augment import Augment
from limpid.recipe.json_schema import schema
from limpid.recipe.load import load, plain
from limpid.recipe.text import read
from recipe_samples import EXAMPLE, PLACES

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
ANNOTATIONS = {"title", "description", "default", "$schema", "$defs", "format", "discriminator", "propertyNames"}


def fits(value: Any, rule: dict[str, Any], root: dict[str, Any]) -> bool:
    """Whether a value satisfies a rule; an unknown word in the rule is an error of this test."""

    def is_type(wanted: str) -> bool:
        return isinstance(value, TYPES[wanted]) and (wanted == "boolean" or not isinstance(value, bool))

    def properties(known: dict[str, Any]) -> bool:
        return all(fits(value[key], one, root) for key, one in known.items() if key in value)

    def additional(allowed: Any) -> bool:
        rest = [one for key, one in value.items() if key not in rule.get("properties", {})]
        return allowed is True or (not rest if allowed is False else all(fits(one, allowed, root) for one in rest))

    sized, mapped, listed = isinstance(value, str | list), isinstance(value, dict), isinstance(value, list)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    words = {
        "$ref": lambda one: fits(value, root["$defs"][one.removeprefix("#/$defs/")], root),
        "type": is_type,
        "const": lambda one: value == one,
        "enum": lambda one: value in one,
        "oneOf": lambda one: sum(fits(value, part, root) for part in one) == 1,
        "anyOf": lambda one: any(fits(value, part, root) for part in one),
        "required": lambda one: not mapped or all(key in value for key in one),
        "properties": lambda one: not mapped or properties(one),
        "additionalProperties": lambda one: not mapped or additional(one),
        "minProperties": lambda one: not mapped or len(value) >= one,
        "items": lambda one: not listed or all(fits(part, one, root) for part in value),
        "prefixItems": lambda one: not listed or all(fits(part, rule, root) for part, rule in zip(value, one, strict=False)),
        "minItems": lambda one: not listed or len(value) >= one,
        "maxItems": lambda one: not listed or len(value) <= one,
        "minLength": lambda one: not sized or len(value) >= one,
        "minimum": lambda one: not number or value >= one,
        "maximum": lambda one: not number or value <= one,
        "exclusiveMinimum": lambda one: not number or value > one,
        "exclusiveMaximum": lambda one: not number or value < one,
    }
    return all(words[word](one) for word, one in rule.items() if word not in ANNOTATIONS)


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    return schema(Augment)


KNOWN = {kind: catalogue.names(kind) for kind in ("models", "losses", "sources", "procedures", "mixtures")}


def as_json(data: Any) -> Any:
    """JSON has text keys only."""
    if isinstance(data, dict):
        return {str(key): as_json(value) for key, value in data.items()}
    return [as_json(value) for value in data] if isinstance(data, list) else data


def without_missing(text: str) -> dict[str, Any]:
    """The example, with things that the catalogue lacks replaced by those that it has."""
    data: Any = as_json(read(text, "example").data)
    data["losses"] = [term for term in data["losses"] if term["name"] in KNOWN["losses"]]
    return data


def test_the_example_fits(whole, example):
    assert fits(without_missing(EXAMPLE), whole, whole)
    data = as_json(plain(load(example, PLACES).recipe))
    data["losses"] = [term for term in data["losses"] if term["name"] in KNOWN["losses"]]
    assert fits(data, whole, whole)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("seed: 2018", "sede: 2018"),
        ("seed: 2018", "seed: x"),
        ("size: hypercolumn", "size: hypercolum"),
        ("size: hypercolumn", "size: hypercolumn, blocks: many"),
        ("size: hypercolumn", "siez: hypercolumn"),
        ("name: errnet, size", "name: ernet, size"),
        ("name: l1, weight", "name: l1, weigth"),
        ("crop: 224", "corp: 224"),
        ("name: constant", "name: constnat"),
        ("precision: float32", "precision: float31"),
        ("on: [transmission]", "on: transmission"),
    ],
)
def test_a_fault_does_not_fit(whole, old, new):
    assert old in EXAMPLE
    assert not fits(without_missing(EXAMPLE.replace(old, new, 1)), whole, whole)


@pytest.mark.parametrize(
    ("kind", "section"), [("models", "Model"), ("losses", "Term"), ("sources", "Item"), ("procedures", "Named")]
)
def test_every_name_of_the_catalogue_is_an_alternative(whole, kind, section):
    if not KNOWN[kind]:
        pytest.skip(f"no {kind} in the catalogue")
    alternatives = {one["title"]: one for one in whole["$defs"][section]["oneOf"]}
    assert sorted(alternatives) == KNOWN[kind]
    assert all(one["properties"]["name"]["description"] for one in alternatives.values())


def test_every_reference_leads_somewhere(whole):
    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return own + [found for value in node.values() for found in references(value)]
        return [found for value in node for found in references(value)] if isinstance(node, list) else []

    assert {one.removeprefix("#/$defs/") for one in references(whole)} <= set(whole["$defs"])


def test_settings_carry_their_defaults(whole):
    dsrnet = next(one for one in whole["$defs"]["Model"]["oneOf"] if one["title"] == "dsrnet")
    assert dsrnet["properties"]["width"] == {"type": "integer", "default": 64}
    assert dsrnet["properties"]["body"]["enum"] == ["attention", "mamba", "mamba_first", "mamba_gate"]
