"""Weights for inference that a run leaves: the best epochs, and every n-th one, in our own checkpoint format."""

import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from limpid.backbones._backbone import Backbone
from limpid.checkpoints import file
from limpid.checkpoints.file import Checkpoint
from limpid.files import DiskError, free, megabytes, parse_json, read_file, replacing

_BEST = re.compile(r"best_epoch_\d{4,}\.safetensors")
END = "last.safetensors"
"""Weights that a run leaves wherever it ends, below its folder; the best ones, where there are any, are better."""

RESUME = "free some space, then go on with --resume"
"""What to do when the disk of a run is full."""

_EPOCH = re.compile(r"epoch_(\d{4,})\.safetensors")

Make = Callable[[], Checkpoint]
"""Makes what is to be kept; called only when something is kept."""


def weights(network: nn.Module, precision: torch.dtype = torch.float16) -> dict[str, Tensor]:
    """What inference needs of a network, copied to the CPU in ``precision``, without ``published`` backbones.

    Integers, and what would turn infinite, keep their own precision. A tensor that has two names stays one.
    """
    absent = published(network)
    narrowed: dict[tuple[Any, ...], Tensor] = {}
    found: dict[str, Tensor] = {}
    for name, tensor in network.state_dict().items():
        key = (tensor.data_ptr() or name, tensor.shape, tensor.stride(), tensor.dtype)
        if not name.startswith(absent):
            found[name] = narrowed[key] = narrowed[key] if key in narrowed else _narrow(tensor, precision)
    return found


def published(network: nn.Module) -> tuple[str, ...]:
    """Prefixes of the tensors of frozen backbones that were filled from a published file, which anybody can fill in again.

    Random ones exist nowhere else, what a checkpoint brought may be anything, and what learns too is its own: they are not among
    them.
    """
    return tuple(
        f"{name}."
        for name, module in network.named_modules()
        if name and isinstance(module, Backbone) and module.origin not in (None, "none", "checkpoint") and not _trained(module)
    )


def write_weights(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint whole or not at all, flushed to the disk. Raises DiskError, the old file intact, when that fails."""
    with replacing(path, RESUME) as partial:
        file.save(partial, checkpoint)


@dataclass(frozen=True, kw_only=True)
class KeptWeights:
    """One file of weights: its name, when it was made, and its validation score (higher is better)."""

    file: str
    epoch: int
    step: int
    score: float


class BestWeights:
    """The ``keep`` best epochs of a run: ``best_epoch_0012.safetensors`` …, listed in ``best.json``, the best first.

    Files of that name that the list does not hold, left by a kill between two writes, are removed at the start, as are those of
    epochs after ``until``, where a run goes another way.
    """

    def __init__(self, folder: Path, *, keep: int = 2, until: int | None = None) -> None:
        self.folder, self.keep = folder, keep
        self._index = folder / "best.json"
        listed = _read(self._index)
        known = (kept for kept in listed or () if until is None or kept.epoch <= until)
        self.kept = tuple(kept for kept in known if (folder / kept.file).is_file())
        if listed is not None:
            if until is not None:
                self._write()
            self._sweep()

    @property
    def path(self) -> Path | None:
        """The best weights so far."""
        return self.folder / self.kept[0].file if self.kept else None

    def offer(self, make: Make, *, epoch: int, step: int, score: float) -> bool:
        """Keep the weights of an epoch if its ``score`` (higher is better) is among the best; the earlier one wins a tie.

        An epoch offered again, after a resume, takes its own place. A score that is not finite is never kept. Raises DiskError.
        """
        new = KeptWeights(file=f"best_epoch_{epoch:04d}.safetensors", epoch=epoch, step=step, score=score)
        others = [kept for kept in self.kept if kept.epoch != epoch]
        ranked = sorted((*others, new), key=lambda kept: (-kept.score, kept.epoch))[: self.keep]
        if not math.isfinite(score) or new not in ranked:
            return False
        write_weights(self.folder / new.file, with_notes(make(), epoch=epoch, step=step, score=score))
        self.kept = tuple(ranked)
        self._write()
        self._sweep()
        return True

    def _write(self) -> None:
        with replacing(self._index, RESUME) as partial:
            partial.write_text(json.dumps([asdict(kept) for kept in self.kept], indent=2) + "\n", encoding="utf-8")

    def _sweep(self) -> None:
        listed = {kept.file for kept in self.kept}
        for path in self.folder.glob("best_epoch_*.safetensors"):
            if _BEST.fullmatch(path.name) and path.name not in listed:
                path.unlink(missing_ok=True)


class NumberedWeights:
    """Weights of every ``every``-th epoch, ``epoch_0012.safetensors`` …, of which the newest ``history`` are kept.

    ``every`` of 0 or less: none; ``history`` of 0 or less: all.
    """

    def __init__(self, folder: Path, *, every: int = 0, history: int = 20) -> None:
        self.folder, self.every, self.history = folder, every, history

    def offer(self, make: Make, *, epoch: int, step: int) -> bool:
        """Keep the weights of an epoch if it is its turn, and remove what is too old. Raises DiskError."""
        if self.every <= 0 or epoch % self.every:
            return False
        write_weights(self.folder / f"epoch_{epoch:04d}.safetensors", with_notes(make(), epoch=epoch, step=step))
        for path in self.paths()[: -self.history] if self.history > 0 else ():
            path.unlink(missing_ok=True)
        return True

    def paths(self) -> list[Path]:
        """The numbered weights, by number."""
        matches = ((_EPOCH.fullmatch(path.name), path) for path in self.folder.glob("epoch_*.safetensors"))
        return [path for _, path in sorted((int(match[1]), path) for match, path in matches if match)]


def with_notes(checkpoint: Checkpoint, **notes: float) -> Checkpoint:
    """A checkpoint that says more of itself."""
    return replace(checkpoint, notes={**checkpoint.notes, **notes})


def _read(index: Path) -> list[KeptWeights] | None:
    """The list of the best; None when there is none that can be read, and then no file is superfluous."""
    try:
        rows: list[dict[str, Any]] = parse_json(read_file(index))
        return [KeptWeights(**row) for row in rows]
    except (OSError, ValueError, TypeError):
        return None


def _narrow(tensor: Tensor, precision: torch.dtype) -> Tensor:
    tensor = tensor.detach().cpu()
    if not tensor.is_floating_point():
        return tensor.clone()
    narrower = tensor.to(precision, copy=True)
    return narrower if bool(torch.isfinite(narrower).all()) else tensor.clone()


def estimate(
    network: nn.Module,
    *,
    discriminator: nn.Module | None = None,
    moments: int = 2,
    average: bool = True,
    keep: int = 2,
    numbered: int = 0,
    states: int = 0,
    replacing: bool = False,
) -> int:
    """Bytes that the weights of a run take on the disk: parameters × bytes × what is kept.

    ``moments``: numbers of the optimiser per trained parameter (Adam 2, SGD with momentum 1); ``average``: whether the state
    holds an average of the network; ``keep``, ``numbered``: files of the best and of numbered epochs, in float16;
    ``states``: states beside the last one; ``replacing``: while a file is replaced and the larger kind stands there twice.
    Networks on ``meta`` do as well.
    """
    last = sum(
        _bytes(_stored(module)) + moments * _bytes(_trained(module)) for module in (network, discriminator) if module is not None
    )
    last += average * _bytes(_stored(network))
    half = sum(2 * tensor.numel() if tensor.is_floating_point() else tensor.nbytes for tensor in _stored(network))
    return (1 + states) * last + (keep + numbered) * half + replacing * max(last, half)


def check_room(folder: Path, wanted: int) -> None:
    """Raise DiskError unless the disk of ``folder`` takes ``wanted`` bytes in all, including what the run has written there."""
    mine = sum(path.stat().st_size for kind in ("*.pt", "*.safetensors") for path in folder.glob(kind))
    if free(folder) < wanted - mine:
        raise DiskError(
            f"the run needs {megabytes(wanted)} in {folder}, where {megabytes(free(folder))} are free and it holds"
            f" {megabytes(mine)}; make room, name another folder with --out, or lower log.keep or log.history"
        )


def _stored(network: nn.Module) -> list[Tensor]:
    """Parameters and buffers that a checkpoint holds, each once."""
    absent = published(network)
    named = (*network.named_parameters(), *network.named_buffers())
    return [tensor for name, tensor in named if not name.startswith(absent)]


def _trained(network: nn.Module) -> list[Tensor]:
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors)
