"""The turns of a cascade, first to last."""

from torch import Tensor

from limpid.image.separation import Separation


def steps_of(layers: Separation, name: str) -> list[Tensor]:
    """``NAME_1``, ``NAME_2``, … in order, each (B, 3, H, W); the layer itself when the network makes it in one go.

    Raises UnknownNameError when there is no such layer.
    """
    stem = f"{name}_"
    numbers = sorted(
        int(step.removeprefix(stem)) for step in layers.steps if step.startswith(stem) and step.removeprefix(stem).isdigit()
    )
    return [layers.steps[f"{stem}{number}"] for number in numbers] or [layers.layer(name)]
