from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from torch import Tensor, nn

from limpid import catalogue
from limpid.catalogue import Nested
from limpid.errors import SettingError, UnknownNameError
from limpid.physics.formation import Formation
from limpid.physics.mixtures.subtractive import Subtractive
from limpid.recipe.errors import Where
from limpid.recipe.settings import arguments, built, validated
from limpid.recipe.signature import parameters, settable

if TYPE_CHECKING:
    from fractions import Fraction

WHERE = Where({(): "r.yaml", ("losses", 1): "r.yaml:7", ("losses", 1, "limits"): "r.yaml:9"}, ("losses", 1))
KINDS = ("models", "losses", "mixtures", "degradations", "sources", "procedures")
ENTRIES = [(kind, name) for kind in KINDS for name in catalogue.names(kind)]


@dataclass(frozen=True, kw_only=True)
class Limits:
    dim: float = 0.5
    sides: tuple[int, int] = (1, 2)

    def __post_init__(self) -> None:
        if self.dim > 1:
            raise SettingError(f"dim lies within 0…1; got {self.dim}")


@dataclass(frozen=True, kw_only=True)
class Thing:
    network: nn.Module
    truth: Tensor | None = None
    sides: tuple[int, ...] = (3,)
    form: Literal["square", "round"] = "square"
    root: Path | list[Path] = Path()
    layers: Mapping[str, float] = field(default_factory=dict)
    limits: Limits | None = None
    seed: int = 0
    later: "Fraction | None" = None


NETWORK = nn.Identity()


def test_values_come_as_the_signature_wants_them():
    settings = {"sides": [1, 2], "form": "round", "root": ["/a", "/b"], "layers": {"a": 1}, "limits": {"sides": [3, 4]}}
    values = validated(Thing, settings, given={"network"})
    assert values == {
        "sides": (1, 2),
        "form": "round",
        "root": [Path("/a"), Path("/b")],
        "layers": {"a": 1.0},
        "limits": Limits(sides=(3, 4)),
    }
    assert Thing(network=NETWORK, **values).seed == 0


def test_whole_numbers_as_keys_and_infinity_survive():
    def build(*, steps: dict[int, float]) -> None: ...

    assert validated(build, {"steps": {0: 1, 20: float("inf")}}) == {"steps": {0: 1.0, 20: float("inf")}}


@pytest.mark.parametrize(
    ("settings", "kind", "line"),
    [
        (
            {"froms": "round"},
            UnknownNameError,
            "r.yaml:7: no setting of thing named 'froms'; did you mean 'form'? "
            "Known: form, later, layers, limits, root, seed, sides.",
        ),
        ({"network": 3}, UnknownNameError, "r.yaml:7: no setting of thing named 'network' Known: "),
        ({"seed": "7"}, SettingError, "r.yaml:7: losses.1.seed: expected a whole number; got '7'"),
        ({"seed": True}, SettingError, "r.yaml:7: losses.1.seed: expected a whole number; got True"),
        (
            {"form": "rond"},
            SettingError,
            "r.yaml:7: losses.1.form: expected 'square' or 'round'; got 'rond'; did you mean 'round'?",
        ),
        ({"sides": [1, "x"]}, SettingError, "r.yaml:7: losses.1.sides.1: expected a whole number; got 'x'"),
        ({"sides": 3}, SettingError, "r.yaml:7: losses.1.sides: expected a list; got 3"),
        (
            {"limits": {"dimm": 3}},
            UnknownNameError,
            "r.yaml:9: no setting of losses.1.limits named 'dimm'; did you mean 'dim'? Known: dim, sides.",
        ),
        ({"limits": {"sides": [1]}}, SettingError, "r.yaml:9: losses.1.limits.sides.1 is missing"),
        ({"limits": {"dim": 2}}, SettingError, "r.yaml:7: losses.1: dim lies within 0…1; got 2.0"),
        ({"root": 3}, SettingError, "r.yaml:7: losses.1.root: expected a text or a list; got 3"),
    ],
)
def test_each_fault_is_one_line_with_file_line_and_key(settings, kind, line):
    with pytest.raises(kind) as caught:
        validated(Thing, settings, given={"network"}, where=WHERE)
    assert str(caught.value).startswith(line)


def test_what_nobody_gives_is_missing():
    with pytest.raises(SettingError) as caught:
        validated(Thing, {}, where=WHERE)
    assert str(caught.value) == "r.yaml:7: losses.1.network is missing; thing needs it"


def test_annotations_for_type_checkers_alone_accept_anything():
    assert validated(Thing, {"later": "1/3"}, given={"network"}) == {"later": "1/3"}
    assert parameters(Thing)["later"].annotation == Any | None


def test_partial_functions_and_unseen_parameters():
    def build(first: int, *rest: int, scale: float = 1.0, **others: int) -> None: ...

    assert list(parameters(build)) == ["first", "scale"]
    assert validated(partial(build, first=1), {"scale": 2}) == {"scale": 2.0}
    assert parameters(nn.Identity) == {}


class Blender:
    def __init__(
        self,
        *,
        mixtures: "Annotated[Sequence[tuple[Formation, float]], Nested(kind='mixtures', weighted=True)]",
        spare: Annotated[Sequence[Formation], Nested(kind="mixtures")] | None = None,
        single: Annotated[Formation | None, Nested(kind="mixtures")] = None,
        network: Annotated[nn.Module | None, Nested(kind="models")] = None,
    ) -> None:
        self.mixtures, self.spare, self.single, self.network = mixtures, spare, single, network


def test_nested_things_are_built():
    values = validated(
        Blender,
        {
            "mixtures": [{"name": "subtractive", "weight": 3, "border": "reflect", "sigma": [1, 2]}, {"name": "screen"}],
            "spare": [{"name": "subtractive"}],
            "single": {"name": "subtractive", "kernel": 7},
            "network": {"name": "stacked", "size": "tiny"},
        },
    )
    (first, weight), (_, other) = values["mixtures"]
    assert first == Subtractive(border="reflect", sigma=(1.0, 2.0))
    assert (weight, other) == (3.0, 1.0)
    assert values["spare"] == [Subtractive()]
    assert values["single"] == Subtractive(kernel=7)
    assert isinstance(values["network"], nn.Module)
    assert validated(Blender, {"mixtures": [], "spare": None})["spare"] is None


@pytest.mark.parametrize(
    ("mixtures", "kind", "line"),
    [
        (
            [{"name": "subtractiv"}],
            UnknownNameError,
            "r.yaml:7: losses.1.mixtures.0.name: no mixture named 'subtractiv'; did you mean",
        ),
        (
            [{"name": "glass", "angel": 3}],
            UnknownNameError,
            "r.yaml:7: no setting of glass named 'angel'; did you mean 'angle'? Known: ",
        ),
        (
            [{"name": "glass", "weight": "a"}],
            SettingError,
            "r.yaml:7: losses.1.mixtures.0.weight: expected a number from 0 on; got 'a'",
        ),
        (
            [{"name": "glass", "weight": -1}],
            SettingError,
            "r.yaml:7: losses.1.mixtures.0.weight: expected a number from 0 on; got -1",
        ),
        ([{"name": "glass", "uneven": "a"}], SettingError, "r.yaml:7: losses.1.mixtures.0.uneven: expected a number; got 'a'"),
        (["glass"], SettingError, "r.yaml:7: losses.1.mixtures.0: expected a mapping such as {name: …}; got 'glass'"),
        (
            {"name": "glass"},
            SettingError,
            "r.yaml:7: losses.1.mixtures: expected a list such as [{name: …}]; got {'name': 'glass'}",
        ),
    ],
)
def test_faults_of_nested_things_name_their_place(mixtures, kind, line):
    with pytest.raises(kind) as caught:
        validated(Blender, {"mixtures": mixtures}, where=WHERE)
    assert str(caught.value).startswith(line)


def test_size_then_given_then_settings():
    assert arguments("models", "stacked", {"layers": 3}, size="tiny") == {
        **catalogue.find("models", "stacked").sizes["tiny"],
        "layers": 3,
    }
    chosen = arguments("mixtures", "subtractive", {"kernel": 7}, given={"kernel": 5, "factor": 2.0, "seed": 3})
    assert chosen == {"kernel": 7, "factor": 2.0}
    assert built("mixtures", "subtractive", {"kernel": 7}, given={"seed": 3}) == Subtractive(kernel=7)


def test_unknown_entries_sizes_and_keys_beside_the_settings():
    for kind, name, settings, size, line in [
        ("losses", "l11", {}, None, "r.yaml:7: losses.1.name: no losse"),
        ("models", "stacked", {}, "tini", "r.yaml:7: losses.1.size: no size named 'tini'; did you mean 'tiny'?"),
        ("losses", "l1", {"weigth": 2}, None, "r.yaml:7: no setting of l1 named 'weigth'; did you mean 'weight'?"),
    ]:
        with pytest.raises(UnknownNameError) as caught:
            arguments(kind, name, settings, size=size, where=WHERE)
        assert str(caught.value).startswith(line)


def test_what_a_constructor_refuses_is_located(monkeypatch):
    def build(*, odd: int) -> None:
        raise SettingError(f"odd is odd; got {odd}")

    entry = catalogue.Entry(build=build, source="here")
    monkeypatch.setattr("limpid.recipe.settings.find", lambda kind, name: entry)
    with pytest.raises(SettingError) as caught:
        built("losses", "anything", {"odd": 2}, where=WHERE)
    assert str(caught.value) == "r.yaml:7: losses.1: odd is odd; got 2"


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_every_entry_has_a_readable_signature(kind, name):
    known = parameters(catalogue.find(kind, name).build)
    unclear = [one.name for one in known.values() if one.annotation is Any]
    assert not unclear
    values = {one.name: one.default for one in known.values() if not one.required and one.nested is None and settable(one)}
    given = [one.name for one in known.values() if one.required]
    again = validated(catalogue.find(kind, name).build, values, given=given)
    assert again == values
