"""What every metric is: one number for an estimate and the truth, with what a table must know about it.

A metric file holds a function ``name(estimate, target) -> float`` on two (C, H, W) photos, 0…1, sRGB-encoded, and a builder that
wraps it with its settings: ``catalogue.find("metrics", name).build(**settings)`` is a ``Metric``. All of them compute in float64
on the CPU whatever the type, and band by band, so that memory stays at a few bands of the photo. Rules that hold for all:

* Photos of different size are a ShapeError; nothing is ever resized.
* Integers are a DataError (their differences wrap), and so are NaN and infinity, in the estimate as in the truth, and a truth that
  is plainly not 0…1. A network that diverged must never hide in a mean.
* Estimates are clamped to 0…1 (but for the intrinsic measures, which are free of scale, and settings ``clamped``) and not rounded.
* A number is NaN only where the measure itself has no value: correlation of a constant photo, windows of a black truth, no
  judgements. Whoever averages must count those and say so.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from limpid.errors import DataError, ShapeError

_BRIGHTEST = 2.0  # encoded photos end at 1, and the wildest layer of a float file stays well below 8-bit numbers


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A measure with its settings; call it with an estimate and a target.

    ``name``: column in files, unique per meaning; ``title``: heading of a table. ``unit``: ``dB`` or nothing. ``direction``: which
    way is better. ``range``: smallest and largest value. ``digits``: decimals that the field prints. ``against``: the true layer
    that it compares with, all ``layers``, or ``judgements`` of people; empty where that is left to the caller. ``exact``: how many
    bands of a pair were given the cap instead of infinity.
    ``identity``: what else decides the number, settings and weights, by content, so that remembered ones can be told apart.
    ``memory``: bytes that one call needs per pixel beyond the photos, at most (measured on 2304×3456).
    """

    name: str
    title: str
    compute: Callable[[Tensor, Any], float]
    direction: Literal["higher", "lower"]
    range: tuple[float, float]
    unit: str = ""
    digits: int = 4
    against: str = ""
    exact: Callable[[Tensor, Tensor], int] | None = None
    identity: str = ""
    memory: int = 70

    def __call__(self, estimate: Tensor, target: Any) -> float:
        """The number; ``estimate``: (C, H, W). Raises ShapeError and DataError as said above."""
        return self.compute(estimate, target)

    def of(self, layer: str) -> "Metric":
        """The same measure of another layer than a task's first, with a name and a title of its own."""
        return replace(self, name=f"{self.name}_{layer}", title=f"{self.title} {layer}", against=layer)

    def capped(self, estimate: Tensor, target: Tensor) -> int:
        """How many bands were capped because they are exact; 0 where the measure has no cap."""
        return self.exact(estimate, target) if self.exact else 0


def check_values(what: str, photo: Tensor) -> None:
    """Raise DataError unless ``photo`` holds finite floating-point numbers."""
    if not photo.is_floating_point():
        kind = str(photo.dtype).removeprefix("torch.")
        raise DataError(f"the {what} is {kind}, whose differences wrap; expected floats 0…1: divide by the largest {kind}")
    finite = torch.isfinite(photo)
    if not bool(finite.all()):
        bad = finite.numel() - int(finite.sum())
        raise DataError(f"the {what} holds NaN or infinity at {bad} of {finite.numel()} values; nothing can be measured on it")


def check_photos(measure: str, estimate: Tensor, target: Tensor, *, smallest: int = 1) -> None:
    """Raise ShapeError unless both are (C, H, W), equal in size, sides at least ``smallest`` pixels; DataError for bad values."""
    if estimate.shape != target.shape or estimate.ndim != 3:
        shapes = f"{tuple(estimate.shape)} and {tuple(target.shape)}"
        raise ShapeError(f"{measure} compares two (C, H, W) photos of one size; got {shapes}; nothing is resized here")
    if estimate.shape[0] == 0 or min(estimate.shape[1:]) < smallest:
        raise ShapeError(f"{measure} needs sides of at least {smallest} px; got {tuple(estimate.shape)}")
    check_values("estimate", estimate)
    check_values("truth", target)
    brightest = float(target.abs().max())
    if brightest > _BRIGHTEST:
        raise DataError(f"the truth reaches {brightest:g}; expected 0…1: divide 8-bit values by 255")


def bands(
    measure: str, estimate: Tensor, target: Tensor, *, smallest: int = 1, clamped: bool = True
) -> Iterator[tuple[Tensor, Tensor]]:
    """Checked (H, W) float64 bands of estimate and target, one pair at a time, the estimate clamped to 0…1 if ``clamped``."""
    check_photos(measure, estimate, target, smallest=smallest)
    for mine, theirs in zip(estimate.detach().cpu(), target.detach().cpu(), strict=True):
        yield (mine.double().clamp(0, 1) if clamped else mine.double()), theirs.double()
