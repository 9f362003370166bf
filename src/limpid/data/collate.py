"""Pairs of one size become a batch, with the layers of a task."""

from collections.abc import Sequence

import torch
from torch import Tensor

from limpid.errors import DataError, SettingError
from limpid.layers.batch import Batch
from limpid.layers.pair import Pair
from limpid.layers.task import Task


def collate(pairs: Sequence[Pair], task: Task) -> Batch:
    """Stack pairs into a batch whose truth holds the layers of ``task``, zeros where nobody knows them.

    Raises DataError for pairs of unequal size, SettingError for a pair that knows none of the layers.
    """
    sizes = {tuple(pair.input.shape[1:]): pair.name for pair in pairs}
    if len(sizes) > 1:
        named = ", ".join(f"{name} {size[1]}×{size[0]}" for size, name in list(sizes.items())[:3])
        raise DataError(f"the photos of a batch must have one size; got {named}. Set data.augment.crop, or data.batch to 1.")
    for pair in pairs:
        _check(pair, task)
    return Batch(
        task=task,
        input=torch.stack([pair.input for pair in pairs]),
        truth={name: torch.stack([_layer(pair, name) for pair in pairs]) for name in task.layers},
        known={name: torch.tensor([name in pair.layers for pair in pairs]) for name in task.layers},
        kinds=tuple(pair.kind for pair in pairs),
        gain=torch.tensor([pair.gain for pair in pairs], dtype=torch.float32),
        names=tuple(pair.name for pair in pairs),
        sources=tuple(pair.source for pair in pairs),
        hint=_hints(pairs) if any(pair.hint is not None for pair in pairs) else None,
    )


def _hints(pairs: Sequence[Pair]) -> Tensor:
    """(B, 1, H, W), zeros where nobody gave a hint."""
    return torch.stack([torch.zeros_like(pair.input[:1]) if pair.hint is None else pair.hint for pair in pairs])


def _layer(pair: Pair, name: str) -> Tensor:
    return pair.layers[name] if name in pair.layers else torch.zeros_like(pair.input)


def _check(pair: Pair, task: Task) -> None:
    if not any(name in pair.layers for name in task.layers):
        held, wanted = ", ".join(pair.layers) or "no layer", ", ".join(task.layers)
        raise SettingError(f"the pair {pair.name} holds {held}, but {task.name} trains {wanted}; choose another source of data")
    for name, layer in pair.layers.items():
        if layer.shape != pair.input.shape:
            shapes = f"{tuple(layer.shape)} for an input of {tuple(pair.input.shape)}"
            raise DataError(f"input and layers of a pair must have one size; {pair.name} has a {name} of {shapes}")
