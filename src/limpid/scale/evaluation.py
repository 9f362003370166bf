"""``limpid evaluate --engine ray``: the scores that are missing, by workers of Ray; sets and report lie where all see them."""

import base64
import json
import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import torch
from pydantic import TypeAdapter

from limpid.errors import LimpidError, UsageError
from limpid.evaluation.evaluate import evaluate, measuring
from limpid.evaluation.methods import Method, NetworkMethod
from limpid.evaluation.options import EvaluateOptions
from limpid.evaluation.results import Results, Score, without_nan
from limpid.evaluation.run import Done
from limpid.evaluation.scoring import Rules, ScoringTask, compute, failed
from limpid.evaluation.suite import with_measures
from limpid.layers.task import find_task
from limpid.runtime.memory import FIXED, default_budget
from limpid.scale.cluster import cluster, need_ray, run_rows

_SCORES = TypeAdapter(list[Score])


def evaluate_anywhere(options: EvaluateOptions) -> Results:
    """``evaluate`` in this process, or by workers of Ray as ``options.engine`` says; the scores are the same.

    Raises what ``evaluate`` raises, MissingExtraError without Ray, and UsageError for ``jobs`` beside workers.
    """
    options = with_measures(options)
    if options.engine != "ray":
        return evaluate(options)
    need_ray()
    if options.jobs != 1:
        raise UsageError("--jobs is for one machine; --engine ray has --workers")
    return evaluate(options, partial(_by_workers, options))


def _by_workers(
    options: EvaluateOptions, tasks: Sequence[ScoringTask], candidates: Mapping[str, Method], rules: Rules
) -> Iterator[Done]:
    """Tasks with their scores as they come. ``candidates`` stay here: each worker loads its own."""
    if not tasks:
        return
    names = [rules.task.name, *(one.separator.task.name for one in candidates.values() if isinstance(one, NetworkMethod))]
    known = sorted({metric.against for metric in rules.metrics})  # so that a worker keeps the measures that were kept here
    rows = [(str(place), pack(place, task)) for place, task in enumerate(tasks)]
    with cluster(options, options.device, quiet=options.quiet) as where:
        make = partial(ScoreWorker, _settled(options, where.beside), tuple(dict.fromkeys(names)), known, where.threads)
        for answer in run_rows(rows, make, where):
            found = json.loads(answer)
            if found["refused"] is not None:
                raise UsageError(found["refused"])
            yield tasks[int(found["place"])], read_scores(found["scores"])


def _settled(options: EvaluateOptions, beside: int) -> EvaluateOptions:
    """The options of one worker: paths that mean the same everywhere, and its share of a machine's memory."""
    share = options.max_memory or FIXED + max(0, default_budget() - FIXED) // beside
    return replace(options, report=options.report.absolute(), max_memory=share)


def read_scores(rows: Sequence[Mapping[str, Any]]) -> list[Score]:
    """Scores from their JSON, in which NaN is null."""
    plain = [{**row, "values": {name: float("nan") if it is None else it for name, it in row["values"].items()}} for row in rows]
    return _SCORES.validate_python(plain)


class ScoreWorker:
    """A worker with measures and networks of its own; raises what ``measuring`` raises."""

    def __init__(self, options: EvaluateOptions, tasks: Sequence[str], known: Sequence[str], threads: int | None) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self.rules, self.candidates, _ = measuring(options, [find_task(name) for name in tasks], known)

    def __call__(self, row: str) -> str:
        """Scores of one image, as text."""
        place, task = _unpack(row)
        try:
            return _answer(place, compute(task, self.candidates, self.rules))
        except UsageError as error:
            return _answer(place, [], str(error))

    def give_up(self, row: str, reason: str) -> str:
        """What is answered for an image that kills its workers."""
        place, task = _unpack(row)
        return _answer(place, [failed(task.item, label, LimpidError(reason)) for label in task.models])


def pack(place: int, task: ScoringTask) -> str:
    """A task as the text that a worker takes; it only ever goes from this process to those that it starts."""
    return base64.b64encode(pickle.dumps((place, task))).decode()


def _unpack(row: str) -> tuple[int, ScoringTask]:
    place, task = pickle.loads(base64.b64decode(row))
    return place, task


def _answer(place: int, scores: Sequence[Score], refused: str | None = None) -> str:
    return json.dumps({"place": place, "scores": [without_nan(asdict(score)) for score in scores], "refused": refused})
