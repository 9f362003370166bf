"""Pairs of one size become a batch, their layers under the names that the network gives them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from limpid.errors import DataError, SettingError
from limpid.layers.batch import Batch
from limpid.layers.pair import Pair

REFLECTION = ("transmission", "reflection")
"""Layers of photos through glass of which a pair may know the truth."""


def collate(pairs: Sequence[Pair], layers: tuple[str, ...]) -> Batch:
    """Stack pairs into a batch for a network that answers with ``layers``.

    With ``transmission`` among them the truth holds that and the reflection, zeros where nobody knows it; with a single other
    one (``restored``) it holds that, from ``Pair.transmission``. Further layers (a residual) have no truth. Raises DataError for
    pairs of unequal size, SettingError for several layers that pairs do not hold.
    """
    sizes = {tuple(pair.input.shape[1:]): pair.name for pair in pairs}
    if len(sizes) > 1:
        named = ", ".join(f"{name} {size[1]}×{size[0]}" for size, name in list(sizes.items())[:3])
        raise DataError(f"the photos of a batch must have one size; got {named}. Set data.augment.crop, or data.batch to 1.")
    for pair in pairs:
        if pair.transmission.shape != pair.input.shape:
            shapes = f"{tuple(pair.transmission.shape)} for an input of {tuple(pair.input.shape)}"
            raise DataError(f"input and target of a pair must have one size; {pair.name} has a target of {shapes}")
    truth, known = _truth(pairs, layers)
    return Batch(
        input=torch.stack([pair.input for pair in pairs]),
        truth=truth,
        known=known,
        kinds=tuple(pair.kind for pair in pairs),
        gain=torch.tensor([pair.gain for pair in pairs], dtype=torch.float32),
        names=tuple(pair.name for pair in pairs),
    )


def _truth(pairs: Sequence[Pair], layers: tuple[str, ...]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    targets = torch.stack([pair.transmission for pair in pairs])
    certain = torch.ones(len(pairs), dtype=torch.bool)
    if "transmission" not in layers:
        if len(layers) != 1:
            raise SettingError(f"pairs hold a transmission and a reflection, or one restored layer; the network has {layers}")
        return {layers[0]: targets}, {layers[0]: certain}
    reflections = [pair.reflection if pair.reflection is not None else torch.zeros_like(pair.input) for pair in pairs]
    seen = torch.tensor([pair.reflection is not None for pair in pairs])
    truth = {"transmission": targets, "reflection": torch.stack(reflections)}
    known = {"transmission": certain, "reflection": seen}
    wanted = [name for name in REFLECTION if name in layers]
    return {name: truth[name] for name in wanted}, {name: known[name] for name in wanted}
