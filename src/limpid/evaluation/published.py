"""Published numbers beside ours: ``published.yaml``, for the sets, measures and size rule of one evaluation.

A number stands beside ours only where the variant, the count of images, the size rule and, for photos that are degraded here, the
degradation and the crop agree with what its table says of them; what a table does not say is said beside its source.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

import yaml

from limpid.evaluation.degradations import DegradationCondition
from limpid.evaluation.results import PublishedRow, SetInfo
from limpid.evaluation.summary import Group

_AVERAGE = "average"


def published(sets: Sequence[SetInfo], metrics: Iterable[str], size_rule: str = "native") -> tuple[PublishedRow, ...]:
    """What was printed for these pairs under these measures; a paper's average only when all its sets are here and agree."""
    wanted = set(metrics)
    tables = [table for table in _of(size_rule) if "conditions" not in table]
    found = ((table, {info.name: info.label for info in sets if _agrees(table, info)}) for table in tables)
    return tuple(row for table, labels in found for row in _rows(table, labels) if row.metric in wanted)


def published_degraded(
    info: SetInfo, degradations: Sequence[DegradationCondition], metrics: Iterable[str], size_rule: str = "native"
) -> tuple[PublishedRow, ...]:
    """What was printed for clean photos under these degradations, in these crops."""
    wanted = set(metrics)
    tables = [table for table in _of(size_rule) if "conditions" in table and _agrees(table, info)]
    rows = (row for table in tables for row in _degraded_rows(table, info, degradations) if row.metric in wanted)
    return tuple(dict.fromkeys(rows))  # several draws of one condition stand in one row


def _degraded_rows(table: Mapping[str, Any], info: SetInfo, degradations: Sequence[DegradationCondition]) -> Iterator[PublishedRow]:
    for place, (name, condition) in enumerate(zip(table["sets"], table["conditions"], strict=True)):
        for degradation in degradations:
            if name == info.name and _is(table, info, degradation, condition):
                label = Group(set=info.label, conditions=degradation.conditions, scores={}).label
                for model, cells in table["rows"].items():
                    yield from _cell(table, name, label, model, cells[place])


def _is(table: Mapping[str, Any], info: SetInfo, degradation: DegradationCondition, condition: Mapping[str, float]) -> bool:
    """Whether photos are degraded and cropped as those of a table, by us or, where the crops are a variant, before."""
    side = table.get("crops", {}).get(info.name)
    cropped = degradation.crop == (None if side is None else (side, side))
    before = side is not None and degradation.crop is None and info.variant == f"crop{side}"
    ours = {name: value for name, value in degradation.conditions.items() if name != "size"}
    return (cropped or before) and ours == condition


def _of(size_rule: str) -> list[dict[str, Any]]:
    return [table for table in _tables() if table.get("size_rule", size_rule) == size_rule]


def _agrees(table: Mapping[str, Any], info: SetInfo) -> bool:
    """Whether a set is the very one of a table, as far as the table says."""
    count, variant = table.get("counts", {}).get(info.name), table.get("variants", {}).get(info.name)
    return bool(info.name) and count in (None, info.count) and variant in (None, info.variant)


def averaged(sets: Sequence[SetInfo]) -> dict[str, tuple[str, ...]]:
    """Name of each published average that can be had here → labels of its sets, every image of which counts once."""
    labels = {info.name: info.label for info in sets if info.name}
    found = (_average(table, labels) for table in _tables())
    return {_named(members): members for members in found if members}


def _average(table: Mapping[str, Any], labels: Mapping[str, str]) -> tuple[str, ...]:
    """Labels of the sets in the average of a table in our order, empty when it has none or one is not here."""
    names = [name for name in table["sets"] if name != _AVERAGE]
    if _AVERAGE not in table["sets"] or not set(names) <= set(labels):
        return ()
    return tuple(label for name, label in labels.items() if name in names)


def _named(members: Sequence[str]) -> str:
    return f"{' + '.join(members)}, by image"


def _rows(table: Mapping[str, Any], labels: Mapping[str, str]) -> Iterator[PublishedRow]:
    members = _average(table, labels)
    known = {**labels, **({_AVERAGE: _named(members)} if members else {})}
    for model, cells in table["rows"].items():
        for name, values in zip(table["sets"], cells, strict=True):
            if name in known:
                yield from _cell(table, name, known[name], model, values)


def _cell(
    table: Mapping[str, Any], name: str, label: str, model: str, values: Sequence[float | None] | None
) -> Iterator[PublishedRow]:
    """The numbers of one model on one set, those that were printed."""
    for metric, value in zip(table["metrics"], values or [None] * len(table["metrics"]), strict=True):
        if value is not None:
            yield PublishedRow(set=label, model=model, metric=metric, value=value, source=_source(table, name))


def _source(table: Mapping[str, Any], name: str) -> str:
    """Where a number stands, and what it does not say."""
    silent = ["size rule"] if "size_rule" not in table else []
    silent += ["variant of Real20"] if name == "real20" and name not in table.get("variants", {}) else []
    return f"{table['source']} ({' and '.join(silent)} not stated)" if silent else str(table["source"])


def _tables() -> list[dict[str, Any]]:
    text = files("limpid.evaluation").joinpath("published.yaml").read_text(encoding="utf-8")
    tables: list[dict[str, Any]] = yaml.safe_load(text)
    return tables
