"""From the options of a training to its recipe and its folder."""

import json
from dataclasses import replace
from pathlib import Path

from limpid.errors import UsageError
from limpid.recipe.absolute import absolute
from limpid.recipe.load import Loaded, load
from limpid.training.options import TrainOptions
from limpid.training.run_folder import RECIPE


def load_recipe(options: TrainOptions) -> tuple[Loaded, Path]:
    """The recipe with everything that the options change in it and with absolute paths, and the folder of the run.

    The folder of a run stands for the recipe that it keeps. Raises UsageError without a recipe or for options that it has no use
    for, and what ``recipe.load`` raises.
    """
    if options.recipe is None:
        raise UsageError(
            "name a recipe: `limpid train --list` shows those that come with limpid, `limpid train FILE.yaml` takes yours"
        )
    run = _run(options)
    given = list(options.overrides)
    given += [f"train.devices={options.devices}"] if options.devices is not None else []
    given += [f"train.nodes={options.nodes}"] if options.nodes is not None else []
    given += [f"train.strategy={options.strategy}"] if options.strategy is not None else []
    given += [f"name={_text(options.name)}"] if options.name is not None else []
    given += [f"comment={_text(options.comment)}"] if options.comment is not None else []
    source = options.recipe if run is None else str(run / RECIPE)
    loaded = load(source, [*given, *_pairs(options, source, given)])
    loaded = replace(loaded, recipe=absolute(loaded.recipe))
    return loaded, options.out / loaded.recipe.name if run is None else run


def _run(options: TrainOptions) -> Path | None:
    """The folder of the run that stands in the place of a recipe, if one does. Raises UsageError for what cannot be meant."""
    run = Path(options.recipe or "")
    if not (run / RECIPE).is_file():
        return None
    if not options.resume and not options.test_only:
        raise UsageError(f"{run} is a run; go on with `limpid train --resume {run}`, score it with --test-only, or name a recipe")
    if options.name is not None:
        raise UsageError(f"{run} is the run itself; leave out --name")
    return run


def _text(value: str) -> str:
    """A text as an override may hold it."""
    return json.dumps(value.replace("$", "$$"), ensure_ascii=False)


def _pairs(options: TrainOptions, source: str, given: list[str]) -> list[str]:
    """The overrides that tell every source of paired folders what to let pass."""
    if not options.allow_missing and options.on_mismatch is None:
        return []
    wanted = []
    for place, item in enumerate(load(source, given).recipe.data.train):
        if item.name in ("pairs", "unaligned"):
            wanted += [f"data.train.{place}.allow_missing=true"] if options.allow_missing else []
            wanted += [f"data.train.{place}.on_mismatch={options.on_mismatch}"] if options.on_mismatch is not None else []
    if not wanted:
        raise UsageError("--allow-missing and --on-mismatch concern paired folders; this recipe trains on none")
    return wanted
