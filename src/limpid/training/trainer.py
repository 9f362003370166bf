"""A training from the first to the last line on the console: folder, resume, epochs, what is written, how it ends."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from limpid._version import __version__
from limpid.checkpoints.file import Checkpoint
from limpid.data.preflight import check
from limpid.errors import UsageError
from limpid.files import remove_partial
from limpid.image.find import find
from limpid.progress import say
from limpid.recipe.load import Loaded, dump
from limpid.recipe.models import Recipe
from limpid.runtime.load import load
from limpid.runtime.separator import Separator
from limpid.training.assemble import Assembly, assemble, fill, scored_sets
from limpid.training.kept_weights import BestWeights, NumberedWeights, check_room, estimate, weights
from limpid.training.load_recipe import load_recipe
from limpid.training.logger import Logger, epoch_line
from limpid.training.loop import FinishedStep, NotFiniteError, TrainingLoop
from limpid.training.options import TrainOptions
from limpid.training.procedure import unwrapped
from limpid.training.run_state import tight, write_state
from limpid.training.sample_images import at_native_size, remove_old, write_sample_images
from limpid.training.set_up import LAST, RECIPE, launch, set_up, starting_weights
from limpid.training.stops import Stop, listening
from limpid.training.validation import merit

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_EVERY = 600.0  # seconds between two saves of the state within an epoch
_INPUTS = 10  # training photos that are shown where no folder of photos is named


@dataclass(frozen=True, kw_only=True)
class TrainedRun:
    """What a training left: its folder, its best weights (None before the first epoch ended), and its exit code.

    ``exit_code``: 0, or 130 and 143 when a signal ended it.
    """

    folder: Path
    best: Path | None
    exit_code: int


def train(options: TrainOptions) -> TrainedRun:
    """Run a recipe until it ends, a limit is met or a signal comes, or score what a run has left (``test_only``).

    Raises what ``load_recipe``, ``run_recipe`` and ``score_run`` raise.
    """
    loaded, folder = load_recipe(options)
    code = score_run(loaded, folder, options) if options.test_only else run_recipe(loaded, folder, options)
    return TrainedRun(folder=folder, best=BestWeights(folder).path, exit_code=code)


def run_recipe(loaded: Loaded, folder: Path, options: TrainOptions) -> int:
    """Run a recipe in a folder until it ends, a limit is met or a signal comes; returns the exit code (0, 130 or 143).

    Raises UsageError for a folder in use, the errors of ``assemble`` and ``preflight``, NotFiniteError, NoRoomError and DiskError.
    """
    check_folder(folder, options)
    with listening() as stop:
        fabric = launch(loaded.recipe, options.device)
        assembly = assemble(loaded)
        fill(assembly.procedure, options.backbone_weights)
        _warn(assembly, loaded, fabric)
        run = set_up(
            loaded,
            assembly,
            fabric,
            resume=folder / LAST if options.resume else None,
            init=options.init,
            force=options.force,
        )
        return Trainer(assembly, run, folder, options).go(stop)


def score_run(loaded: Loaded, folder: Path, options: TrainOptions) -> int:
    """Score the best weights of a run on all sets of its recipe and dump pictures into ``test/``; returns 0.

    Raises UsageError when the run has no weights.
    """
    kept = BestWeights(folder).kept if folder.is_dir() else ()
    if not kept:
        raise UsageError(f"{folder} holds no weights to test; train first, or name the run with --name")
    best = kept[0]
    separator = load(folder / best.file, device=options.device, backbone_weights=options.backbone_weights)
    for scored in scored_sets(loaded):
        scores = scored.score(separator) or {}
        say(f"{best.file} on {scored.label}: " + ", ".join(f"{name} {value:.4f}" for name, value in scores.items()))
    if loaded.recipe.log.photos:
        photos = _found(loaded.recipe.log.photos)
        for line in write_sample_images(separator.run, photos, folder / "test", best.epoch):
            say(line)
    return 0


def room_of(assembly: Assembly, recipe: Recipe, *, replacing: bool) -> int:
    """Bytes that the weights of a run will take on the disk, at rest or while a file is ``replacing`` another."""
    modules = assembly.procedure.networks
    return estimate(
        unwrapped(modules["network"]),
        discriminator=unwrapped(modules["discriminator"]) if "discriminator" in modules else None,
        moments=1 if recipe.optimiser.name == "sgd" else 2,
        average=bool(recipe.train.ema),
        keep=recipe.log.keep,
        numbered=recipe.log.history if recipe.log.save_every > 0 else 0,
        replacing=replacing,
    )


def check_folder(folder: Path, options: TrainOptions) -> None:
    """Raise UsageError when a new run would mix with an old one, or there is none to go on with."""
    held = (folder / LAST).is_file() or (folder / RECIPE).is_file()
    if options.resume and not held:
        raise UsageError(f"{folder} holds no run to resume; leave out --resume, or name the run with --name")
    if held and not options.resume:
        raise UsageError(f"{folder} holds a run; go on with --resume, or give this one another --name")
    if options.resume and options.init is not None:
        raise UsageError("--init starts a new run and --resume goes on with an old one; leave one out")


def _warn(assembly: Assembly, loaded: Loaded, fabric: "Fabric") -> None:
    """Look at the data before the first step; raises DataError, or says what is odd."""
    held_out = {scored.label: [part.source for part in scored.parts] for scored in assembly.sets}
    per_step = loaded.recipe.data.batch * loaded.recipe.train.accumulate * fabric.world_size
    for warning in check(assembly.sources, held_out, assembly.stream.length, per_step):
        if fabric.is_global_zero:
            say(f"limpid: {warning}")


def _found(folder: Path) -> list[Path]:
    """The photos of a folder that a recipe names."""
    return [found.path for found in find([folder]).photos]


class Trainer:
    """One process's part in a run; the first process writes, the others only compute."""

    def __init__(self, assembly: Assembly, run: TrainingLoop, folder: Path, options: TrainOptions) -> None:
        self.assembly, self.run, self.options = assembly, run, options
        self.folder, self.writes = folder, run.fabric.is_global_zero
        self.started = self.saved = time.monotonic()
        log = run.recipe.log
        if self.writes:
            self.folder.mkdir(parents=True, exist_ok=True)
            remove_partial(self.folder)
            check_room(self.folder, room_of(assembly, run.recipe, replacing=True))
            (self.folder / RECIPE).write_text(dump(run.recipe), encoding="utf-8")
            self.logger = Logger(
                self.folder,
                every=log.every,
                total_steps=run.total,
                step=run.step,
                state=run.logger,
                comment=run.recipe.comment,
                wandb=options.wandb,
                quiet=options.quiet,
            )
            self.best = BestWeights(self.folder, keep=log.keep)
            self.numbered = NumberedWeights(self.folder, every=log.save_every, history=log.history)

    def go(self, stop: Stop) -> int:
        """All steps that are left; returns the exit code."""
        if not self.run.step:
            self._save()  # a run that is killed early goes on from the same start, whatever it was
            self._score_start(stop)
        self._end_epoch(stop)  # one that a signal has interrupted
        batches = self.run.batches(self.assembly.stream, self.assembly.task)
        try:
            for done in self.run.steps(batches):
                self._record(done)
                asked = self._together(stop.asked is not None)
                if done.ends_epoch:
                    self.run.due = done.epoch
                    asked = asked or not self._end_epoch(stop)
                over = asked or self._together(self._limit(done))
                if over or done.ends_epoch or time.monotonic() - self.saved > _EVERY:
                    self._save()
                if over:
                    break
            self._say_start_is_best()
        except NotFiniteError:
            self._save()
            raise
        finally:
            batches.close()
            if self.writes:
                self.logger.close()
        return stop.asked or 0

    def _score_start(self, stop: Stop) -> None:
        """Scores and weights of epoch 0, where the network starts from somebody's: an epoch below them is no gain."""
        if starting_weights(self.options.init, self.run.recipe) is None:
            return
        scores = self._scores(stop) if self.writes else None
        score = None if scores is None else merit(self.assembly.task, scores.get("validation", {}))
        if scores is not None and score is not None:
            self.logger.note(epoch_line(0, 0, scores, None, time.monotonic() - self.started))
            self.best.offer(self._checkpoint, epoch=0, step=0, score=score)
        self.run.fabric.barrier()

    def _say_start_is_best(self) -> None:
        if self.writes and self.run.step == self.run.total and self.best.kept and self.best.kept[0].epoch == 0:
            self.logger.note("no epoch beats the weights that the run started from: they are kept as its best")

    def _record(self, done: FinishedStep) -> None:
        if not self.writes:
            return
        self.logger.step(done.step, done.epoch + 1, done.values, done.rates, done.samples, done.waited)
        if not done.moved:
            self.logger.note(f"step {done.step} left out: its loss or gradient is no number ({self.run.skipped} so far)")

    def _limit(self, done: FinishedStep) -> bool:
        minutes, steps = self.options.max_minutes, self.options.max_steps
        late = minutes is not None and time.monotonic() - self.started > 60 * minutes
        return late or (steps is not None and done.step >= steps)

    def _together(self, wanted: bool) -> bool:
        """All processes end after the same step, whoever wants it."""
        fabric = self.run.fabric
        if fabric.world_size == 1:
            return wanted
        return bool(fabric.all_reduce(torch.tensor(float(wanted), device=fabric.device), reduce_op="sum"))

    def _end_epoch(self, stop: Stop) -> bool:
        """Scores, pictures and weights of the epoch that is due, if one is; False when a signal cut it short and it stays due.

        The plateau is told by all processes alike.
        """
        if self.run.due is None:
            return True
        epoch, score = self.run.due + 1, None
        scores = self._scores(stop) if self.writes else None
        if scores is not None:
            self.logger.epoch(epoch, self.run.step, scores)
            score = merit(self.assembly.task, scores.get("validation", {}))
            score = float(epoch) if score is None else score
            self.best.offer(self._checkpoint, epoch=epoch, step=self.run.step, score=score)
            self.numbered.offer(self._checkpoint, epoch=epoch, step=self.run.step)
            self._show(epoch, self.run.step)
        score = self.run.fabric.broadcast(score)
        if score is None:
            return False
        if self.run.plateau:
            self.run.plateau.after(score)
        self.run.due = None
        return True

    def _scores(self, stop: Stop) -> dict[str, dict[str, float]] | None:
        """Scores of the average on all sets by name; None when a signal came."""
        wanted = self.run.recipe.train.precision
        separator = self._separator("float32" if wanted == "float16" else wanted)
        scores = {scored.label: scored.score(separator, lambda: stop.asked is None) for scored in self.assembly.sets}
        return None if None in scores.values() else {label: dict(found) for label, found in scores.items() if found is not None}

    def _show(self, epoch: int, step: int) -> None:
        """What the average makes of the recipe's photos, or of the first training inputs, as files and in TensorBoard."""
        log = self.run.recipe.log
        if not log.images:
            return
        photos: Sequence[Path | tuple[str, Tensor]] = (_found(log.photos) if log.photos else self._examples)[: log.images]
        separate = at_native_size(self._separator("float32"))
        for line in write_sample_images(separate, photos, self.folder, epoch):
            self.logger.note(line)
        name, photo = next(iter(self._examples))
        self.logger.images(step, name, torch.stack([photo, *separate(photo).values()]))
        remove_old(self.folder, log.history)

    def _separator(self, precision: str) -> Separator:
        """The average, ready to run on photos."""
        name = f"the network in training ({self.run.recipe.name})"
        return Separator(self.run.ema.network, self.assembly.task, name=name, precision=precision)

    @cached_property
    def _examples(self) -> list[tuple[str, Tensor]]:
        """The first training inputs by name."""
        pairs = [self.assembly.stream[index] for index in range(min(_INPUTS, len(self.assembly.stream)))]
        return [(pair.name, pair.input) for pair in pairs]

    def _checkpoint(self) -> Checkpoint:
        recipe = self.run.recipe
        return Checkpoint(
            model=recipe.model.name,
            settings=self.assembly.settings,
            tensors=weights(self.run.ema.network),
            notes={"recipe": dump(recipe), "limpid": __version__, **self.assembly.procedure.notes},
        )

    def _save(self) -> None:
        """Write ``last.pt``; the other processes wait."""
        if self.writes:
            state = {**self.run.state(), "logger": self.logger.state(), "recipe": dump(self.run.recipe), "limpid": __version__}
            write_state(self.folder / LAST, state)
            warning = tight(self.folder / LAST)
            if warning:
                self.logger.note(warning)
        self.saved = time.monotonic()
        self.run.fabric.barrier()
