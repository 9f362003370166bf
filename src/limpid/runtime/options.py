"""The options of what runs networks on photos: ``limpid separate`` and its sisters, ``limpid.separate`` and ``Separator``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from limpid.errors import SettingError, UnknownNameError
from limpid.files import parse_bytes
from limpid.options import option


@dataclass(frozen=True, kw_only=True)
class SeparationOptions:
    """How a photo is to be separated.

    ``strength``: 0…1, how far the primary layer moves from the photo to the network's answer. ``resolution``: ``auto``
    separates large photos at a working size and rebuilds full size, ``full`` runs the network on every pixel. ``tile``:
    ``auto``, ``off`` or a side in pixels. ``steps``, ``preview``: of methods that fit one photo. ``max_memory``: bytes above the
    imported process, None for the default. Raises SettingError and UnknownNameError.
    """

    strength: float = option(1.0, "0…1: how far to go from the photo to the network's answer.")
    resolution: Literal["auto", "full"] = option("auto", "auto: large photos by guided rebuilding; full: every pixel.")
    tile: str = option("auto", "auto, off or the side of a tile in pixels.")
    steps: int = option(4000, "Of double_dip, which fits each photo anew.", minimum=1)
    preview: str | None = option(None, "PNG that shows the best so far of double_dip.")
    max_memory: int | None = option(None, "Memory above the imported process, e.g. 600MB.", text=parse_bytes)

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise SettingError(f"--strength lies within 0…1; got {self.strength:g}")
        if self.steps < 1:
            raise SettingError(f"--steps counts from 1; got {self.steps}")
        if self.resolution not in ("auto", "full"):
            raise UnknownNameError("resolution", self.resolution, ("auto", "full"))


@dataclass(frozen=True, kw_only=True)
class DeviceOptions:
    """What networks run on.

    ``backbone_weights``: ``pretrained``, ``none`` (random), or a file or folder, for networks with a backbone.
    """

    device: str = option("auto", "auto, cpu, cuda, mps, xpu.")
    precision: str = option("auto", "auto, float32, bfloat16 or float16.")
    backbone_weights: str = option("pretrained", "Of backbones and LPIPS: pretrained, FILE, DIR, or none (random).")


@dataclass(frozen=True, kw_only=True)
class LoadOptions(SeparationOptions, DeviceOptions):
    """Which network separates one photo, and how: ``model`` and ``task`` as for ``limpid.load``."""

    model: str = option("default", "NAME or FILE.")
    task: str | None = option(None, "reflection, intrinsic, denoise, deblur or layers_N.")


@dataclass(frozen=True, kw_only=True)
class PhotoOptions(SeparationOptions, DeviceOptions):
    """What a command makes of which photos, by which networks, into which files; see ``limpid separate --help``."""

    photos: Sequence[str] = option(..., "Photos, folders, quoted globs, or - for standard input.", argument=True)
    output: str | None = option(None, "Folder; a file or - for one photo's first layer.", "--output", "-o")
    model: Sequence[str] = option(("default",), "NAME, FILE or LABEL=FILE; repeatable.", "--model", "-m")
    layers: str | None = option(None, "Layers to write, e.g. T,R or transmission,residual.")
    task: str | None = option(None, "layers_2, layers_3, … for networks of numbered layers; else the command's own.")
    max_pixels: int | None = option(None, "Refuse photos with more pixels (default 178,956,970).")
    format: str = option("same", "same, jpg, png, webp, tiff, bmp or avif.")
    quality: int = option(95, "Of lossy formats.", minimum=1, maximum=100)
    overwrite: bool = option(False, "Replace outputs that exist.")
    skip_existing: bool = option(False, "Leave photos out whose outputs exist.")
    allow_truncated: bool = option(False, "Process cut-off photos, missing rows grey.")
    jobs: int = option(1, "Photos handled beside each other.", minimum=1)
    as_json: bool = option(False, "One JSON object per photo and a summary on standard output.", "--json")
    quiet: bool = option(False, "Only errors.", "--quiet", "-q")
    verbose: bool = option(False, "Say how each photo was run.", "--verbose", "-v")
    traceback: bool = option(False, "Show where an error came from.")
    dry_run: bool = option(False, "Say what would be done; write nothing.")


@dataclass(frozen=True, kw_only=True)
class DecomposeOptions(PhotoOptions):
    """The same for ``limpid decompose``, and what to do with albedo and shading; see ``runtime/edits``."""

    relight: str | None = option(None, "Also write the photo in another light: flat=0…1,warm=−1…1,from=left|right|top|bottom.")
    recolour: Sequence[str] = option((), "MASK=#rrggbb: also write it with things of another colour; repeatable.")
    compare: bool = option(False, "Also write a sheet: the photo and what each --model made of it.")
