"""The folder is the catalogue: each file of a catalogued folder is one thing, its stem the name, its ENTRY the description.

Listing reads the folder and imports nothing; finding imports that one file. Third parties join through the entry-point
group ``limpid.KIND`` (``limpid.models``, ``limpid.mixtures``, …), whose objects are ``Entry`` instances.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, Literal

from limpid.errors import UnknownNameError

FOLDERS = {
    "models": "models",
    "backbones": "backbones",
    "mixtures": "physics/mixtures",
    "degradations": "physics/degradations",
    "losses": "losses",
    "metrics": "metrics",
    "sources": "data/sources",
    "sets": "data/sets",
    "procedures": "training/procedures",
    "converters": "checkpoints/convert",
}
"""Kind of thing → its folder below the package."""

Tiling = Literal["harmless", "discouraged", "never"]
Takes = Literal["layer", "scene", "logits", "teacher"]
"""``layer``: an estimate and its target; ``scene``: all layers and the batch; ``logits``: what a discriminator says of both;
``teacher``: maps of a student and of its teacher."""

_ROOT = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Nested:
    """Marks a setting that is itself a list of catalogued things: ``Annotated[Sequence[Formation], Nested(kind="mixtures")]``.

    ``weighted``: the owner takes (thing, weight) pairs.
    """

    kind: str
    weighted: bool = False


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a bare network asks of its input; the runtime provides it.

    ``multiple``: height and width must be divisible by it. ``minimum``: smallest side. ``tiling``: whether tiles with an
    overlap of the receptive radius give the same layers as the whole photo. ``phase``: tiles start at multiples of it, pixels
    (None: of ``multiple``), a multiple of ``multiple``. ``precisions``: those that the network keeps
    its quality in, ``float32`` always among them.
    """

    multiple: int = 1
    minimum: int = 1
    tiling: Tiling = "harmless"
    precisions: tuple[str, ...] = ("float32",)
    phase: int | None = None

    @property
    def grid(self) -> int:
        """What the starts of tiles are multiples of, pixels."""
        return self.phase or self.multiple


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One catalogued thing.

    ``build`` makes it from keyword settings, so its signature is the schema of a recipe. ``source`` names authors, venue
    and identifier, ``licence`` that of the authors' code and files. The rest concerns networks: ``tasks`` and ``layers``
    they answer with, named ``sizes`` (settings of ``build``; the first is the default, ``tiny`` the one tests use), ``needs``.
    ``takes``: what a loss is computed from, see ``Takes``.
    """

    build: Callable[..., Any]
    source: str
    licence: str = "not known here; ask the authors"
    tasks: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    sizes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    needs: Needs = Needs()
    takes: Takes | None = None


def names(kind: str) -> list[str]:
    """Names of all things of a kind, sorted, without importing any of them.

    Raises UnknownNameError when there is no such kind.
    """
    return sorted({path.stem for path in _folder(kind).glob("[!_]*.py")} | set(_third_party(kind)))


def find(kind: str, name: str) -> Entry:
    """The entry of one thing; imports its file alone.

    Raises UnknownNameError, with the nearest spelling, when there is no such kind or name.
    """
    if (_folder(kind) / f"{name}.py").is_file() and name.isidentifier() and not name.startswith("_"):
        module = import_module(f"limpid.{FOLDERS[kind].replace('/', '.')}.{name}")
        entry: Entry = module.ENTRY
        return entry
    third_party = _third_party(kind)
    if name not in third_party:
        raise UnknownNameError(kind.rstrip("s"), name, names(kind))
    loaded: Entry = third_party[name].load()
    return loaded


def settings_of(entry: Entry, size: str | None) -> Mapping[str, Any]:
    """Settings of a named size (the first one when ``size`` is None).

    Raises UnknownNameError for a size that the entry does not have.
    """
    if not entry.sizes and size is None:
        return {}
    if size is None:
        return next(iter(entry.sizes.values()))
    if size not in entry.sizes:
        raise UnknownNameError("size", size, entry.sizes)
    return entry.sizes[size]


def _folder(kind: str) -> Path:
    if kind not in FOLDERS:
        raise UnknownNameError("catalogue", kind, FOLDERS)
    return _ROOT / FOLDERS[kind]


def _third_party(kind: str) -> dict[str, metadata.EntryPoint]:
    return {point.name: point for point in metadata.entry_points(group=f"limpid.{kind}")}
