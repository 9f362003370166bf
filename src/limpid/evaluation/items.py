"""One image to be measured on: its files, and what they hold when they are opened."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from torch import Tensor

from limpid.data.decode import pixels
from limpid.errors import DataError
from limpid.evaluation.degradations import DegradationCondition
from limpid.evaluation.protocols import SizeRule
from limpid.evaluation.results import Condition
from limpid.image.photo import Photo
from limpid.image.read import MAX_PIXELS, read
from limpid.image.resample import resample
from limpid.metrics.whdr import Judgement, read_judgements

RESTORED = "restored"
"""The layer of clean photos that are degraded on the way."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """An opened item: ``photo`` is what models see, ``truths`` the layers that they should make of it, equal in size.

    All keep the depth of their files, so that large pairs wait in a few bytes per pixel; a degraded photo is float32, neither
    clipped nor rounded. ``judgements``: of people, where there are any. ``native``: (height, width) before the size rule.
    """

    photo: Photo
    truths: Mapping[str, Photo]
    native: tuple[int, int]
    judgements: tuple[Judgement, ...] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width as compared, pixels."""
        return self.photo.height, self.photo.width

    @property
    def held(self) -> int:
        """Bytes that the case keeps."""
        return self.photo.pixels.nbytes + sum(truth.pixels.nbytes for truth in self.truths.values())


@dataclass(frozen=True, kw_only=True)
class Item:
    """One image of a set.

    ``input``: None where it is made from the truth by ``degradation``; ``truths``: layer → file, of those that the set has, the
    first the one that people want; ``drawn``: what makes the clean photo, (H, W, 3) uint8, where no file holds it;
    ``judgements``: file of what people said of it. ``key``: what stands for its files in the cache; ``fault``: why it cannot be
    measured at all, in one line, or empty; ``scene``: that of ``Score``; ``max_pixels`` and ``allow_truncated``: how its files
    are read.
    """

    set: str
    name: str
    input: Path | None
    truths: Mapping[str, Path] = field(hash=False)
    drawn: Callable[[], np.ndarray] | None = field(default=None, compare=False)
    judgements: Path | None = None
    degradation: DegradationCondition | None = None
    key: str = ""
    fault: str = ""
    scene: str = ""
    max_pixels: int = MAX_PIXELS
    allow_truncated: bool = False

    def read(self, path: Path) -> Photo:
        """A photo as this item's files are read. Raises PhotoError, naming the file."""
        return read(path, max_pixels=self.max_pixels, allow_truncated=self.allow_truncated)

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
        photo, truths = self.read(self.input), {layer: self.read(path) for layer, path in self.truths.items()}
        for layer, truth in truths.items():
            if (photo.height, photo.width) != (truth.height, truth.width):
                raise DataError(
                    f"{self.input} is {photo.width}×{photo.height}, but its truth {self.truths[layer]} is"
                    f" {truth.width}×{truth.height}; nothing is resized here: get the pair again or remove it"
                )
        return Case(
            photo=resized(photo, rule),
            truths={layer: resized(truth, rule) for layer, truth in truths.items()},
            native=(photo.height, photo.width),
            judgements=None if self.judgements is None else read_judgements(self.judgements),
        )

    @property
    def files(self) -> tuple[Path, ...]:
        """All files of the item that exist, the input first."""
        return tuple(path for path in (self.input, *self.truths.values(), self.judgements) if path is not None)

    def _degraded(self, degradation: DegradationCondition, rule: SizeRule) -> Case:
        path = next(iter(self.truths.values()), None)
        name = f"{self.set} {self.name}" if path is None else str(path)
        whole = Photo(pixels=self._clean(path), name=name)
        try:
            photo, truth = degradation.apply(resized(whole, rule).pixels, self.name)
        except DataError as fault:
            raise DataError(f"{name} {fault}") from fault
        made = [Photo(pixels=_channels_last(picture), name=name) for picture in (photo, truth)]
        return Case(photo=made[0], truths={RESTORED: made[1]}, native=(made[1].height, made[1].width))

    def _clean(self, path: Path | None) -> np.ndarray:
        if path is not None:
            return pixels(path)
        assert self.drawn is not None
        return self.drawn()


def resized(photo: Photo, rule: SizeRule) -> Photo:
    """The photo at floor-multiples of the rule, by Pillow as the published codes do; the same one where nothing changes.

    Raises DataError for a photo smaller than one multiple.
    """
    height, width = (side // rule.multiple * rule.multiple for side in (photo.height, photo.width))
    if min(height, width) == 0:
        raise DataError(f"{photo.name} is {photo.width}×{photo.height}, below the {rule.multiple} px of the size rule; remove it")
    return resample(photo, height, width, rule.resampling)


def _channels_last(layer: Tensor) -> np.ndarray:
    array: np.ndarray = np.ascontiguousarray(layer.permute(1, 2, 0).numpy())
    return array
