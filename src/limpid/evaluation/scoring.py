"""One image through all models that lack a score on it: outputs, measures, traces, and faults that stay with their image."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from limpid.errors import LimpidError, NoRoomError, ShapeError, UsageError, is_out_of_memory
from limpid.evaluation import saved_images
from limpid.evaluation.items import Case, Item
from limpid.evaluation.methods import Method
from limpid.evaluation.protocols import ALL, SizeRule
from limpid.evaluation.results import Score
from limpid.layers.task import Task
from limpid.metrics._measure import Metric
from limpid.runtime.memory import give_back

_FLOAT_PAIR = 2 * 3 * 4  # bytes per pixel of an estimate and its truth as tensors

_DECIMALS = 10  # further ones depend on how many threads a sum was split over


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What holds for every image: measures, rounding, sizes, ``budget`` in bytes (None: no limit), ``report`` folder of traces."""

    task: Task
    protocol: str
    metrics: tuple[Metric, ...]
    rounded: bool
    size_rule: SizeRule
    budget: int | None
    report: Path

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that are measured, or saved: the first one always."""
        measured = {metric.against for metric in self.metrics}
        every = ALL in measured
        return tuple(name for name in self.task.layers if every or name == self.task.primary or name in measured)


@dataclass(frozen=True, kw_only=True)
class ScoringTask:
    """One image and the models to be measured on it: label → key of the score. ``keep``: write traces of what they make."""

    item: Item
    models: Mapping[str, str]
    keep: bool = False


def compute(task: ScoringTask, candidates: Mapping[str, Method], rules: Rules) -> list[Score]:
    """A score for each model of a task, with an error in place of values where it failed."""
    try:
        case = task.item.open(rules.size_rule)
    except (LimpidError, MemoryError) as fault:
        return [failed(task.item, label, fault) for label in task.models]
    scores = []
    for label, key in task.models.items():
        try:
            scores.append(_scored(task, case, candidates[label], key, rules))
        except UsageError:
            raise  # the options itself is wrong, for every image
        except Exception as fault:
            if not isinstance(fault, LimpidError) and not is_out_of_memory(fault):
                raise
            scores.append(failed(task.item, label, fault, case.size))
    give_back()
    return scores


def _scored(task: ScoringTask, case: Case, candidate: Method, key: str, rules: Rules) -> Score:
    item = task.item
    _check_room(case, rules)
    names = [name for name in rules.layers if name == rules.task.primary or name in case.truths]
    estimate = candidate.estimate(item, case, names, rules.size_rule)
    if rules.rounded:
        for layer in estimate.layers.values():
            layer.clamp_(0, 1).mul_(255).round_().div_(255)
    values, capped = _measured(estimate.layers, case, rules)
    if task.keep:
        saved_images.save(rules.report, item, case, candidate.info.label, key, estimate)
    return Score(
        set=item.set,
        item=item.name,
        model=candidate.info.label,
        size=case.size,
        values=values,
        capped=capped,
        seconds=round(estimate.seconds, 4),
        peak_bytes=estimate.peak_bytes,
        conditions=item.conditions,
    )


def _measured(layers: Mapping[str, Tensor], case: Case, rules: Rules) -> tuple[dict[str, float], dict[str, int]]:
    """All measures of an image: of each true layer, and of what people said; NaN where there is nothing to compare with."""
    values: dict[str, float] = {}
    capped: dict[str, int] = {}
    for against in dict.fromkeys(metric.against for metric in rules.metrics):
        metrics = [metric for metric in rules.metrics if metric.against == against]
        if against == "judgements" and case.judgements is not None:
            values |= {metric.name: float(metric(layers[rules.task.primary], case.judgements)) for metric in metrics}
        elif against == ALL and set(rules.task.layers) <= set(case.truths):
            estimates = torch.cat([layers[name] for name in rules.task.layers])
            some, exact = measure(estimates, torch.cat([case.truths[name].tensor() for name in rules.task.layers]), metrics)
            values, capped = values | some, capped | exact
        elif against in case.truths:
            some, exact = measure(layers[against], case.truths[against].tensor(), metrics)
            values, capped = values | some, capped | exact
        else:
            values |= {metric.name: math.nan for metric in metrics}
    return {metric.name: values[metric.name] for metric in rules.metrics}, capped


def measure(estimate: Tensor, truth: Tensor, metrics: Sequence[Metric]) -> tuple[dict[str, float], dict[str, int]]:
    """Metric → value, and metric → capped bands where there are any, of two (3, H, W) photos or stacks of layers.

    NaN where a photo is too small for a measure. Raises ShapeError when the sizes differ, DataError for values that are not finite.
    """
    if estimate.shape != truth.shape:
        raise ShapeError(f"an output of {tuple(estimate.shape)} cannot be compared with a truth of {tuple(truth.shape)}")
    values, capped = {}, {}
    for metric in metrics:
        try:
            values[metric.name] = round(float(metric(estimate, truth)), _DECIMALS)
        except ShapeError:  # sizes agree, so this measure needs a larger photo
            values[metric.name] = math.nan
            continue
        exact = metric.capped(estimate, truth)
        if exact:
            capped[metric.name] = exact
    return values, capped


def trace(item: Item, candidate: Method, key: str, rules: Rules) -> bool:
    """Write the pictures of a model whose score is known already; False when that fails."""
    try:
        case = item.open(rules.size_rule)
        estimate = candidate.estimate(item, case, [rules.task.primary], rules.size_rule)
        saved_images.save(rules.report, item, case, candidate.info.label, key, estimate)
    except (LimpidError, MemoryError):
        return False
    return True


def _check_room(case: Case, rules: Rules) -> None:
    """Raise NoRoomError when the most demanding measure would pass the limit."""
    pixels = case.size[0] * case.size[1]
    worst = max(rules.metrics, key=lambda metric: metric.memory)
    needed = case.held + pixels * (_FLOAT_PAIR + worst.memory)
    if rules.budget is not None and needed > rules.budget:
        raise NoRoomError(
            f"{case.photo.name}: {worst.title} on {case.size[1]}×{case.size[0]} needs about {needed / 1e6:.0f} MB, more than the"
            f" {rules.budget / 1e6:.0f} MB allowed; raise --max-memory or lower --jobs"
        )


def failed(item: Item, label: str, fault: Exception, size: tuple[int, int] = (0, 0)) -> Score:
    """The score of a model that could not be measured on an image: one line that names the file."""
    text = str(fault)
    if is_out_of_memory(fault):
        text = "out of memory; lower --max-memory or --jobs"
    named = [str(path) for path in item.files] or [f"{item.set} {item.name}"]
    if not any(name in text for name in named) and "no output of" not in text:
        text = f"{named[0]}: {text}"
    return Score(set=item.set, item=item.name, model=label, size=size, values={}, conditions=item.conditions, error=text)
