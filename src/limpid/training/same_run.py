"""Whether a run goes on as what it was: the same recipe, the same data, the same steps."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from limpid.data.fingerprint import fingerprint
from limpid.errors import LimpidError, UsageError
from limpid.progress import say
from limpid.recipe.load import parse, plain
from limpid.recipe.models import Recipe
from limpid.training.assemble import Assembly
from limpid.training.processes import per_step, shared

HARMLESS = (
    "name",
    "source",
    "comment",
    "log",
    "data.test",
    "data.workers",
    "train.epochs",
    "train.threads",
    "train.strategy",
    "train.patience",
    "train.init",
)
"""Keys whose values decide how long a run lasts and what it leaves, not what its next step does (a cosine apart)."""

SHARES = ("data.batch", "train.accumulate", "train.devices", "train.nodes")
"""Keys that may differ as long as a step keeps its photos."""


def fingerprints(assembly: Assembly) -> dict[str, str]:
    """What the files of every source are like, by its place in the recipe; sources that make their photos have none."""
    held_out = [part.source for scored in assembly.sets if scored.label == "validation" for part in scored.parts]
    found = {"data.train": assembly.sources, "data.validate": held_out}
    files = {f"{name}.{place}": source.files() for name, sources in found.items() for place, source in enumerate(sources)}
    return {name: fingerprint(paths) for name, paths in files.items() if paths}


def check_same(state: Mapping[str, Any], recipe: Recipe, data: Mapping[str, str], *, world: int, force: bool) -> Recipe:
    """Refuse to go on with another recipe or other data, or say what differs; returns the recipe to go on with.

    Another number of processes takes other shares of the steps: they keep their photos.

    ``state``: that of the run; ``data``: its fingerprints now. Raises UsageError for a difference that is not ``HARMLESS``, unless
    ``force`` is given.
    """
    mine, free = _shared(state, recipe, world)
    changes = [(key, text) for key, text in _recipe_changes(state["recipe"], recipe) if key not in free]
    harmless = [text for key, text in changes if key.startswith(HARMLESS)]
    grave = [text for key, text in changes if not key.startswith(HARMLESS)]
    if state["world"] != world and not free:
        grave.append(f"processes: {state['world']} then, {world} now")
    then = state.get("data", data)  # runs of before did not keep it
    grave += [
        f"{name}: {then.get(name, 'nothing')} then, {data.get(name, 'nothing')} now"
        for name in {**then, **data}
        if then.get(name) != data.get(name)
    ]
    if grave and not force:
        raise UsageError(f"the run was started with another recipe or other data ({'; '.join(grave)}); undo that, or add --force")
    if grave:
        say(f"limpid: going on although recipe or data differ: {'; '.join(grave)}")
    if harmless:
        say(f"limpid: going on with {'; '.join(harmless)}")
    return mine


def _shared(state: Mapping[str, Any], recipe: Recipe, world: int) -> tuple[Recipe, tuple[str, ...]]:
    """The recipe with the shares that keep the steps of a run as they were, and the keys that are free to differ then."""
    try:
        was = parse(state["recipe"], Path("the recipe of the run")).recipe
    except LimpidError:
        return recipe, ()
    photos = state.get("photos", per_step(was, state["world"]))
    if per_step(recipe, world) == photos:
        return recipe, SHARES
    if (recipe.data.batch, recipe.train.accumulate) != (was.data.batch, was.train.accumulate):
        return recipe, ()
    mine = shared(recipe, photos, world)
    say(f"limpid: a step keeps its {photos} photos: data.batch={mine.data.batch} train.accumulate={mine.train.accumulate}")
    return mine, SHARES


def _recipe_changes(text: str, now: Recipe) -> Iterator[tuple[str, str]]:
    """The keys whose values differ, and both values for a person."""
    try:
        was = plain(parse(text, Path("the recipe of the run")).recipe)
    except LimpidError as error:
        yield "", f"its recipe cannot be read any more: {error}"
        return
    then, today = dict(_leaves(was)), dict(_leaves(plain(now)))
    for key in {**then, **today}:
        if key not in then or key not in today or then[key] != today[key]:
            yield key, f"{key}: {then.get(key, 'nothing')} then, {today.get(key, 'nothing')} now"


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, (*path, str(key)))
    elif isinstance(value, Sequence) and not isinstance(value, str) and any(isinstance(item, Mapping) for item in value):
        for place, item in enumerate(value):
            yield from _leaves(item, (*path, str(place)))
    else:
        yield ".".join(path), value
