"""The options of ``limpid train`` and ``limpid.train``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from limpid.options import DownloadOptions, option


@dataclass(frozen=True, kw_only=True)
class TrainOptions(DownloadOptions):
    """How a recipe is to be run; what is to be trained is the recipe's own business.

    ``recipe``: name of a shipped one, a file, or, with ``resume`` and ``test_only``, the folder of a run, which then is all that
    it takes; ``overrides``: ``key=value`` and ``NAME=folder``. The run goes to the folder ``out``/``name``. ``resume``: go on from
    its state, ``from_epoch``: from the one kept after that epoch, ``force``: although recipe or data differ. Any
    number of processes that can share the steps of a run goes on with it.
    ``init``:
    checkpoint to start the network from, or the name of shipped weights; it is scored as epoch 0. ``max_steps``,
    ``max_minutes``: end early, resumable. ``wandb``: also log there.
    """

    recipe: str | None = option(None, "A shipped recipe, a YAML file, or a run's folder.", argument=True)
    overrides: Sequence[str] = option((), "E.g. train.epochs=20 data.batch=4 VOC=/data/voc", argument=True, metavar="[KEY=VALUE]…")
    name: str | None = option(None, "Name of the run (that of the recipe).")
    out: Path = option(Path("runs"), "Folder of runs; this one goes to OUT/NAME.")
    resume: bool = option(False, "Go on where the run stands: --resume runs/NAME.")
    from_epoch: int | None = option(None, "Resume from the state kept after this epoch (log.state_every).", minimum=1)
    force: bool = option(False, "Resume although recipe or data differ.")
    init: Path | None = option(None, "Weights to start from: a shipped NAME, or a FILE, ours or a published one.")
    test_only: bool = option(False, "No training: score the run's best weights, dump pictures.")
    devices: int | None = option(None, "Processes, one per device (train.devices).", minimum=1)
    nodes: int | None = option(None, "Machines, each with so many processes (train.nodes).", minimum=1)
    strategy: Literal["ddp", "fsdp"] | None = option(
        None, "ddp: a whole network per process; fsdp: a share of its weights (train.strategy)."
    )
    device: str = option("auto", "auto, cpu, cuda or mps.")
    backbone_weights: str = option("pretrained", "Of pretrained backbones: pretrained, FILE, DIR, or none (random).")
    max_steps: int | None = option(None, "Stop after this step, resumable.", minimum=1)
    max_minutes: float | None = option(None, "Stop after so many minutes, resumable.", minimum=0.0)
    allow_missing: bool = option(False, "Leave out photos of paired folders without a partner.")
    on_mismatch: Literal["refuse", "crop", "resize", "skip"] | None = option(
        None, "Pairs of unequal size: refuse, crop, resize or skip."
    )
    comment: str | None = option(None, "A note that stays with the run.")
    wandb: bool = option(False, "Also log to Weights & Biases (offline unless you are logged in).")
    quiet: bool = option(False, "Only errors.", "--quiet", "-q")
