"""From the options of a training to its recipe and its folder."""

import json
from pathlib import Path

from limpid.errors import UsageError
from limpid.recipe.load import Loaded, load
from limpid.training.options import TrainOptions


def load_recipe(options: TrainOptions) -> tuple[Loaded, Path]:
    """The recipe with everything that the options change in it, and the folder of the run.

    Raises UsageError without a recipe or for options that it has no use for, and what ``recipe.load`` raises.
    """
    if options.recipe is None:
        raise UsageError(
            "name a recipe: `limpid train --list` shows those that come with limpid, `limpid train FILE.yaml` takes yours"
        )
    given = list(options.overrides)
    given += [f"train.devices={options.devices}"] if options.devices is not None else []
    if options.comment is not None:
        given.append(f"comment={json.dumps(options.comment.replace('$', '$$'), ensure_ascii=False)}")
    loaded = load(options.recipe, [*given, *_pairs(options, given)])
    return loaded, options.out / (options.name or loaded.recipe.name)


def _pairs(options: TrainOptions, given: list[str]) -> list[str]:
    """The overrides that tell every source of paired folders what to let pass."""
    if options.recipe is None or (not options.allow_missing and options.on_mismatch is None):
        return []
    wanted = []
    for place, item in enumerate(load(options.recipe, given).recipe.data.train):
        if item.name in ("pairs", "unaligned"):
            wanted += [f"data.train.{place}.allow_missing=true"] if options.allow_missing else []
            wanted += [f"data.train.{place}.on_mismatch={options.on_mismatch}"] if options.on_mismatch is not None else []
    if not wanted:
        raise UsageError("--allow-missing and --on-mismatch concern paired folders; this recipe trains on none")
    return wanted
