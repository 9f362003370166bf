"""The options of what runs networks on photos: ``limpid separate`` and its sisters, ``limpid.separate`` and ``Separator``."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from limpid.errors import SettingError, UnknownNameError, UsageError
from limpid.files import parse_bytes
from limpid.options import DownloadOptions, option

DOUBLE_DIP, DOUBLE_DIP_PERCEPTUAL = "double_dip", "double_dip_perceptual"
"""What ``--model`` calls the method that fits every photo anew, and its variant that also compares maps of EfficientNet-Lite0."""

_MOST_DAMPED = 0.95  # beyond it a change stays for seconds


def parse_size(text: str) -> tuple[int, int]:
    """``480x640`` → (480, 640), height and width in pixels. Raises SettingError."""
    sides = text.lower().replace("×", "x").split("x")
    if len(sides) != 2 or not all(side.isdigit() and int(side) > 0 for side in sides):
        raise SettingError(f"a size is HEIGHTxWIDTH in pixels, e.g. 480x640; got {text!r}")
    return int(sides[0]), int(sides[1])


def _sizes(texts: Sequence[str]) -> tuple[tuple[int, int], ...]:
    return tuple(parse_size(text) if "x" in text.lower() else parse_size(f"{text}x{text}") for text in texts)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


@dataclass(frozen=True, kw_only=True)
class SeparationOptions:
    """How a photo is to be separated.

    ``strength``: 0…1, how far the primary layer moves from the photo to the network's answer. ``resolution``: ``auto``
    separates large photos at a working size and rebuilds full size, ``full`` runs the network on every pixel. ``tile``:
    ``auto``, ``off`` or a side in pixels. ``max_memory``: bytes above the imported process, None for the default. ``hint``: a mask
    of the photo's size as it stands upright, white where the layer that is to be taken off lies, for networks that know hints.
    ``force``: the network is followed even where it finds nothing to remove. ``protect``, ``only``: grey masks of the same size;
    the photo stays as it is where ``protect`` is white and where ``only`` is black, and its layers say so; beyond, the change fades
    in over ``feather`` pixels, None: 1/200 of the longer side. ``steps``, ``preview``: of methods that fit one photo.
    Raises SettingError, UnknownNameError and UsageError.
    """

    strength: float = option(1.0, "0…1: how far to go from the photo to the network's answer.")
    resolution: Literal["auto", "full"] = option("auto", "auto: large photos by guided rebuilding; full: every pixel.")
    tile: str = option("auto", "auto, off or the side of a tile in pixels.")
    steps: int = option(4000, "Of double_dip, which fits each photo anew.", minimum=1)
    preview: str | None = option(None, "PNG that shows the best so far of double_dip.")
    max_memory: int | None = option(None, "Memory above the imported process, e.g. 600MB.", text=parse_bytes)

    hint: Path | None = option(None, "Mask as large as the photo, white where you see the reflection.")
    force: bool = option(False, "Follow the network even where it finds nothing to remove.")
    protect: Path | None = option(None, "Grey mask as large as the photo: what is white stays untouched.", metavar="MASK.png")
    only: Path | None = option(None, "Grey mask as large as the photo: only what is white may change.", metavar="MASK.png")
    feather: int | None = option(None, "Pixels over which these masks fade (1/200 of the longer side).", minimum=0)

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise SettingError(f"--strength lies within 0…1; got {self.strength:g}")
        if self.steps < 1:
            raise SettingError(f"--steps counts from 1; got {self.steps}")
        if self.feather is not None and self.feather < 0:
            raise SettingError(f"--feather counts pixels from 0; got {self.feather}")
        if self.feather is not None and self.protect is None and self.only is None:
            raise UsageError("--feather is how far --protect and --only fade; give one of them a mask")
        if self.tile not in ("auto", "off") and not self.tile.isdigit():
            raise SettingError(f"--tile takes auto, off or a side in pixels; got {self.tile!r}")
        for name in ("hint", "protect", "only"):
            mask = getattr(self, name)
            if mask is not None and not Path(mask).is_file():
                raise UsageError(f"--{name} {mask}: there is no such file; paint a mask on a copy of the photo")
        if self.resolution not in ("auto", "full"):
            raise UnknownNameError("resolution", self.resolution, ("auto", "full"))


def separation_options(options: SeparationOptions) -> SeparationOptions:
    """What wider options say of how a photo is separated, by itself."""
    return SeparationOptions(**{one.name: getattr(options, one.name) for one in fields(SeparationOptions)})


@dataclass(frozen=True, kw_only=True)
class DeviceOptions(DownloadOptions):
    """What networks run on.

    ``backbone_weights``: ``pretrained``, ``none`` (random), or a file or folder, for networks with a backbone; ``weights``: which
    of two sets in a file, ``averaged`` over the steps of its training or those of the last step, ``raw``; ``provider``: what of
    ONNX Runtime runs ONNX files; ``backend``: what runs our own networks on a CPU, ``auto`` what ``limpid bench --save`` chose.
    """

    device: str = option("auto", "auto, cpu, cuda, mps, xpu.")
    precision: str = option("auto", "auto, float32, bfloat16 or float16.")
    backbone_weights: str = option("pretrained", "Of backbones and LPIPS: pretrained, FILE, DIR, or none (random).")
    weights: Literal["averaged", "raw"] = option("averaged", "Of a file with both: averaged or raw.")
    backend: Literal["auto", "torch", "openvino"] = option("auto", "On a CPU: auto, torch or openvino.")
    provider: str = option("auto", "Of ONNX files: auto, cpu, cuda, tensorrt, openvino, coreml, directml, webgpu.")


@dataclass(frozen=True, kw_only=True)
class LoadOptions(SeparationOptions, DeviceOptions):
    """Which network separates one photo, and how: ``model`` and ``task`` as for ``limpid.load``."""

    model: str = option("default", "NAME or FILE.")
    task: str | None = option(None, "reflection, intrinsic, denoise, deblur or layers_N.")


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """Where the work of a command is done: in this process, or by workers of Ray on one machine or many.

    ``workers``: each holds a network of its own; ``threads``: of each, cores; ``address``: of a cluster that runs already, None
    starts one on this machine for as long as the command runs. Raises UsageError for what only Ray knows without it.
    """

    engine: Literal["local", "ray"] = option("local", "local, or ray: by workers on one machine or many.")
    workers: int | None = option(None, "Of ray: how many, each with a network (one per two cores).", minimum=1)
    threads: int | None = option(None, "Of ray: threads of each worker.", minimum=1)
    address: str | None = option(None, "Of ray: a cluster that runs already, e.g. auto.")

    def __post_init__(self) -> None:
        if self.engine not in ("local", "ray"):
            raise UnknownNameError("engine", self.engine, ("local", "ray"))
        given = [name for name in ("workers", "threads", "address") if getattr(self, name) is not None]
        if self.engine != "ray" and given:
            raise UsageError(f"--{given[0]} is for --engine ray; add that, or leave it out")


@dataclass(frozen=True, kw_only=True)
class PhotoOptions(SeparationOptions, DeviceOptions, EngineOptions):
    """What a command makes of which photos, by which networks, into which files; see ``limpid separate --help``.

    Raises UsageError for options that contradict each other.
    """

    photos: Sequence[str] = option(..., "Photos, folders, quoted globs, or - for standard input.", argument=True)
    output: str | None = option(None, "Folder; a file or - for one photo's first layer.", "--output", "-o")
    model: Sequence[str] = option(("default",), "NAME, FILE, hf-hub:OWNER/NAME or LABEL=…; repeatable.", "--model", "-m")
    layers: str | None = option(None, "Layers to write, e.g. T,R, residual (what is left), or residue (what DSRNet learnt).")
    task: str | None = option(None, "layers_2, layers_3, … for networks of numbered layers; else the command's own.")
    max_pixels: int | None = option(None, "Refuse photos with more pixels (default 178,956,970).")
    format: str = option("same", "same, jpg, png, webp, tiff, bmp or avif.")
    quality: int = option(95, "Of lossy formats.", minimum=1, maximum=100)
    frames: Literal["first", "all"] = option("first", "Of GIF, WebP, AVIF, APNG and TIFF with several: first, or all (64 at most).")
    overwrite: bool = option(False, "Replace outputs that exist.")
    skip_existing: bool = option(False, "Leave photos out whose outputs exist.")
    compare: bool = option(False, "Also write a sheet of each photo before and after: the photo, and what each --model made of it.")
    strip_metadata: bool = option(False, "Leave out what the photo says of itself (GPS, EXIF, XMP, IPTC, DPI), and the provenance.")
    provenance: bool = option(
        True, "Note version, weights and settings in the XMP of what is written.", "--provenance/--no-provenance"
    )
    allow_truncated: bool = option(False, "Process cut-off photos, missing rows grey.")
    jobs: int = option(1, "Photos handled beside each other.", minimum=1)
    fail_fast: bool = option(False, "Begin no further photo after one that failed.")
    resume: bool = option(False, "Of ray: go on where the manifest in the output folder stands.")
    as_json: bool = option(False, "One JSON object per photo and a summary on standard output.", "--json")
    quiet: bool = option(False, "Only errors.", "--quiet", "-q")
    verbose: bool = option(False, "Say how each photo was run.", "--verbose", "-v")
    traceback: bool = option(False, "Show where an error came from.")
    dry_run: bool = option(False, "Say what would be done; write nothing.")
    strict: bool = option(False, "Exit code 1 also when folders hold photos that are not read here.")

    def __post_init__(self) -> None:
        SeparationOptions.__post_init__(self)
        EngineOptions.__post_init__(self)
        piped = "-" in (self.output, *self.photos)
        if self.overwrite and self.skip_existing:
            raise UsageError("--overwrite and --skip-existing contradict each other; give one of them")
        if self.quiet and self.verbose:
            raise UsageError("--quiet and --verbose contradict each other; give one of them")
        if self.as_json and self.output == "-":
            raise UsageError("standard output cannot hold both the photo and --json; give one of them a file")
        if self.compare and piped:
            raise UsageError("--compare writes a sheet beside files; name a photo and an output instead of -")
        if self.skip_existing and piped:
            raise UsageError("--skip-existing asks what lies on the disk; name a photo and an output instead of -")
        if self.resume and self.engine != "ray":
            raise UsageError("--resume is for --engine ray; here --skip-existing leaves out what is done")


@dataclass(frozen=True, kw_only=True)
class ExportOptions(DownloadOptions):
    """Which network becomes which ONNX graph; see ``limpid export --help``. Raises SettingError and UsageError.

    ``static``, ``head``: height and width, pixels, or None. ``precision``: what the graph computes in; it is fed and answers in
    float32.
    """

    model: str = option(..., "NAME or FILE.", argument=True)
    output: Path = option(..., "The .onnx or .dtmodel file to write.", argument=True)
    static: tuple[int, int] | None = option(None, "One size, height x width.", metavar="HxW", text=parse_size)
    dynamic: bool = option(False, "Any size (the default).")
    head: tuple[int, int] | None = option(
        None, "Another size for the head, of hypercolumn networks.", metavar="HxW", text=parse_size
    )
    head_only: bool = option(False, "Only the head, fed by the maps of a backbone and the photo.")
    batch: int = option(1, "Photos at once.", minimum=1)
    precision: Literal["float32", "float16"] = option("float32", "float32 or float16.")
    opset: int = option(18, "Version of ONNX's operators.", minimum=18, maximum=23)
    quantise: Literal["dynamic", "static"] | None = option(None, "Eight bits: dynamic or static.")
    calibrate: Path | None = option(None, "Folder of photos that static quantisation measures ranges on.")
    task: str | None = option(None, "reflection, intrinsic, denoise or deblur.")
    backbone_weights: str = option("pretrained", "Of backbones: pretrained, FILE, DIR, or none (random).")
    weights: Literal["averaged", "raw"] = option("averaged", "Of a file with both: averaged or raw.")
    overwrite: bool = option(False, "Replace the file if it exists.")
    as_json: bool = option(False, "One JSON object on standard output.", "--json")

    def __post_init__(self) -> None:
        if self.static is not None and self.dynamic:
            raise UsageError("--static and --dynamic contradict each other; give one of them")
        if self.head is not None and self.static is None:
            raise UsageError("--head needs --static: a graph of any size has no head of its own size")
        if (self.quantise == "static") != (self.calibrate is not None):
            raise UsageError("--quantise static and --calibrate DIR belong together")
        if self.quantise and self.precision != "float32":
            raise UsageError("a graph of eight bits is not one of float16 as well; leave out --precision or --quantise")


@dataclass(frozen=True, kw_only=True)
class BenchOptions(DownloadOptions):
    """Which networks are timed by what; see ``limpid bench --help``. ``size``: heights and widths, pixels."""

    models: Sequence[str] = option(..., "NAME or FILE, several.", argument=True)
    size: Sequence[tuple[int, int]] = option(
        ((512, 512),), "Height x width, repeatable.", metavar="HxW", text=_sizes, repeatable=True
    )
    backend: Sequence[str] = option(
        ("torch", "torch-bf16", "openvino"),
        "torch, torch-bf16, torch-compile, onnx, onnx-int8, openvino, openvino-float32.",
        metavar="NAME[,NAME]",
        text=_words,
    )
    repeats: int = option(3, "Timed forwards of each, in turns; the shortest counts.", minimum=1)
    threads: int = option(1, "Threads of every backend.", minimum=1)
    save: bool = option(False, "Let the fastest one that keeps the quality be the default for these weights on this machine.")
    as_json: bool = option(False, "One JSON object per row.", "--json")


@dataclass(frozen=True, kw_only=True)
class FilmOptions(DeviceOptions):
    """Which film becomes what; see ``limpid film --help``. ``size``: of raw frames. Raises UsageError and SettingError."""

    source: str = option(..., "A film, the number of a camera, or - for raw RGB frames of 8 bits.", argument=True)
    output: str = option(..., "Film to write (.mp4, .avi, .mkv), without sound, or - for raw frames.", "--output", "-o")
    model: str = option("default", "NAME or FILE.", "--model", "-m")
    task: str | None = option(None, "reflection, intrinsic, denoise or deblur.")
    layer: str | None = option(None, "Layer to write; the first one by default.")
    size: tuple[int, int] | None = option(None, "Of raw frames.", metavar="HxW", text=parse_size)
    rate: float = option(25.0, "Frames per second of raw frames and cameras.", minimum=1)
    count: int | None = option(None, "So many frames.", "-n", "--count", minimum=1)
    damp: float = option(0.0, "0…0.95: how much of the change of the frame before stays where the scene stands still.")
    strength: float = option(1.0, "0…1: how far to go from the frame to the network's answer.")
    overwrite: bool = option(False, "Replace the film if it exists.")
    quiet: bool = option(False, "Only errors.", "--quiet", "-q")

    def __post_init__(self) -> None:
        if not 0 <= self.damp <= _MOST_DAMPED:
            raise SettingError(f"--damp lies within 0…{_MOST_DAMPED}; got {self.damp:g}")
        if (self.source == "-") != (self.size is not None):
            raise UsageError("raw frames on standard input need --size HxW, and nothing else takes it")


@dataclass(frozen=True, kw_only=True)
class DecomposeOptions(PhotoOptions):
    """The same for ``limpid decompose``, and what to do with albedo and shading; see ``runtime/edits``."""

    relight: str | None = option(None, "Also write the photo in another light: flat=0…1,warm=−1…1,from=left|right|top|bottom.")
    recolour: Sequence[str] = option((), "MASK=#rrggbb: also write it with things of another colour; repeatable.")
