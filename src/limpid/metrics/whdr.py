"""Weighted human disagreement rate: which of two points of a surface is darker, says the albedo, and says the crowd."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from limpid.catalogue import MetricEntry
from limpid.errors import DataError, SettingError, ShapeError
from limpid.files import parse_json, read_file
from limpid.layers.encoding import to_linear
from limpid.metrics._measure import Metric, check_values

_FLOOR = 1e-10  # lightness of black, so that its ratio to another is defined


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What people said of two points: ``first`` and ``second`` as (x, y), shares 0…1 of width and height.

    ``darker``: ``1``, ``2`` or ``E`` for about equal; ``weight``: how sure the crowd was, above 0.
    """

    first: tuple[float, float]
    second: tuple[float, float]
    darker: str
    weight: float


def read_judgements(path: Path) -> tuple[Judgement, ...]:
    """Judgements of one photo of Intrinsic Images in the Wild (JSON); those without answer or weight or on glass are left out.

    Raises DataError, with the file's name, when it is no such file.
    """
    try:
        content = parse_json(read_file(path))
        points = {point["id"]: point for point in content["intrinsic_points"]}
        made = [_judgement(points, answer) for answer in content["intrinsic_comparisons"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(f"{type(error).__name__} {error}".split())
        raise DataError(f"{path} holds no judgements of Intrinsic Images in the Wild ({reason}); expected its JSON") from error
    return tuple(judgement for judgement in made if judgement is not None)


def _judgement(points: Mapping[int, Mapping[str, Any]], answer: Mapping[str, Any]) -> Judgement | None:
    first, second = points[answer["point1"]], points[answer["point2"]]
    weight = answer["darker_score"]
    if answer["darker"] not in ("1", "2", "E") or weight is None or weight <= 0 or not (first["opaque"] and second["opaque"]):
        return None
    return Judgement(
        first=(float(first["x"]), float(first["y"])),
        second=(float(second["x"]), float(second["y"])),
        darker=answer["darker"],
        weight=float(weight),
    )


def whdr(albedo: Tensor, judgements: Sequence[Judgement], *, delta: float = 0.1, linear: bool = False) -> float:
    """Share of the weight of all judgements that the albedo contradicts; point 1 is darker where l₂ / l₁ > 1 + delta.

    ``albedo``: (3, H, W), sRGB-encoded unless ``linear``; l is the mean of its bands in linear light at a point. 0…1, lower is
    better. NaN without judgements. Raises ShapeError for another shape, DataError for NaN in the albedo.

    >>> import torch
    >>> albedo = torch.cat([torch.full((3, 4, 4), 0.2), torch.full((3, 4, 4), 0.8)], dim=2)  # dark left half
    >>> said = [Judgement(first=(0.1, 0.5), second=(0.9, 0.5), darker=darker, weight=1) for darker in ("1", "1", "2", "E")]
    >>> whdr(albedo, said)
    0.5
    """
    if albedo.ndim != 3 or albedo.shape[0] != 3 or albedo.numel() == 0:
        raise ShapeError(f"WHDR judges an albedo of (3, H, W); got {tuple(albedo.shape)}")
    check_values("albedo", albedo)
    if delta < 0:
        raise SettingError(f"whdr.delta is the ratio above 1 from which points differ, at least 0; got {delta}")
    bands = albedo.detach().cpu().double()
    lightness = (bands if linear else to_linear(bands)).mean(0).clamp(min=_FLOOR)
    total = sum(said.weight for said in judgements)
    wrong = sum(said.weight for said in judgements if _decide(lightness, said, delta) != said.darker)
    return wrong / total if total else math.nan


def _decide(lightness: Tensor, said: Judgement, delta: float) -> str:
    first, second = (_at(lightness, *point) for point in (said.first, said.second))
    if second / first > 1 + delta:
        return "1"
    return "2" if first / second > 1 + delta else "E"


def _at(lightness: Tensor, x: float, y: float) -> float:
    height, width = lightness.shape
    return float(lightness[min(int(y * height), height - 1), min(int(x * width), width - 1)])


def metric(*, delta: float = 0.1, linear: bool = False) -> Metric:
    """WHDR; the settings are those of ``whdr``."""
    return Metric(
        name="whdr",
        title="WHDR",
        compute=partial(whdr, delta=delta, linear=linear),
        direction="lower",
        range=(0.0, 1.0),
        against="judgements",
    )


ENTRY = MetricEntry(
    build=metric,
    source="Bell, Bala & Snavely, SIGGRAPH 2014, doi:10.1145/2601097.2601206",
    tasks=("intrinsic",),
    against="judgements",
)
