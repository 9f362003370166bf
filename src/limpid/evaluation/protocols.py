"""Protocols as rows of data: which measures with which settings, how outputs are rounded, what happens to sizes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from PIL.Image import Resampling

from limpid import catalogue
from limpid.errors import MissingExtraError, UnknownNameError, UsageError, WeightsError
from limpid.metrics._measure import Metric

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
    """One measure of the catalogue and its settings; an ``optional`` one is left out, aloud, when its weights cannot be had."""

    metric: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How outputs become numbers; the first of ``columns`` is the headline. ``quantise``: ``round`` to 8 bits first, or ``none``.

    Whatever the protocol, outputs are clamped to 0…1 and exact bands of a PSNR are capped and counted.
    """

    says: str
    columns: tuple[Column, ...]
    quantise: Literal["none", "round"] = "none"


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
}


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


def measures(protocol: Protocol, further: Sequence[str], backbone_weights: str) -> tuple[tuple[Metric, ...], list[str]]:
    """The measures of a protocol and ``further`` ones by name, each name once, and notes on what was left out.

    ``backbone_weights``: of learned measures, as on the command line; ``none`` concerns networks alone, since a random measure must
    be asked for by name (``lpips_alex_random``). Raises UnknownNameError for a measure that does not exist, UsageError for one that
    needs something else than a true layer, and what building a measure raises when it was asked for by name.
    """
    made: dict[str, Metric] = {}
    notes = []
    for column in (*protocol.columns, *(Column(name) for name in further)):
        try:
            metric = _build(column, backbone_weights)
        except (WeightsError, MissingExtraError) as fault:
            if not column.optional:
                raise
            notes.append(f"{column.metric} is left out: {fault}")
            continue
        if metric.against != "layer":
            raise UsageError(
                f"--metrics {column.metric} compares with {metric.against}, which these sets do not hold; leave it out"
            )
        made.setdefault(metric.name, metric)
    return tuple(made.values()), notes


def _build(column: Column, backbone_weights: str) -> Metric:
    name = column.metric.removesuffix(_RANDOM)
    settings = dict(column.settings)
    if name.startswith("lpips"):
        pretrained = "pretrained" if backbone_weights == "none" else backbone_weights
        settings["backbone_weights"] = "none" if column.metric.endswith(_RANDOM) else pretrained
    built: Metric = catalogue.find("metrics", name).build(**settings)
    return built
