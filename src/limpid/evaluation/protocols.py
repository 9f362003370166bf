"""Protocols as rows of data: which measures with which settings, how outputs are rounded, what happens to sizes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from PIL.Image import Resampling

from limpid import catalogue
from limpid.catalogue import Settings
from limpid.errors import MissingExtraError, UnknownNameError, UsageError, WeightsError
from limpid.layers.task import MOST_LAYERS, Task
from limpid.metrics._measure import Metric

ALL = "layers"
"""What a measure of all layers of a task at once compares with."""

_RANDOM = "_random"  # ending that asks by name for a network with random weights


@dataclass(frozen=True, kw_only=True)
class SizeRule:
    """Input and truth are resized, before anything else, to floor-multiples of ``multiple`` pixels; 1 keeps them as they are."""

    multiple: int = 1
    resampling: Resampling = Resampling.BICUBIC
    says: str = "native size"


SIZE_RULES = {
    "native": SizeRule(),
    "floor32": SizeRule(multiple=32, says="input and truth resized (bicubic) to floor-multiples of 32, as DSRNet's family does"),
    "floor8": SizeRule(
        multiple=8,
        resampling=Resampling.BILINEAR,
        says="input and truth resized (bilinear) to floor-multiples of 8, as Location-aware SIRR does",
    ),
    "floor4": SizeRule(
        multiple=4,
        resampling=Resampling.BILINEAR,
        says="input and truth resized (bilinear) to floor-multiples of 4, as IBCLN does",
    ),
}


@dataclass(frozen=True)
class Column:
    """One measure of the catalogue and its settings; an ``optional`` one is left out, aloud, when its weights cannot be had.

    ``layer``: which layer is measured, empty for the task's first.
    """

    metric: str
    settings: Settings = field(default_factory=dict)
    optional: bool = False
    layer: str = ""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How outputs become numbers; the first of ``columns`` is the headline. ``quantise``: ``round`` to 8 bits first, or ``none``.

    ``clamped``: networks hand over 0…1, else whatever they answer, which ``columns`` then must not clamp either. Whatever the
    protocol, exact bands of a PSNR are capped and counted.
    """

    says: str
    columns: tuple[Column, ...]
    quantise: Literal["none", "round"] = "none"
    clamped: bool = True


PROTOCOLS = {
    "field": Protocol(
        says="ERRNet's evaluation in float: PSNR as the mean over RGB bands, SSIM with a 7×7 box, NCC, LMSE; outputs not rounded",
        columns=(Column("psnr"), Column("ssim"), Column("ncc"), Column("lmse")),
    ),
    "joint8": Protocol(
        says="WindowSeat's evaluation: outputs rounded to 8 bits, PSNR of one error over RGB, SSIM with a 7×7 box, MS-SSIM, LPIPS",
        columns=(Column("psnr_joint"), Column("ssim"), Column("ms_ssim"), Column("lpips_alex", optional=True)),
        quantise="round",
    ),
    "wang": Protocol(
        says="textbook: PSNR of one error over RGB, SSIM with a Gaussian window on RGB; outputs not rounded",
        columns=(Column("psnr_joint"), Column("ssim_gauss")),
    ),
    "y601": Protocol(
        says="luma of BT.601 (16…235, as MATLAB): PSNR and SSIM with a Gaussian window; outputs not rounded",
        columns=(Column("psnr_y"), Column("ssim_y")),
    ),
    "openrr": Protocol(
        says="OpenRR-1k's evaluation (pyiqa): joint PSNR with 1e-8 added to the error, SSIM with floored contrast, LPIPS",
        columns=(
            Column("psnr_joint", {"offset": 1e-8}),
            Column("ssim_gauss", {"floored": True}),
            Column("lpips_alex", optional=True),
        ),
    ),
    "restoration": Protocol(
        says="tables of denoisers: outputs rounded to 8 bits, PSNR of one error over RGB, SSIM with a Gaussian window, LPIPS",
        columns=(Column("psnr_joint"), Column("ssim_gauss"), Column("lpips_alex", optional=True)),
        quantise="round",
    ),
    "rstor": Protocol(
        says="rstor's tables: outputs neither clamped nor rounded, PSNR of one error over RGB, SSIM with a Gaussian window, LPIPS",
        columns=(
            Column("psnr_joint", {"clamped": False}),
            Column("ssim_gauss", {"clamped": False}),
            Column("lpips_alex", optional=True),  # of the clamped output, there too
        ),
        clamped=False,
    ),
    "intrinsic": Protocol(
        says="USI3D's tables: errors of albedo and shading free of scale (si-MSE, LMSE, DSSIM), WHDR where people have judged",
        columns=(
            *(Column(name, layer=layer) for name in ("si_mse", "lmse", "dssim") for layer in ("", "shading")),
            Column("whdr"),
        ),
    ),
    "layers": Protocol(
        says="PSNR of one error over RGB and SSIM of every numbered layer, in the order of their names; outputs not rounded",
        columns=tuple(
            Column(name, layer=layer)
            for name in ("psnr_joint", "ssim")
            for layer in ("", *(f"layer_{place}" for place in range(2, MOST_LAYERS + 1)))
        ),
    ),
}

USUAL = {
    "reflection": "field",
    "denoise": "restoration",
    "deblur": "restoration",
    "intrinsic": "intrinsic",
    **{f"layers_{count}": "layers" for count in range(2, MOST_LAYERS + 1)},
}
"""Task → the protocol of its tables."""


def find_protocol(name: str) -> Protocol:
    """A protocol by name; raises UnknownNameError with the nearest spelling."""
    if name not in PROTOCOLS:
        raise UnknownNameError("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]


def find_size_rule(name: str) -> SizeRule:
    """A size rule by name; raises UnknownNameError with the nearest spelling."""
    if name not in SIZE_RULES:
        raise UnknownNameError("size rule", name, SIZE_RULES)
    return SIZE_RULES[name]


def measures(
    protocol: Protocol, further: Sequence[str], backbone_weights: str, *, task: Task, known: Collection[str]
) -> tuple[tuple[Metric, ...], list[str]]:
    """The measures of a protocol and ``further`` ones by name, each name once, and notes on what was left out.

    ``further`` may name a layer: ``psnr@reflection``. ``backbone_weights``: of learned measures, as on the command line; ``none``
    concerns networks alone, since a random measure must be asked for by name (``lpips_alex_random``). ``known``: what the sets
    hold, layers of ``task``, ``layers`` where all of them are there, and ``judgements``; measures of a protocol that need something
    else are left out. Raises UnknownNameError for a measure or layer that does not exist, UsageError for one asked for by name that
    needs what is not there, and what building a measure raises when it was asked for by name.
    """
    made: dict[str, Metric] = {}
    notes = []
    wanted = [_column(text, task) for text in further]
    for column in (*protocol.columns, *wanted):
        needed = _against(column, task)
        if needed not in known:
            if column in wanted:
                held = ", ".join(sorted(known)) or "nothing"
                raise UsageError(f"--metrics {column.metric} compares with {needed}, but these sets hold {held}; leave it out")
            continue
        try:
            metric = _build(column, backbone_weights)
        except (WeightsError, MissingExtraError) as fault:
            if not column.optional:
                raise
            notes.append(f"{column.metric} is left out: {fault}")
            continue
        made.setdefault(metric.name, replace(metric, against=needed))
    if not made:
        held = ", ".join(sorted(known)) or "nothing"
        raise UsageError(f"this protocol measures nothing on these sets, which hold {held}; choose another with --protocol")
    return tuple(made.values()), notes


def _build(column: Column, backbone_weights: str) -> Metric:
    name = column.metric.removesuffix(_RANDOM)
    settings = dict(column.settings)
    if name.startswith("lpips"):
        pretrained = "pretrained" if backbone_weights == "none" else backbone_weights
        settings["backbone_weights"] = "none" if column.metric.endswith(_RANDOM) else pretrained
    built: Metric = catalogue.find("metrics", name).build(**settings)
    built = replace(built, identity=f"{built.name} {sorted(column.settings.items())} {built.identity}")
    return built.of(column.layer) if column.layer else built


def _column(text: str, task: Task) -> Column:
    """``psnr`` or ``psnr@R``."""
    metric, _, layer = text.partition("@")
    return Column(metric, layer=task.layer_name(layer) if layer and task.layer_name(layer) != task.primary else "")


def _against(column: Column, task: Task) -> str:
    """What a measure compares with: a layer of the task, or ``judgements``."""
    entry = catalogue.find("metrics", column.metric.removesuffix(_RANDOM))
    return entry.against if entry.against != "layer" else column.layer or task.primary
