"""A training from the first to the last line on the console: folder, resume, epochs, what is written, how it ends."""

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from limpid._version import __version__
from limpid.checkpoints.file import Checkpoint
from limpid.data.preflight import check
from limpid.errors import MissingExtraError, UsageError
from limpid.files import DiskError, remove_partial
from limpid.layers.task import Task
from limpid.progress import say
from limpid.recipe.load import Loaded, dump
from limpid.recipe.models import Recipe
from limpid.runtime.separator import Separator
from limpid.training.assemble import Assembly, assemble, fill
from limpid.training.curves import CURVES, draw_curves
from limpid.training.kept_weights import END, BestWeights, NumberedWeights, check_room, estimate, weights, with_notes, write_weights
from limpid.training.load_recipe import load_recipe
from limpid.training.logger import Logger, epoch_line
from limpid.training.loop import FinishedStep, NotFiniteError, TrainingLoop
from limpid.training.options import TrainOptions
from limpid.training.procedure import unwrapped
from limpid.training.processes import noticing_lost_ones, per_step
from limpid.training.rehearsal import check_items, check_patience, check_scores, photos_of
from limpid.training.run_folder import (
    LAST,
    RECIPE,
    check_folder,
    drop_after,
    keep_options,
    kept_state,
    locked,
    remembered,
    state_file,
)
from limpid.training.run_state import tight, write_state
from limpid.training.same_run import fingerprints
from limpid.training.sample_images import at_native_size, remove_old, write_sample_images
from limpid.training.score_run import score_run
from limpid.training.set_up import launch, set_up, starting_weights
from limpid.training.stops import Stop, listening
from limpid.training.validation import merit
from limpid.weights.fetch import forbidding_downloads

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
    with forbidding_downloads(options.offline):
        code = score_run(loaded, folder, options) if options.test_only else run_recipe(loaded, folder, options)
    return TrainedRun(folder=folder, best=BestWeights(folder).path, exit_code=code)


def run_recipe(loaded: Loaded, folder: Path, options: TrainOptions) -> int:
    """Run a recipe in a folder until it ends, a limit is met or a signal comes; returns the exit code (0, 130 or 143).

    Raises UsageError for a folder in use, the errors of ``assemble`` and ``preflight``, NotFiniteError, NoRoomError and DiskError.
    """
    check_folder(folder, options)
    options = remembered(folder, options) if options.resume else options
    with listening() as stop, ExitStack() as stack:
        fabric = launch(loaded.recipe, options.device)
        assembly = assemble(loaded)
        fill(assembly.procedure, options.backbone_weights)
        _warn(assembly, loaded, fabric)
        _rehearse(assembly, loaded.recipe)
        data = fingerprints(assembly)
        if fabric.is_global_zero:
            stack.enter_context(locked(folder))
            check_folder(folder, options)  # another process may have been here since
        run = set_up(
            loaded,
            assembly,
            fabric,
            resume=state_file(folder, options.from_epoch) if options.resume else None,
            init=options.init,
            force=options.force,
            data=data,
        )
        with noticing_lost_ones(fabric.world_size):
            if not options.resume:
                check_scores(assembly.sets, separator_of(run, assembly.task))
            return Trainer(assembly, run, folder, options).go(stop)


def room_of(assembly: Assembly, recipe: Recipe, *, replacing: bool) -> int:
    """Bytes that the weights of a run will take on the disk, at rest or while a file is ``replacing`` another."""
    modules = assembly.procedure.networks
    return estimate(
        unwrapped(modules["network"]),
        discriminator=unwrapped(modules["discriminator"]) if "discriminator" in modules else None,
        moments=1 if recipe.optimiser.name == "sgd" else 2,
        average=bool(recipe.train.ema),
        keep=recipe.log.keep + 1,  # the weights of the end
        numbered=recipe.log.history if recipe.log.save_every > 0 else 0,
        states=recipe.log.history if recipe.log.state_every > 0 else 0,
        replacing=replacing,
    )


def _warn(assembly: Assembly, loaded: Loaded, fabric: "Fabric") -> None:
    """Look at the data before the first step; raises DataError, or says what is odd."""
    held_out = {scored.label: [part.source for part in scored.parts] for scored in assembly.sets}
    photos = per_step(loaded.recipe, fabric.world_size)
    for warning in check(assembly.sources, held_out, assembly.stream.length, photos):
        if fabric.is_global_zero:
            say(f"limpid: {warning}")


def _rehearse(assembly: Assembly, recipe: Recipe) -> None:
    """Find out what would fail later; raises what it finds."""
    check_patience(recipe)
    check_items(assembly.sources, assembly.task, recipe, assembly.stream.length, assembly.network.needs.multiple)
    if recipe.log.photos is not None and recipe.log.images:
        photos_of(recipe.log.photos)


def separator_of(run: TrainingLoop, task: Task, precision: str | None = None) -> Separator:
    """The average of a run, ready to run on photos in ``precision``, by default that of its training."""
    wanted = precision or run.recipe.train.precision
    arithmetic = "float32" if wanted == "float16" else wanted
    return Separator(run.ema.network, task, name=f"the network in training ({run.recipe.name})", precision=arithmetic)


class Trainer:
    """One process's part in a run; the first process writes, the others only compute."""

    def __init__(self, assembly: Assembly, run: TrainingLoop, folder: Path, options: TrainOptions) -> None:
        self.assembly, self.run, self.options = assembly, run, options
        self.folder, self.writes = folder, run.fabric.is_global_zero
        self.started = self.saved = time.monotonic()
        self._ended: int | None = None  # the epoch, from 1 on, that the next state to be saved stands at the end of
        log = run.recipe.log
        if self.writes:
            self.folder.mkdir(parents=True, exist_ok=True)
            remove_partial(self.folder)
            check_room(self.folder, room_of(assembly, run.recipe, replacing=True))
            (self.folder / RECIPE).write_text(dump(run.asked), encoding="utf-8")
            keep_options(self.folder, options)
            if options.from_epoch is not None:
                drop_after(self.folder, options.from_epoch)
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
            self.best = BestWeights(self.folder, keep=log.keep, until=options.from_epoch)
            self.numbered = NumberedWeights(self.folder, every=log.save_every, history=log.history)

    def go(self, stop: Stop) -> int:
        """All steps that are left; returns the exit code. Every ending leaves weights and says where the run stands."""
        try:
            if not self.run.step or self.options.from_epoch is not None:
                self._save()  # a run that is killed early goes on from the same start, whatever it was
            self._say_how_it_ended()
            if not self.run.step:
                self._score_start(stop)
            if self.run.due is not None:  # an epoch that a signal has interrupted
                self._end_epoch(stop)
                self._save()
            self._leave(self._train(stop))
        except Exception as error:
            self._rescue(error)
            raise
        finally:
            if self.writes:
                self.logger.close()
        return stop.asked or 0

    def _train(self, stop: Stop) -> str:
        """Step after step; returns why it ended. The state is saved at least before an epoch is scored, and at the end."""
        why = self._early()
        if why:
            return why
        with self.run.batches(self.assembly.stream, self.assembly.task) as batches:
            for done in self.run.steps(batches):
                self._record(done)
                why = self._asked(stop, done)
                if done.ends_epoch:
                    self.run.due = done.epoch
                    self._save()
                    self._end_epoch(stop)
                    why = self._asked(stop, done) or self._early()
                if why or done.ends_epoch or self._together(time.monotonic() - self.saved > _EVERY):
                    self._save()
                if why and self._is_left:
                    return why
        return "finished"

    @property
    def _is_left(self) -> bool:
        """Whether steps or scores are left to do."""
        return self.run.step < self.run.total or self.run.due is not None

    def _asked(self, stop: Stop, done: FinishedStep) -> str:
        """Why the run is to end here, in all processes alike; empty when it is not."""
        minutes, steps = self.options.max_minutes, self.options.max_steps
        late = minutes is not None and time.monotonic() - self.started > 60 * minutes
        reasons = {
            "stopped by a signal": stop.asked is not None,
            "stopped by --max-minutes": late,
            "stopped by --max-steps": steps is not None and done.step >= steps,
        }
        return next((reason for reason, holds in reasons.items() if self._together(holds)), "")

    def _early(self) -> str:
        """That no epoch was better for long enough, if so, in all processes alike."""
        patience = self.run.recipe.train.patience
        best = self.best.kept[0].epoch if self.writes and self.best.kept else None
        over = patience is not None and best is not None and self.run.epochs_done - best >= patience
        return f"stopped early, no epoch was better for {patience} (train.patience)" if self._together(over) else ""

    def _say_how_it_ended(self) -> None:
        if self.writes and self.run.ended:
            self.logger.note(f"goes on although it {self.run.ended}")
        self.run.ended = ""

    def _leave(self, why: str) -> None:
        """Weights of where the run stands, and a line about it."""
        if not self.writes:
            return
        self._say_start_is_best()
        write_weights(self.folder / END, with_notes(self._checkpoint(), step=self.run.step))
        run, best = self.run, self.best.kept
        lines = [f"{why}: step {run.step} of {run.total}, epoch {run.epochs_done} of {run.recipe.train.epochs} done"]
        lines += [f"{run.skipped} steps were left out, as their loss or gradient was no number"] if run.skipped else []
        lines += [f"best weights {self.folder / best[0].file} (epoch {best[0].epoch})"] if best else []
        lines += [f"last weights {self.folder / END}"]
        lines += [f"go on with `limpid train --resume {self.folder}`"] if self._is_left else []
        self.logger.note("; ".join(lines))
        if run.recipe.log.curves:
            self._draw()

    def _draw(self) -> None:
        """The curves of a run that has any."""
        try:
            draw_curves([self.folder], self.folder / CURVES)
        except UsageError:  # it ended before its first row
            return
        except MissingExtraError as error:
            self.logger.note(f"note: {error}; the curves are not drawn")

    def _rescue(self, error: Exception) -> None:
        """Leave what an error has spared: the state, unless it stands between the turns of a step, and weights."""
        diverged = isinstance(error, NotFiniteError)
        self.run.ended = f"{'diverged' if diverged else 'failed'} at step {self.run.step} ({' '.join(str(error).split())[:200]})"
        apart = self.run.sharded and not diverged  # the others may be past gathering
        state = None if self.run.torn or apart or not (self.writes or self.run.sharded) else self.run.state()
        if not self.writes:
            return
        try:
            if state is not None:
                self._write_state(state)
            self._leave(self.run.ended)
        except DiskError as second:  # which may be what has ended the run
            say(f"limpid: nothing more could be kept: {second}")

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
        if self.run.epochs_done and self.best.kept and self.best.kept[0].epoch == 0:
            self.logger.note("no epoch beats the weights that the run started from: they are kept as its best")

    def _record(self, done: FinishedStep) -> None:
        if not self.writes:
            return
        self.logger.step(done.step, done.epoch + 1, done.values, done.rates, done.samples, done.waited)
        if not done.moved:
            self.logger.note(f"step {done.step} left out: its loss or gradient is no number ({self.run.skipped} so far)")

    def _together(self, wanted: bool) -> bool:
        """All processes end after the same step, whoever wants it."""
        fabric = self.run.fabric
        if fabric.world_size == 1:
            return wanted
        return bool(fabric.all_reduce(torch.tensor(float(wanted), device=fabric.device), reduce_op="sum"))

    def _end_epoch(self, stop: Stop) -> None:
        """Scores, pictures and weights of the epoch that is due, if one is; it stays due when a signal cuts it short.

        The plateau is told by all processes alike.
        """
        if self.run.due is None:
            return
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
            return
        if self.run.plateau:
            self.run.plateau.after(score)
        self.run.due = None
        self._ended = epoch

    def _scores(self, stop: Stop) -> dict[str, dict[str, float]] | None:
        """Scores of the average on all sets by name; None when a signal came."""
        separator = separator_of(self.run, self.assembly.task)
        scores = {scored.label: scored.score(separator, lambda: stop.asked is None) for scored in self.assembly.sets}
        return None if None in scores.values() else {label: dict(found) for label, found in scores.items() if found is not None}

    def _show(self, epoch: int, step: int) -> None:
        """What the average makes of the recipe's photos, or of the first training inputs, as files and in TensorBoard."""
        log = self.run.recipe.log
        if not log.images:
            return
        photos: Sequence[Path | tuple[str, Tensor]] = (photos_of(log.photos) if log.photos else self._examples)[: log.images]
        separate = at_native_size(separator_of(self.run, self.assembly.task, "float32"))
        for line in write_sample_images(separate, photos, self.folder, epoch):
            self.logger.note(line)
        name, photo = next(iter(self._examples))
        self.logger.images(step, name, torch.stack([photo, *separate(photo).values()]))
        remove_old(self.folder, log.history)

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
        """Write ``last.pt``; the other processes wait, and hand over their shares of the weights if they hold shares."""
        state = self.run.state() if self.writes or self.run.sharded else {}
        if self.writes:
            self._write_state(state)
        self.saved = time.monotonic()
        self.run.fabric.barrier()

    def _write_state(self, found: Mapping[str, Any]) -> None:
        state = {**found, "logger": self.logger.state(), "recipe": dump(self.run.asked), "limpid": __version__}
        write_state(self.folder / LAST, state)
        if self._ended is not None:
            self._keep(state, self._ended)
        warning = tight(self.folder / LAST)
        if warning:
            self.logger.note(warning)

    def _keep(self, state: Mapping[str, Any], epoch: int) -> None:
        """Keep the state at the end of an epoch, if it is its turn, and remove what is too old."""
        self._ended = None
        log = self.run.recipe.log
        if log.state_every and epoch % log.state_every == 0:
            write_state(kept_state(self.folder, epoch), state)
            for path in sorted(self.folder.glob("state_*.pt"))[: -log.history] if log.history else ():
                path.unlink(missing_ok=True)
