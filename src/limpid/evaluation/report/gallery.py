"""The images on which a model did worst and best, with the input, every model's output and the truth to compare."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from limpid.errors import PhotoError
from limpid.evaluation.report.elements import Block, Heading, Lines, Picture, Scene
from limpid.evaluation.report.tables import number
from limpid.evaluation.results import INPUT, MetricInfo, Results
from limpid.evaluation.summary import Group
from limpid.image.read import read
from limpid.layers.pixels import quantise

BUDGET = 10_000_000
"""Characters of the page that photos may take."""

EACH = 3
"""How many of the worst and of the best are shown, of each model in each group."""


@dataclass(frozen=True)
class Pick:
    """An item and its place among the ``count`` that ``model`` scored in ``group``: ``place`` 1 has the best headline value."""

    group: Group
    item: str
    model: str
    place: int
    count: int

    def why(self, metric: MetricInfo) -> str:
        """In words, e.g. ``errnet: place 4 of 100, PSNR +2.31 dB against the input``."""
        before, after = (self.group.values(label, metric.name).get(self.item) for label in (INPUT, self.model))
        place = f"{self.model}: place {self.place} of {self.count}"
        if before is None or after is None:
            return place
        gain = f"{number(after - before, metric.digits, signed=True)} {metric.unit}".rstrip()
        return f"{place}, {metric.title} {gain} against the input"


def scenes(results: Results, groups: Sequence[Group], folder: Path) -> tuple[Block, ...]:
    """The worst images and the best, as far as their traces below ``folder`` were kept and ``BUDGET`` allows."""
    shown: dict[str, list[Block]] = {"Worst": [], "Best": []}
    left, remarks = BUDGET, []
    for order, (side, picks) in enumerate(_chosen(results, groups)):
        try:
            scene = _scene(f"scene{order}", picks, results, folder)
        except PhotoError as fault:
            remarks.append(f"{picks[0].item} is not shown: {fault}")
            continue
        left -= sum(len(picture.uri) for picture in scene.pictures)
        if left < 0:
            remarks.append("Further images were left out to keep this page small.")
            break
        shown[side].append(scene)
    blocks = [block for side, found in shown.items() if found for block in (Heading(text=side), *found)]
    return (*blocks, Lines(lines=tuple(remarks))) if remarks else tuple(blocks)


def _chosen(results: Results, groups: Sequence[Group]) -> list[tuple[str, list[Pick]]]:
    """Side and picks of every item to show, most telling first: each model's worst, each one's best, then the second of each."""
    worst, best = [], []
    for group in groups:
        for model in results.models:
            ranking = _ranking(group, model.label, results.metrics[0]) if model.label != INPUT else []
            kept = [pick for pick in ranking if group.scores[pick.model][pick.item].traces]
            worst.append([pick for pick in reversed(kept) if 2 * pick.place > pick.count])
            best.append([pick for pick in kept if 2 * pick.place <= pick.count])
    found: dict[tuple[str, str], tuple[str, list[Pick]]] = {}
    for turn in range(EACH):
        for side, rankings in (("Worst", worst), ("Best", best)):
            for pick in [ranking[turn] for ranking in rankings if turn < len(ranking)]:
                found.setdefault((pick.group.label, pick.item), (side, []))[1].append(pick)
    return list(found.values())


def _ranking(group: Group, model: str, metric: MetricInfo) -> list[Pick]:
    values = group.values(model, metric.name)
    order = sorted(values, key=values.__getitem__, reverse=metric.direction == "higher")
    return [Pick(group, item, model, place, len(order)) for place, item in enumerate(order, 1)]


def _scene(key: str, picks: Sequence[Pick], results: Results, folder: Path) -> Scene:
    """Raises PhotoError when a trace cannot be read."""
    group, item = picks[0].group, picks[0].item
    labels = [model.label for model in results.models]
    scores = {label: group.scores[label][item] for label in labels if item in group.scores.get(label, {})}
    traced = [score.traces for score in scores.values()]
    files = [(name, next((traces[name] for traces in traced if name in traces), "")) for name in (INPUT, "truth")]
    files[1:1] = [(label, score.traces.get("output", "")) for label, score in scores.items() if label != INPUT]
    photos = [(label, inlined(folder / file)) for label, file in files if file]
    values = {label: _value(group, item, label, results.metrics[0]) for label in scores}
    pictures = [Picture(label=label, score=values.get(label, ""), uri=photo.uri) for label, photo in photos]
    return Scene(
        key=key,
        title=f"{item}, {group.label}",
        why="; ".join(pick.why(results.metrics[0]) for pick in picks),
        pictures=tuple(pictures),
        width=photos[0][1].width,
        height=photos[0][1].height,
        right=next((place for place, picture in enumerate(pictures) if picture.label == picks[0].model), 0),
    )


def _value(group: Group, item: str, label: str, metric: MetricInfo) -> str:
    value = group.values(label, metric.name).get(item)
    return "" if value is None else f"{number(value, metric.digits)} {metric.unit}".rstrip()


LONGEST = 640
"""Longest side of a photo in the page, pixels."""

_QUALITY = 88


@dataclass(frozen=True)
class Inlined:
    """A photo as ``uri``, ``width`` and ``height`` pixels."""

    uri: str
    width: int
    height: int


def inlined(path: Path) -> Inlined:
    """The photo at ``path``, at most ``LONGEST`` pixels long, ready for ``<img src>``; raises PhotoError when it cannot be read."""
    photo = Image.fromarray(quantise(read(path).tensor(), np.uint8))
    photo.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    photo.save(file, "JPEG", quality=_QUALITY)
    code = base64.b64encode(file.getvalue()).decode("ascii")
    return Inlined(f"data:image/jpeg;base64,{code}", *photo.size)
