"""Published numbers beside ours: ``published.yaml``, for the sets, measures and size rule of one evaluation.

A number stands beside ours only where the variant, the count of images and the size rule agree with what its table says of them;
what a table does not say is said beside its source.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

import yaml

from limpid.evaluation.results import PublishedRow, SetInfo

_AVERAGE = "average"


def published(sets: Sequence[SetInfo], metrics: Iterable[str], size_rule: str = "native") -> tuple[PublishedRow, ...]:
    """What was printed for these sets under these measures; a paper's average only when all its sets are here and agree."""
    wanted = set(metrics)
    tables = [table for table in _tables() if table.get("size_rule", size_rule) == size_rule]
    found = ((table, {info.name: info.label for info in sets if _agrees(table, info)}) for table in tables)
    return tuple(row for table, labels in found for row in _rows(table, labels) if row.metric in wanted)


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
            if name not in known or values is None:
                continue
            for metric, value in zip(table["metrics"], values, strict=True):
                yield PublishedRow(set=known[name], model=model, metric=metric, value=value, source=_source(table, name))


def _source(table: Mapping[str, Any], name: str) -> str:
    """Where a number stands, and what it does not say."""
    silent = ["size rule"] if "size_rule" not in table else []
    silent += ["variant of Real20"] if name == "real20" and name not in table.get("variants", {}) else []
    return f"{table['source']} ({' and '.join(silent)} not stated)" if silent else str(table["source"])


def _tables() -> list[dict[str, Any]]:
    text = files("limpid.evaluation").joinpath("published.yaml").read_text(encoding="utf-8")
    tables: list[dict[str, Any]] = yaml.safe_load(text)
    return tables
