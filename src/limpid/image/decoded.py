"""What every decoder hands over, before orientation and metadata are dealt with."""

from dataclasses import dataclass, field, fields, replace

import numpy as np

from limpid.errors import PhotoError, TooLargeError
from limpid.layers.pixels import Pixels, white

_DIM = 16
"""A photo of the scale 0…255 is not as dark as that; one of 0…1 may have lights as bright."""


@dataclass(kw_only=True)
class Described:
    """What a file says of its photo, raw.

    ``exif``, ``xmp``, ``icc``, ``iptc``: bytes as found. ``dpi``: dots per inch. ``orientation``: 1…8 where the decoder knows it
    better than EXIF and XMP, else None. ``notes``: for the user.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    icc: bytes | None = None
    iptc: bytes | None = None
    dpi: tuple[float, float] | None = None
    orientation: int | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Header(Described):
    """A file before its pixels are decoded; ``width`` and ``height`` as stored."""

    width: int
    height: int


@dataclass(kw_only=True)
class Decoded(Described):
    """Pixels as stored. ``pixels``: (H, W, C), C = 1 or 3. ``alpha``: (H, W) or None."""

    pixels: Pixels
    alpha: Pixels | None = None

    def described(self, other: Described) -> "Decoded":
        """The same pixels with what ``other`` says of them; the notes of both."""
        said = {one.name: getattr(other, one.name) for one in fields(Described) if one.name != "notes"}
        return replace(self, **said, notes=[*self.notes, *other.notes])


class CutShortError(Exception):
    """The file ends before its photo does, or is damaged on the way; ``fillable`` says whether what is there can be shown."""

    def __init__(self, *, fillable: bool) -> None:
        super().__init__("it is cut short or damaged")
        self.fillable = fillable


def split_alpha(samples: Pixels) -> tuple[Pixels, Pixels | None]:
    """Colour (H, W, 1 or 3) and alpha (H, W) of (H, W), (H, W, 1…4) samples; raises ValueError for other shapes."""
    if samples.ndim == 2:
        samples = samples[..., None]
    if samples.ndim != 3 or not 1 <= samples.shape[2] <= 4:
        raise ValueError(f"expected 1 to 4 channels, got shape {samples.shape}")
    colours = 1 if samples.shape[2] < 3 else 3
    alpha = samples[..., colours] if samples.shape[2] > colours else None
    return samples[..., :colours], alpha


def finite_fractions(samples: np.ndarray, notes: list[str]) -> Pixels:
    """Float samples as float32 in 0…1; ``notes`` gains what was done to them.

    Samples of the scale of 8 or 16 bits (whole numbers, or most of them above 1) are divided by 255 or 65535. NaN and −∞ become
    0, +∞ becomes 1, and up to one in a hundred may lie above 1 and is clamped. Raises ValueError for any other range.
    """
    values: Pixels = samples.astype(np.float32)
    finite = np.isfinite(values)
    broken = int(values.size - np.count_nonzero(finite))
    low, high = (float(edge(values, where=finite, initial=start)) for edge, start in ((np.min, 0), (np.max, 0)))
    if high > 1:
        top = _top(values[finite] if broken else values, low, high)
        if top > 1:
            notes.append(f"samples up to {high:g} taken as 0…{top}")
            values = values / np.float32(top)
    if broken:
        notes.append(f"{broken} NaN or infinite samples replaced")
        values = np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=0.0)
    outside = int(np.count_nonzero((values < 0) | (values > 1)))
    if outside:
        notes.append(f"{outside} samples outside 0…1 clamped")
        values = values.clip(0, 1)
    return values


def _top(values: np.ndarray, low: float, high: float) -> int:
    """White on the scale of samples that reach above 1: 1 (a few brighter ones), 255 or 65535."""
    whole = high > 1.5 and bool((values == np.rint(values)).all())
    if high <= 65535 and (whole or (high > _DIM and np.count_nonzero(values > 1) > values.size / 2)):
        return 255 if high <= 255 else 65535
    if whole or np.count_nonzero(values > 1) > values.size / 100:
        raise ValueError(f"its samples run from {low:g} to {high:g}, expected 0…1, 0…255 or 0…65535")
    return 1


def divide(colour: Pixels, alpha: Pixels) -> Pixels:
    """Colour (H, W, C) stored multiplied by alpha (H, W), divided again; black where alpha is 0."""
    top = white(colour.dtype)
    weight = np.where(alpha > 0, top / np.maximum(alpha, np.finfo(np.float32).tiny), 0.0)[..., None]
    values = (colour * weight).clip(0, top)
    return (values.round() if top > 1 else values).astype(colour.dtype)


def check_size(name: str, width: int, height: int, max_pixels: int) -> None:
    """Raise PhotoError when a photo is empty, TooLargeError when it is larger than allowed."""
    if width < 1 or height < 1:
        raise PhotoError(f"{name}: it is {width}×{height} pixels; a photo needs at least one")
    if width * height > max_pixels:
        raise TooLargeError(
            f"{name}: {width}×{height} is {width * height / 1e6:.1f} megapixels, above the limit of {max_pixels / 1e6:.1f};"
            " raise it with --max-pixels if you trust the file"
        )
