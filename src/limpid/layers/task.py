"""A task is the names of its layers and the law that composes them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add, mul, sub
from typing import TYPE_CHECKING

from limpid.errors import SettingError, UnknownNameError

if TYPE_CHECKING:
    from torch import Tensor

FLOOR = 1e-3
"""Where a factor is darker than this, linear light, the other factor is not told from the product."""

_DARKEST = FLOOR * 12.92  # the same, encoded

MOST_LAYERS = 6
"""Of tasks whose layers are numbered."""


@dataclass(frozen=True, kw_only=True)
class Law:
    """How layers compose a photo.

    ``says``: the formula. ``compose``: layers in the task's order → the photo. ``rest``: what is left of the photo when some layers
    are known; together with them it composes the photo again.
    """

    says: str
    compose: Callable[[Sequence["Tensor"]], "Tensor"]
    rest: Callable[["Tensor", Sequence["Tensor"]], "Tensor"]


def _sum(layers: "Sequence[Tensor]") -> "Tensor":
    return reduce(add, layers)


def _linear_product(layers: "Sequence[Tensor]") -> "Tensor":
    from limpid.layers.encoding import to_linear  # torch loads here, so that names of tasks stay quick

    return reduce(mul, map(to_linear, layers))


def _difference(mixed: "Tensor", layers: "Sequence[Tensor]") -> "Tensor":
    return reduce(sub, layers, mixed)


def _lit(layers: "Sequence[Tensor]") -> "Tensor":
    from limpid.layers.encoding import to_encoded

    return to_encoded(_linear_product(layers))


def _unlit(mixed: "Tensor", layers: "Sequence[Tensor]") -> "Tensor":
    from limpid.layers.encoding import to_encoded, to_linear

    return to_encoded(to_linear(mixed) / _linear_product(layers).clamp_min(FLOOR))


ADD = Law(says="I = Σ layers", compose=_sum, rest=_difference)
"""Light adds up."""

MULTIPLY = Law(says="I = Π layers, in linear light", compose=_lit, rest=_unlit)
"""Light is reflected in part."""


def mean_of(count: int) -> Law:
    """The law of ``count`` layers that take equal shares, so that each of them may fill 0…1 as the photo does."""
    return Law(
        says=f"I = Σ layers / {count}",
        compose=lambda layers: _sum(layers) / count,
        rest=lambda mixed, layers: _difference(mixed * count, layers),
    )


@dataclass(frozen=True, kw_only=True)
class Task:
    """Layers in their order (the first is the one people want), the optional ones, their law, and short names.

    ``law``: None where the layers alone do not compose the photo (deblurring: I = kernel ∗ restored). ``rebuilds``: whether the
    layers of a large photo may be found at a smaller size and rebuilt, as what is taken away is smooth. ``learnt``: layers that
    some networks answer with beside these. ``signed``: layers with values below 0, which files show around middle grey.
    ``symmetric``: whether all layers are of one rank, so that scores are means over them and the photo itself is the trivial
    answer for each. ``exact``: whether the last layer of a photo is what the law leaves beside the others, see ``completed``.
    """

    name: str
    layers: tuple[str, ...]
    optional: tuple[str, ...] = ()
    law: Law | None
    aliases: Mapping[str, str] = field(default_factory=dict)
    rebuilds: bool = False
    learnt: tuple[str, ...] = ()
    signed: tuple[str, ...] = ()
    symmetric: bool = False
    exact: bool = False

    @property
    def primary(self) -> str:
        """The layer that people want."""
        return self.layers[0]

    def compose(self, layers: "Mapping[str, Tensor]") -> "Tensor":
        """The photo that the layers make, (…, H, W), from all of the task's layers that are there.

        Raises SettingError for a task without a law, UnknownNameError when a layer that is not optional is missing.
        """
        self._check(layers)
        return self._law().compose([layers[name] for name in (*self.layers, *self.optional) if name in layers])

    def remainder(self, mixed: "Tensor", layers: "Mapping[str, Tensor]") -> "Tensor":
        """What is left of a photo (…, H, W) beside those of the task's layers that are given, by the task's law.

        Raises SettingError for a task without a law.
        """
        return self._law().rest(mixed, [layers[name] for name in self.layers if name in layers])

    def trivial(self, mixed: "Tensor") -> "dict[str, Tensor]":
        """The answer that asks nothing of a method: the photo as first layer and what the law leaves, or as every layer."""
        if self.symmetric:
            return dict.fromkeys(self.layers, mixed)
        first = {self.primary: mixed}
        return {**first, **{name: self.remainder(mixed, first) for name in self.layers[1:]}}

    def completed(self, mixed: "Tensor", layers: "Mapping[str, Tensor]") -> "dict[str, Tensor]":
        """Two layers, 0…1, that compose a photo (…, H, W) by a product, from an estimate of the first one.

        That is made at least as bright as the photo, so that the other one stays within 0…1. Layers of other tasks stay.
        """
        if not self.exact or self.primary not in layers:
            return dict(layers)
        last, first = self.layers[-1], layers[self.primary].maximum(mixed)
        dark, first = first < _DARKEST, first.clamp_min(_DARKEST)
        rest = self.remainder(mixed, {self.primary: first})
        if last in layers:  # where nothing is reflected only the estimate knows the light
            light = layers[last].maximum(mixed).clamp_min(_DARKEST)
            rest, first = light.where(dark, rest), self.remainder(mixed, {last: light}).where(dark, first)
        return {**layers, self.primary: first, last: rest}

    def confined(self, mixed: "Tensor", layers: "Mapping[str, Tensor]", share: "Tensor") -> "dict[str, Tensor]":
        """Layers that change a photo (…, H, W) by a ``share`` (1, H, W), 0…1, of what these do: 0 leaves it as it is.

        Layers that add up to the photo still do; those of a product do once they are ``completed``.
        """
        whole = {self.primary, *(self.layers if self.symmetric else ())}  # layers that are the photo where nothing is changed
        light = 1.0 if self.exact else 0.0  # where nothing is changed, all light on the photo is white, and none is mirrored
        return {
            name: mixed.lerp(layer, share)
            if name in whole
            else share * layer + (1 - share) * (light if name == self.layers[-1] else 0)
            for name, layer in layers.items()
        }

    def layer_name(self, wanted: str) -> str:
        """Full name of a layer given by name or alias (``T`` → ``transmission``); names of cascade steps pass through.

        Raises UnknownNameError for anything else.
        """
        known = self.layers + self.optional + self.learnt
        name = self.aliases.get(wanted, wanted)
        step = name.rpartition("_")
        if name not in known and not (step[0] in known and step[2].isdigit()):
            raise UnknownNameError("layer", wanted, (*known, *self.aliases))
        return name

    def _check(self, layers: "Mapping[str, Tensor]") -> None:
        for name in self.layers:
            if name not in layers:
                raise UnknownNameError(f"layer of these for the task {self.name}", name, layers)

    def _law(self) -> Law:
        if self.law is None:
            raise SettingError(
                f"the layers of the task {self.name} ({', '.join(self.layers)}) do not compose the photo by themselves"
            )
        return self.law


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"layer_{place + 1}" for place in range(count))


TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        Task(
            name="reflection",
            layers=("transmission", "reflection"),
            optional=("residual",),
            law=ADD,
            aliases={"T": "transmission", "R": "reflection"},
            rebuilds=True,
            learnt=("residue",),
            signed=("residual", "residue"),
        ),
        Task(name="intrinsic", layers=("albedo", "shading"), law=MULTIPLY, aliases={"A": "albedo", "S": "shading"}, exact=True),
        Task(name="denoise", layers=("restored",), law=ADD),  # what is left of the photo is its noise
        Task(name="deblur", layers=("restored",), law=None),
        *(
            Task(name=f"layers_{count}", layers=_numbered(count), law=mean_of(count), symmetric=True)
            for count in range(2, MOST_LAYERS + 1)
        ),
    )
}
"""Task name → its layers and law; all values sRGB-encoded, 0…1."""


def find_task(name: str) -> Task:
    """The task of that name; raises UnknownNameError with the nearest spelling."""
    if name not in TASKS:
        raise UnknownNameError("task", name, TASKS)
    return TASKS[name]
