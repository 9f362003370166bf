"""One image to be measured on: its files, and what they hold when they are opened."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from limpid.data.decode import pixels
from limpid.errors import DataError
from limpid.evaluation.degradations import DegradationCondition
from limpid.evaluation.protocols import SizeRule
from limpid.evaluation.results import Condition
from limpid.image.photo import Photo
from limpid.image.read import read


@dataclass(frozen=True, kw_only=True)
class Case:
    """An opened item: ``photo`` is what models see, ``truth`` what they should make of it, equal in size.

    Both keep the depth of their files, so that a large pair waits in a few bytes per pixel; a degraded photo is float32, neither
    clipped nor rounded. ``native``: (height, width) before the size rule.
    """

    photo: Photo
    truth: Photo
    native: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width as compared, pixels."""
        return self.truth.height, self.truth.width

    @property
    def held(self) -> int:
        """Bytes that the case keeps."""
        return self.photo.pixels.nbytes + self.truth.pixels.nbytes


@dataclass(frozen=True, kw_only=True)
class Item:
    """One image of a set. ``input``: None where it is made from the truth by ``degradation``.

    ``key``: what stands for its files in the cache; ``fault``: why it cannot be measured at all, in one line, or empty.
    """

    set: str
    name: str
    input: Path | None
    truth: Path
    degradation: DegradationCondition | None = None
    key: str = ""
    fault: str = ""

    @property
    def conditions(self) -> Mapping[str, Condition]:
        """Of the degradation; none for a pair."""
        return self.degradation.conditions if self.degradation else {}

    def open(self, rule: SizeRule) -> Case:
        """Read the files and apply the size rule.

        Raises PhotoError for a file that cannot be read and DataError for one that does not fit, always naming it.
        """
        if self.fault:
            raise DataError(self.fault)
        if self.degradation is not None:
            return self._degraded(self.degradation, rule)
        assert self.input is not None
        photo, truth = read(self.input), read(self.truth)
        if (photo.height, photo.width) != (truth.height, truth.width):
            raise DataError(
                f"{self.input} is {photo.width}×{photo.height}, but its truth {self.truth} is {truth.width}×{truth.height};"
                " nothing is resized here: get the pair again or remove it"
            )
        native = (photo.height, photo.width)
        return Case(photo=resized(photo, rule), truth=resized(truth, rule), native=native)

    def _degraded(self, degradation: DegradationCondition, rule: SizeRule) -> Case:
        whole = Photo(pixels=pixels(self.truth), name=str(self.truth))
        try:
            photo, truth = degradation.apply(resized(whole, rule).pixels, self.name)
        except DataError as fault:
            raise DataError(f"{self.truth} {fault}") from fault
        made = [Photo(pixels=_channels_last(layer), name=str(self.truth)) for layer in (photo, truth)]
        return Case(photo=made[0], truth=made[1], native=(made[1].height, made[1].width))


def resized(photo: Photo, rule: SizeRule) -> Photo:
    """The photo at floor-multiples of the rule, by Pillow as the published codes do; the same one where nothing changes.

    Raises DataError for a photo smaller than one multiple.
    """
    height, width = (side // rule.multiple * rule.multiple for side in (photo.height, photo.width))
    if min(height, width) == 0:
        raise DataError(f"{photo.name} is {photo.width}×{photo.height}, below the {rule.multiple} px of the size rule; remove it")
    if (height, width) == (photo.height, photo.width):
        return photo
    if photo.pixels.dtype == np.uint8 and not photo.grey:
        made = np.asarray(Image.fromarray(photo.pixels).resize((width, height), rule.resampling))
    else:  # Pillow has no colour in more than 8 bits
        channels = [
            np.asarray(Image.fromarray(channel.astype(np.float32)).resize((width, height), rule.resampling))
            for channel in np.moveaxis(photo.pixels, 2, 0)
        ]
        floats = np.stack(channels, axis=2)
        limits = np.iinfo(photo.pixels.dtype) if photo.pixels.dtype.kind == "u" else None
        made = floats if limits is None else floats.round().clip(limits.min, limits.max).astype(photo.pixels.dtype)
    return replace(photo, pixels=np.ascontiguousarray(made), alpha=None)


def _channels_last(layer: Tensor) -> np.ndarray:
    array: np.ndarray = np.ascontiguousarray(layer.permute(1, 2, 0).numpy())
    return array
