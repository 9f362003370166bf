"""From options to results: sets, models and measures found and checked first, then every score, computed or remembered."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from limpid._version import __version__
from limpid.errors import LimpidError, UsageError
from limpid.evaluation import cache, saved_images, scoring
from limpid.evaluation.degradation_text import parse
from limpid.evaluation.degradations import DegradationCondition
from limpid.evaluation.environment import environment, versions
from limpid.evaluation.export import exported
from limpid.evaluation.items import RESTORED, Item
from limpid.evaluation.live_sets import is_live, open_live
from limpid.evaluation.methods import Method, open_methods
from limpid.evaluation.options import EvaluateOptions
from limpid.evaluation.protocols import ALL, USUAL, find_protocol, find_size_rule, measures
from limpid.evaluation.published import published, published_degraded
from limpid.evaluation.results import MetricInfo, PublishedRow, Results, Score
from limpid.evaluation.run import Done, run
from limpid.evaluation.saved_images import Place
from limpid.evaluation.scoring import Rules, ScoringTask
from limpid.evaluation.sets import EvaluatedSet, open_set
from limpid.evaluation.suite import choose
from limpid.image.read import MAX_PIXELS
from limpid.layers.task import Task
from limpid.metrics._measure import Metric
from limpid.progress import bar, say
from limpid.weights.fetch import forbidding_downloads

SCORES = "scores.jsonl"
"""File in the report folder that remembers every score."""

_FORMAT = 2  # of what is remembered; 2: memory includes the weights


Runner = Callable[[Sequence[ScoringTask], Mapping[str, Method], Rules], Iterator[Done]]
"""What computes the scores that are missing, in whichever order they come."""


def evaluate(options: EvaluateOptions, runner: Runner | None = None) -> Results:
    """Measure every model on every image; scores that the report folder remembers are not computed again.

    ``runner``: computes them elsewhere than in this process and its ``jobs``. A fault of one image is said in one line and kept in
    its scores. Raises UsageError, UnknownNameError, DataError and WeightsError before anything is computed when names, folders or
    files are wrong.
    """
    rule = find_size_rule(options.size_rule)
    find_protocol(options.protocol or "field")  # a misspelt name is said before any folder is read
    wanted, absent = _wanted(options)
    if options.export is not None and not any(one.degradations for one in wanted):
        raise UsageError("--export writes what --degrade makes; name a degradation, e.g. --degrade noise:sigma=25")
    sets = [_read_as(options, one) for one in _sets(wanted, options.count)]
    tasks = _tasks(sets)
    known = {role for one in sets for item in one.items for role in _held(item, tasks[0])}
    rules, candidates, left_out = measuring(options, tasks, known)
    if options.export is not None:
        exported(options.export, [item for one in sets if one.degradations for item in one.items], rule, options.quiet)
    memory = cache.Cache(options.report / SCORES)
    try:
        scores = _Scores(options, rules, candidates, [item for one in sets for item in one.items], memory, runner).all()
    finally:
        memory.close()
    infos = tuple(_info(metric) for metric in rules.metrics)
    notes = [*absent, *left_out, *(note for one in sets for note in one.notes), *_notes(scores, infos)]
    return Results(
        protocol=f"{rules.protocol}: {find_protocol(rules.protocol).says}; {rule.says}",
        models=tuple(candidate.info for candidate in candidates.values()),
        sets=tuple(one.info for one in sets),
        metrics=infos,
        scores=tuple(scores),
        notes=tuple(dict.fromkeys(notes)),
        machine=environment(),
        versions=versions(),
        command=options.command,
        published=_printed(options, sets, rules.metrics),
    )


def measuring(
    options: EvaluateOptions, tasks: Sequence[Task], known: Collection[str]
) -> tuple[Rules, dict[str, Method], Sequence[str]]:
    """What holds for every image of sets of such tasks, the models by label, and notes on measures that are left out.

    ``known``: what the sets hold, layers and ``judgements``. Raises what ``measures`` and ``load`` raise, and UsageError.
    """
    name = options.protocol or USUAL[tasks[0].name]
    protocol = find_protocol(name)
    with forbidding_downloads(options.offline):
        metrics, left_out = measures(protocol, options.metrics, options.backbone_weights, task=tasks[0], known=set(known))
    budget = None if options.max_memory is None else options.max_memory // options.jobs
    rules = Rules(
        task=tasks[0],
        protocol=name,
        metrics=metrics,
        rounded=protocol.quantise == "round",
        size_rule=find_size_rule(options.size_rule),
        budget=budget,
        report=options.report,
    )
    return rules, open_methods(options, tasks, budget, protocol.clamped), left_out


class _Scores:
    """The scores of one options: remembered ones first, then those that are missing, then pictures for the report."""

    def __init__(
        self,
        options: EvaluateOptions,
        rules: Rules,
        candidates: Mapping[str, Method],
        items: Sequence[Item],
        memory: cache.Cache,
        runner: Runner | None,
    ) -> None:
        self.options, self.rules, self.candidates, self.items, self.memory = options, rules, candidates, items, memory
        self.runner = runner or partial(run, jobs=options.jobs)
        self.keys: dict[Place, str] = {}
        self.found: dict[Place, Score] = {}

    def all(self) -> list[Score]:
        """Scores in the order of sets, conditions, images and models."""
        tasks = [task for task in map(self._task, self.items) if task is not None]
        missing = sum(len(task.models) for task in tasks)
        known = sum(not score.error for score in self.found.values())
        if known and not self.options.quiet:
            say(f"{known} scores are known already, {missing} are to be computed")
        self._compute(tasks)
        kept = self._traced()
        return [self._finished((item, label), kept) for item in self.items for label in self.candidates]

    def _task(self, item: Item) -> ScoringTask | None:
        """What is missing for an image; None when nothing is."""
        missing = {}
        for label, candidate in self.candidates.items():
            if item.fault:
                self._take(item, scoring.failed(item, label, LimpidError(item.fault)))
                continue
            try:
                key = cache.key(__version__, self._says(), item.key, candidate.identity(item))
            except LimpidError as fault:
                self._take(item, scoring.failed(item, label, fault))
                continue
            self.keys[item, label] = key
            score = self.memory.get(key)
            if score is None:
                missing[label] = key
            else:
                self.found[item, label] = score
        return ScoringTask(item=item, models=missing, keep=self._keeps_all) if missing else None

    @property
    def _keeps_all(self) -> bool:
        """Whether every image will be traced, so that its pictures are best written while they are in hand."""
        few = len(self.items) <= saved_images.WORST + saved_images.BEST
        return self.options.traces == "all" or (self.options.traces == "worst" and few)

    def _says(self) -> str:
        """All that decides a score besides image and model."""
        measured = " ".join(f"{metric.name} {metric.identity}" for metric in self.rules.metrics)
        return f"{_FORMAT} {self.rules.protocol} {self.options.size_rule} {measured}"

    def _compute(self, tasks: Sequence[ScoringTask]) -> None:
        with bar(total=len(tasks), unit="image", quiet=self.options.quiet) as progress:
            try:
                for task, scores in self.runner(tasks, self.candidates, self.rules):
                    for score in scores:
                        self._take(task.item, score)
                    progress.advance(f"{task.item.set} {task.item.name}")
            except KeyboardInterrupt:
                say(f"limpid: stopped; the scores so far are in {self.memory.path}: run the same command again to go on")
                raise

    def _take(self, item: Item, score: Score) -> None:
        if score.error:
            if score.error not in {known.error for known in self.found.values() if known.error}:
                say(f"limpid: {score.error}")
        else:
            self.memory.put(self.keys[item, score.model], score)
        self.found[item, score.model] = score

    def _traced(self) -> set[Place]:
        """Scores whose pictures lie in the report folder; what is wanted and missing is made."""
        if self.options.traces == "none":
            return set()
        wanted = [place for place, score in self.found.items() if not score.error]
        if self.options.traces == "worst":
            headline = self.rules.metrics[0]
            wanted = saved_images.worst_and_best(
                [(place, self.found[place]) for place in wanted], headline.name, higher=headline.direction == "higher"
            )
        kept = set()
        for place in wanted:
            item, label = place
            names = saved_images.names_of(item, label, self.keys[place]).values()
            if all((self.rules.report / name).is_file() for name in names) or scoring.trace(
                item, self.candidates[label], self.keys[place], self.rules
            ):
                kept.add(place)
        return kept

    def _finished(self, place: Place, kept: set[Place]) -> Score:
        """A score under the labels of this options, whoever computed it."""
        item, label = place
        names = saved_images.names_of(item, label, self.keys[place]) if place in kept else {}
        known = self.found[place]
        return replace(
            known, set=item.set, item=item.name, model=label, conditions=dict(item.conditions), traces=names, scene=item.scene
        )


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """A set as it was named, and what its photos are put through."""

    on: str
    degradations: tuple[DegradationCondition, ...]


def _wanted(options: EvaluateOptions) -> tuple[list[_Wanted], list[str]]:
    """What to evaluate on, and notes on what of a suite is not here."""
    asked = tuple(parse(options.degrade, options.crop, options.seed))
    listed = [_Wanted(on=text, degradations=asked) for text in options.on]
    if options.suite is None:
        return listed, []
    present, absent = choose(options.suite, options.roots)
    if asked and any(member.degrade for _, member in present):
        raise UsageError(
            f"--suite {options.suite} says itself how photos are degraded; leave out --degrade, or name sets with --on"
        )
    found = []
    for text, member in present:
        made = parse(member.degrade, [] if member.crop is None else [member.crop], options.seed)
        found.append(_Wanted(on=text, degradations=tuple(made) or asked))
    return [*found, *listed], absent


def _sets(wanted: Sequence[_Wanted], count: int | None) -> list[EvaluatedSet]:
    if not wanted:
        raise UsageError("name what to evaluate on: --on SET=DIR, --on DIR, or --suite sirr")
    sets = [(open_live if is_live(one.on) else open_set)(one.on, one.degradations, count) for one in wanted]
    labels = [one.info.label for one in sets]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice:
        raise UsageError(f"two sets are called {twice!r}; name them apart with --on NAME=DIR")
    return sets


def _read_as(options: EvaluateOptions, one: EvaluatedSet) -> EvaluatedSet:
    """The set with its photos read as the options say; what was filled in is remembered apart."""
    limit = MAX_PIXELS if options.max_pixels is None else options.max_pixels
    mark = " filled" if options.allow_truncated else ""
    items = (replace(item, key=item.key + mark, max_pixels=limit, allow_truncated=options.allow_truncated) for item in one.items)
    return replace(one, items=tuple(items))


def _tasks(sets: Sequence[EvaluatedSet]) -> tuple[Task, ...]:
    """What the sets measure, in their order, each once.

    Raises UsageError when their layers differ: no network and no table serves both. Noise and blur share the restored photo.
    """
    for one in sets[1:]:
        if one.task.layers != sets[0].task.layers:
            first, second = (f"{one.info.label} measures {one.task.name}" for one in (sets[0], one))
            raise UsageError(f"{first} and {second}; evaluate them apart")
    return tuple({one.task.name: one.task for one in sets}.values())


def _held(item: Item, task: Task) -> tuple[str, ...]:
    """What an image can be compared with: true layers, all of them where none is missing, and judgements."""
    every = [ALL] if set(task.layers) <= set(item.truths) else []
    return (*item.truths, *every, *([RESTORED] if item.drawn else []), *(["judgements"] if item.judgements else []))


def _printed(options: EvaluateOptions, sets: Sequence[EvaluatedSet], metrics: Sequence[Metric]) -> tuple[PublishedRow, ...]:
    """Published figures: of the pairs together, for the sake of averages, and of each degraded set."""
    names, rule = [metric.name for metric in metrics], options.size_rule
    plain = published([one.info for one in sets if not one.degradations], names, rule)
    degraded = [published_degraded(one.info, one.degradations, names, rule) for one in sets if one.degradations]
    return (*plain, *(row for rows in degraded for row in rows))


def _info(metric: Metric) -> MetricInfo:
    return MetricInfo(
        name=metric.name,
        title=metric.title,
        unit=metric.unit,
        direction=metric.direction,
        digits=metric.digits,
        range=metric.range,
    )


def _notes(scores: Sequence[Score], metrics: Sequence[MetricInfo]) -> list[str]:
    """What a mean alone would hide: capped bands, images without a value, images that failed."""
    notes = []
    for model in dict.fromkeys(score.model for score in scores):
        mine = [score for score in scores if score.model == model]
        failed = sum(bool(score.error) for score in mine)
        notes += [f"{model}: {failed} of {len(mine)} images failed; no mean of any model holds them"] if failed else []
        for metric in metrics:
            capped = sum(score.capped.get(metric.name, 0) for score in mine)
            notes += [f"{model}: {metric.title} was capped at 100 dB where it is infinite, {capped} times"] if capped else []
            none = sum(score.values.get(metric.name, 0.0) != score.values.get(metric.name, 0.0) for score in mine)
            notes += [f"{model}: {metric.title} has no value for {none} of {len(mine)} images"] if none else []
    return notes
