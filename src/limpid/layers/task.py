"""A task is the names of its layers and the law that composes them."""

from collections.abc import Mapping
from dataclasses import dataclass

from limpid.errors import UnknownNameError


@dataclass(frozen=True, kw_only=True)
class Task:
    """Layers in their order (the first is the one people want), the optional ones, their law, and short names.

    ``rebuilds``: whether the layers of a large photo may be found at a smaller size and rebuilt, as what is taken away is smooth.
    ``signed``: layers with values below 0, which files show around middle grey.
    """

    layers: tuple[str, ...]
    optional: tuple[str, ...] = ()
    law: str
    aliases: Mapping[str, str]
    rebuilds: bool = False
    signed: tuple[str, ...] = ()


TASKS: Mapping[str, Task] = {
    "reflection": Task(
        layers=("transmission", "reflection"),
        optional=("residual",),
        law="I = T + R + residual",
        aliases={"T": "transmission", "R": "reflection"},
        rebuilds=True,
        signed=("residual",),
    ),
    "intrinsic": Task(layers=("albedo", "shading"), law="I = A · S", aliases={"A": "albedo", "S": "shading"}),
    "denoise": Task(layers=("restored",), law="I = restored + noise", aliases={}),
    "deblur": Task(layers=("restored",), law="I = kernel ∗ restored", aliases={}),
}
"""Task name → its layers and law; all values sRGB-encoded, 0…1."""


def layer_name(task: str, wanted: str) -> str:
    """Full name of a layer given by name or alias (``T`` → ``transmission``); names of cascade steps pass through.

    Raises UnknownNameError for anything else.
    """
    layers = TASKS[task].layers + TASKS[task].optional
    name = TASKS[task].aliases.get(wanted, wanted)
    step = name.rpartition("_")
    if name not in layers and not (step[0] in layers and step[2].isdigit()):
        raise UnknownNameError("layer", wanted, (*layers, *TASKS[task].aliases))
    return name
