"""What an evaluation found, as plain data: what the tables, the report and ``results.json`` are made of."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

INPUT = "input"
"""Label of the untouched input, the first row of every table."""

Condition = float | str
"""Of a degradation: a strength such as σ, or the name of a kernel."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """One image, one model.

    ``set``, ``item``, ``model``: labels; ``size``: height and width as compared, pixels; ``values``: metric → value, NaN where it
    has none; ``capped``: metric → bands whose PSNR was capped, only non-zero ones; ``seconds`` and ``peak_bytes``: of the model on
    this image, 0 for the input; ``conditions``: of restoration, such as {"noise": 25.0} or {"blur": "big"}; ``traces``: ``input``,
    ``output`` and ``truth`` → path below the report folder, empty when not kept; ``error``: one line when the image could not be
    computed, and then there are no values. ``scene``: what it shows, where photos of a set repeat scenes; empty: itself alone.
    """

    set: str
    item: str
    model: str
    size: tuple[int, int]
    values: Mapping[str, float]
    capped: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    peak_bytes: int = 0
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    traces: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    scene: str = ""


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """What was measured; ``weights``: SHA-256 or empty, ``parameters``: None where nobody knows, ``device`` may be empty."""

    label: str
    description: str
    weights: str = ""
    parameters: int | None = None
    device: str = ""
    precision: str = ""


@dataclass(frozen=True, kw_only=True)
class SetInfo:
    """A set of images.

    ``count``: how many were used; ``expected``: how many the published ones have, in words; ``fingerprint``: SHA-256 over the names
    and hashes of its files; ``note``: what else belongs to a result; ``name``: the catalogued set, or empty; ``whole``: how many
    images the folder holds; ``variant``: which of several in circulation, or empty; ``synthetic``: its pairs are computed.
    """

    label: str
    count: int
    expected: str
    fingerprint: str
    note: str = ""
    name: str = ""
    whole: int = 0
    variant: str = ""
    synthetic: bool = False


@dataclass(frozen=True, kw_only=True)
class MetricInfo:
    """A column: ``name`` in files, ``title`` in tables; ``direction``: which way is better; ``digits``: decimals to print."""

    name: str
    title: str
    unit: str
    direction: Literal["higher", "lower"]
    digits: int
    range: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class PublishedRow:
    """A number that somebody printed: ``set`` is our label of the set, ``source`` where it stands."""

    set: str
    model: str
    metric: str
    value: float
    source: str


@dataclass(frozen=True, kw_only=True)
class Results:
    """Everything of one evaluation; the first of ``metrics`` is the headline, the first of ``models`` the untouched input.

    ``protocol``: its name and a one-line description with the size rule; ``notes``: what a reader must know; ``command``: as typed.
    """

    protocol: str
    models: tuple[ModelInfo, ...]
    sets: tuple[SetInfo, ...]
    metrics: tuple[MetricInfo, ...]
    scores: tuple[Score, ...]
    notes: tuple[str, ...] = ()
    machine: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    command: str = ""
    published: tuple[PublishedRow, ...] = ()


def write_json(results: Results, path: Path) -> None:
    """Write ``results`` as JSON; NaN and infinity become null."""
    text = json.dumps(without_nan(asdict(results)), indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def without_nan(data: Any) -> Any:
    """Plain data with None in place of NaN and infinity, which JSON does not know."""
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, Mapping):
        return {key: without_nan(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [without_nan(value) for value in data]
    return data
