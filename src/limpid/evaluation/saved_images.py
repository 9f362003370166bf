"""Input, output and truth of an image as files below the report: what a reader looks at beside a number."""

import hashlib
import math
import re
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from limpid.evaluation.items import Case, Item
from limpid.evaluation.methods import Estimate
from limpid.evaluation.results import INPUT, Score
from limpid.image.write import write

FOLDER = "traces"

WORST, BEST = 6, 2
"""How many images of each model are kept for the report when not all are."""

Place = tuple[Item, str]
"""One score: an image and the label of a model."""

_UNSAFE = re.compile(r"[^\w.+-]+")


def save(report: Path, item: Item, case: Case, label: str, key: str, estimate: Estimate) -> None:
    """Write what is not there yet of ``names_of``, 8 bits, below ``report``.

    ``key``: of the score, so that the files of other weights are never taken for these. Raises PhotoError when writing fails.
    """
    names = names_of(item, label, key)
    for role, name in names.items():
        path = report / name
        if not path.exists():
            write(_shown(role, case, estimate), path, format="png")


def names_of(item: Item, label: str, key: str) -> dict[str, str]:
    """``input``, ``output`` and ``truth`` → path below the report folder; the input has no output beside itself."""
    place = f"{FOLDER}/{_safe(item.set)}/{_safe(item.name)}"
    mark = hashlib.sha256(item.key.encode()).hexdigest()[:8]
    names = {"input": f"{place}.{mark}.input.png"} | ({"truth": f"{place}.{mark}.truth.png"} if item.truths or item.drawn else {})
    return names if label == INPUT else {**names, "output": f"{place}.{_safe(label)}.{key[:8]}.png"}


def worst_and_best(scores: Sequence[tuple[Place, Score]], metric: str, *, higher: bool) -> list[Place]:
    """The places of the ``WORST`` and ``BEST`` images of each model by ``metric``, as far as they have one; none of the input."""
    chosen: list[Place] = []
    for model in dict.fromkeys(score.model for _, score in scores if score.model != INPUT):
        mine = [(score.values[metric], place) for place, score in scores if score.model == model]
        mine = sorted((pair for pair in mine if math.isfinite(pair[0])), key=lambda pair: pair[0], reverse=not higher)
        chosen += [place for _, place in mine[:WORST] + mine[max(WORST, len(mine) - BEST) :]]
    return chosen


def _shown(role: str, case: Case, estimate: Estimate) -> Tensor:
    if role == "output":
        return next(iter(estimate.layers.values()))
    return case.photo.tensor() if role == "input" else next(iter(case.truths.values())).tensor()


def _safe(name: str) -> str:
    return _UNSAFE.sub("_", name)
