"""How many processes train together, and how a run goes on with another number of them: a step keeps its photos."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from limpid.errors import LimpidError, UsageError
from limpid.recipe.models import Recipe, Train


class LostProcessError(LimpidError):
    """Another process of a run has died or cannot be reached; the last state of the run is whole."""


@contextmanager
def noticing_lost_ones(world: int) -> Iterator[None]:
    """Turn what is raised when another of ``world`` processes is gone into a LostProcessError.

    NCCL has a class of errors for that; those of gloo are told by their text.
    """
    try:
        yield
    except RuntimeError as error:
        text = str(error)
        gone = isinstance(error, torch.distributed.DistError) or "gloo" in text.lower() or "closed by peer" in text
        if world == 1 or not gone:
            raise
        raise LostProcessError(
            "another process of this run died or cannot be reached; go on with --resume, with as many processes as there are"
        ) from error


def processes(train: Train) -> tuple[int, int]:
    """Processes per machine, and machines: what started this one says (torchrun), else the recipe."""
    if torch.distributed.is_available() and torch.distributed.is_torchelastic_launched():
        here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        return here, int(os.environ["WORLD_SIZE"]) // here
    return train.devices, train.nodes


def per_step(recipe: Recipe, world: int) -> int:
    """Photos of a step over all processes."""
    return recipe.data.batch * recipe.train.accumulate * world


def shared(recipe: Recipe, photos: int, world: int) -> Recipe:
    """The recipe whose steps have so many ``photos`` over ``world`` processes; its batch does not grow, so memory does not either.

    Step s then holds the photos that it held before, whichever process they go to. Raises UsageError when the photos cannot be
    shared equally.
    """
    if per_step(recipe, world) == photos:
        return recipe
    if photos % world:
        counts = ", ".join(str(count) for count in range(1, photos + 1) if photos % count == 0)
        raise UsageError(f"a step of this run has {photos} photos, which {world} processes cannot share; take {counts} processes")
    mine = photos // world
    batch = max(size for size in range(1, recipe.data.batch + 1) if mine % size == 0)
    data = recipe.data.model_copy(update={"batch": batch})
    train = recipe.train.model_copy(update={"accumulate": mine // batch})
    return recipe.model_copy(update={"data": data, "train": train})
