"""What a training elsewhere needs: the code, the recipes, weights to start from, and the words of its commands."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from limpid.errors import UsageError
from limpid.recipe import overrides as changes
from limpid.recipe.load import find, load
from limpid.recipe.text import read
from limpid.recipe.variables import names_in
from limpid.remote.options import RemoteOptions
from limpid.remote.wheel import write_wheel
from limpid.weights import manifest

_ANYWHERE = "/anywhere"  # a folder that stands for those of the other machine while a recipe is checked


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """What travels: recipes (file name → where it lies here), and a file to start from.

    ``names``: of their runs; ``places_of``: file name → the places in it; ``places``: those that nobody has named.
    """

    recipes: Mapping[str, Path]
    names: tuple[str, ...]
    init: Path | None
    places_of: Mapping[str, frozenset[str]]
    places: frozenset[str]


def check_parcel(options: RemoteOptions, given: Sequence[str] = ()) -> Parcel:
    """Look at the recipes as they will be run there; ``given``: places of the recipe that have a folder there.

    Raises UsageError without a recipe or for two of one name, a file to start from that is not there, and what ``load`` raises.
    """
    if not options.recipes:
        raise UsageError("name a recipe; `limpid train --list` shows those that come with limpid")
    named = set(changes.parse(options.overrides)[1]) | set(given)
    recipes: dict[str, Path] = {}
    places_of: dict[str, frozenset[str]] = {}
    names = []
    for recipe in options.recipes:
        origin, wanted = _places(recipe)
        stand_ins = [f"{name}={_ANYWHERE}" for name in wanted if name in given or name not in named]
        loaded = load(recipe, [*options.overrides, *stand_ins])
        if origin.name in recipes:
            raise UsageError(f"two recipes are called {origin.name}; rename one")
        recipes[origin.name] = origin
        names.append(loaded.recipe.name)
        places_of[origin.name] = wanted
    if len(set(names)) < len(names):
        raise UsageError(f"two recipes give their run one name ({', '.join(sorted(names))}); rename one")
    missing = frozenset[str]().union(*places_of.values()) - named
    init = None
    if options.init is not None and options.init not in manifest.rows():
        init = Path(options.init)
        if not init.is_file():
            raise UsageError(f"{init}: no such file of weights; name shipped ones ({', '.join(manifest.rows())}) or a file")
    return Parcel(recipes=recipes, names=tuple(names), init=init, places_of=places_of, places=missing)


def pack(parcel: Parcel, folder: Path, *, code: bool = True) -> None:
    """Put everything into a folder, which is made; ``code``: also this code as a wheel."""
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("limpid-*.whl"):
        stale.unlink()
    if code:
        write_wheel(folder)
    for name, path in parcel.recipes.items():
        shutil.copyfile(path, folder / name)
    if parcel.init is not None:
        shutil.copyfile(parcel.init, folder / parcel.init.name)


def train_words(options: RemoteOptions, recipe: str, init: str | None, places: Sequence[str] = ()) -> list[str]:
    """The words after ``limpid`` that run one recipe there, without those that say whether it is new."""
    words = ["train", recipe, *options.overrides, *places]
    words += ["--max-minutes", f"{options.max_minutes:g}"] if options.max_minutes is not None else []
    words += ["--backbone-weights", options.backbone_weights] if options.backbone_weights is not None else []
    words += ["--comment", options.comment] if options.comment is not None else []
    words += ["--device", "cpu"] if options.cpu else []
    words += ["--wandb"] if options.wandb else []
    return words + (["--init", init] if init is not None else [])


def _places(recipe: str) -> tuple[Path, frozenset[str]]:
    """The file of a recipe and the names of places in it."""
    origin = find(recipe)
    return origin, frozenset(names_in(read(origin.read_text(encoding="utf-8-sig"), str(origin)).data))
