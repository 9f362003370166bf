"""The options of ``limpid evaluate`` and ``limpid.evaluate``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from limpid.errors import UsageError
from limpid.files import parse_bytes
from limpid.options import option
from limpid.runtime.options import DeviceOptions, EngineOptions
from limpid.runtime.photo_jobs import labelled


def _folders(given: Sequence[str]) -> dict[str, Path]:
    """Label → folder of texts like NAME=DIR."""
    folders: dict[str, Path] = {}
    for text in given:
        label, equals, folder = text.partition("=")
        if not equals or not label or not folder:
            raise UsageError(f"--outputs takes NAME=DIR; got {text!r}")
        if label in folders:
            raise UsageError(f"two folders of outputs are called {label!r}; choose another label")
        folders[label] = Path(folder).expanduser()
    return folders


def _sides(text: str) -> tuple[int | tuple[int, int], ...]:
    """``500``, ``128,256`` or ``512x512,256x128``."""
    sides = [part.strip().lower().split("x") for part in text.split(",")]
    if not all(len(side) <= 2 and all(number.isdigit() and int(number) > 0 for number in side) for side in sides):
        raise UsageError(f"--crop takes sides, or widths and heights, in pixels, e.g. 500 or 512x512,256x128; got {text!r}")
    return tuple(int(side[0]) if len(side) == 1 else (int(side[0]), int(side[1])) for side in sides)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(DeviceOptions, EngineOptions):
    """What is to be evaluated.

    ``models``: label → name or file of a network; ``outputs``: label → folder of what other code made; ``on``: sets, as ``SET``,
    ``SET=DIR``, ``DIR`` or ``dead_leaves_live[:SETTING=VALUE…]``, which is drawn; ``suite``: a collection of sets by name, whose
    folders ``roots`` (a YAML file) or the settings of this machine name. ``degrade``: conditions of restoration, none for pairs,
    with ``crop``, centre crops by their side or by width and height in pixels, ``seed``, and ``export``, a folder that takes what
    models see and the truth as 32-bit TIFF. ``count``: so many images of each set, None for all; ``max_memory``: bytes above the
    imported process, None for the default of the machine; ``max_pixels`` and ``allow_truncated``: as for ``limpid.read``;
    ``metrics``: measures besides those of the protocol, ``METRIC`` or ``METRIC@LAYER``; ``command``: as typed, for the report.
    """

    models: Mapping[str, str] = option({}, "NAME, FILE or LABEL=FILE; repeatable.", "--model", "-m", text=labelled, repeatable=True)
    outputs: Mapping[str, Path] = option(
        {}, "Outputs of other code, by stem; repeatable.", metavar="NAME=DIR", text=_folders, repeatable=True
    )
    on: Sequence[str] = option((), "Set, folder, or both; repeatable.", metavar="SET[=DIR]")
    suite: str | None = option(None, "Sets by one name: sirr (reflection removal) or restoration (noise and blur).")
    roots: Path | None = option(None, "YAML of `SET: folder` lines for --suite.")
    protocol: str | None = option(None, "field, joint8, wang, y601, openrr, restoration, rstor or intrinsic (that of the task).")
    size_rule: str = option("native", "native, floor32, floor8 or floor4.")
    metrics: Sequence[str] = option((), "Further measures, e.g. lpips_vgg,psnr_y,psnr@reflection.", text=_names)
    degrade: Sequence[str] = option(
        (), "noise:sigma=5,25 or blur:kernels=mild,big[:file=…], gauss:width=…, jpeg:quality=…; repeatable.", metavar="KIND:…"
    )
    crop: Sequence[int | tuple[int, int]] = option(
        (), "With --degrade: centre crops, 500 or 512x256.", metavar="N[xN][,…]", text=_sides
    )
    export: Path | None = option(None, "With --degrade: write the degraded photos here, 32-bit TIFF.")
    seed: int = option(0, "With --degrade: of noise and kernels.", minimum=0)
    report: Path = option(Path("evaluation"), "Folder of tables, report and remembered scores.")
    count: int | None = option(None, "So many images of each set.", "-n", "--count", minimum=1)
    traces: Literal["all", "worst", "none"] = option("worst", "Of which images input, output and truth are saved.")
    max_pixels: int | None = option(None, "Refuse photos with more pixels (default 178,956,970).")
    allow_truncated: bool = option(False, "Measure on cut-off photos too, missing rows grey.")
    jobs: int = option(1, "Processes beside each other; --max-memory is shared.", minimum=1)
    max_memory: int | None = option(None, "Memory above the imported process, e.g. 2GB.", text=parse_bytes)
    resolution: Literal["full", "auto"] = option("full", "full: every pixel; auto: as `limpid separate`.")
    command: str = option("", "As typed.", hidden=True)
    quiet: bool = option(False, "Only errors.", "--quiet", "-q")
