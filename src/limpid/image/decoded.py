"""What every decoder hands over, before orientation and metadata are dealt with."""

from dataclasses import dataclass, field

import numpy as np

from limpid.errors import PhotoError
from limpid.layers.pixels import Pixels


@dataclass(kw_only=True)
class Decoded:
    """Pixels as stored, with the raw metadata.

    ``pixels``: (H, W, C), C = 1 or 3. ``alpha``: (H, W) or None. ``exif``, ``xmp``, ``icc``: bytes as found. ``dpi``: dots per
    inch. ``orientation``: 1…8 where the decoder knows it better than the EXIF block, else None. ``notes``: for the user.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    icc: bytes | None = None
    dpi: tuple[float, float] | None = None
    orientation: int | None = None
    notes: list[str] = field(default_factory=list)


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
    """Float samples as float32 in 0…1: NaN and −∞ become 0, +∞ becomes 1, the rest is clamped; each is counted in a note."""
    values: Pixels = samples.astype(np.float32)
    broken = int(np.count_nonzero(~np.isfinite(values)))
    if broken:
        notes.append(f"{broken} NaN or infinite samples replaced")
        values = np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=0.0)
    outside = int(np.count_nonzero((values < 0) | (values > 1)))
    if outside:
        notes.append(f"{outside} samples outside 0…1 clamped")
        values = values.clip(0, 1)
    return values


def check_size(name: str, width: int, height: int, max_pixels: int) -> None:
    """Raise PhotoError when a photo is empty or larger than allowed."""
    if width < 1 or height < 1:
        raise PhotoError(f"{name}: it is {width}×{height} pixels; a photo needs at least one")
    if width * height > max_pixels:
        raise PhotoError(
            f"{name}: {width}×{height} is {width * height / 1e6:.1f} megapixels, above the limit of {max_pixels / 1e6:.1f};"
            " raise it with --max-pixels if you trust the file"
        )
