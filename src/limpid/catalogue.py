"""The folder is the catalogue: each file of a catalogued folder is one thing, its stem the name, its ENTRY the description.

Listing reads the folder and imports nothing; finding imports that one file. Third parties join through the entry-point
group ``limpid.KIND`` (``limpid.models``, ``limpid.mixtures``, …), whose objects are entries.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from limpid.errors import UnknownNameError

if TYPE_CHECKING:
    from limpid.layers.network import LayerNetwork

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

Setting: TypeAlias = None | bool | int | float | str | Sequence[Any] | Mapping[str, Any]
Settings: TypeAlias = Mapping[str, Setting]
"""What a recipe or a checkpoint can say of one thing: plain values by the names of its constructor's parameters."""

Takes = Literal["layer", "scene", "logits", "teacher", "unpaired"]
"""``layer``: an estimate and its target; ``scene``: all layers and the batch; ``logits``: what a discriminator says of both;
``teacher``: maps of a student and of its teacher; ``unpaired``: a translation of photos and of samples, and the batch."""

_ROOT = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Nested:
    """Marks a setting that is itself a list of catalogued things: ``Annotated[Sequence[Formation], Nested(kind="mixtures")]``.

    ``weighted``: the owner takes (thing, weight) pairs.
    """

    kind: str
    weighted: bool = False


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One catalogued thing.

    ``build`` makes it from keyword settings, so its signature is the schema of a recipe. ``source`` names authors, venue
    and identifier, ``licence`` that of the authors' code and files.
    """

    build: Callable[..., Any]
    source: str
    licence: str = "not known here; ask the authors"


@dataclass(frozen=True, kw_only=True)
class ModelEntry(Entry):
    """A network: the ``tasks`` it does, the usual one first, the ``layers`` it answers with, and named ``sizes``.

    A size is settings of ``build``; the first is the default, ``tiny`` the one that tests use.
    """

    build: Callable[..., "LayerNetwork"]
    tasks: tuple[str, ...]
    layers: tuple[str, ...]
    sizes: Mapping[str, Settings] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LossEntry(Entry):
    """A loss; ``takes``: what it is computed from, see ``Takes``; None for one that no recipe can name."""

    takes: Takes | None = None


@dataclass(frozen=True, kw_only=True)
class MetricEntry(Entry):
    """A number about an estimate, the ``tasks`` that it is meant for (none: any), and what it compares with.

    ``against``: one true layer, all ``layers`` of the task one after another, or ``judgements`` of people.
    """

    tasks: tuple[str, ...] = ()
    against: Literal["layer", "layers", "judgements"] = "layer"


@dataclass(frozen=True, kw_only=True)
class SourceEntry(Entry):
    """A source of training pairs and the ``tasks`` whose layers its pairs hold; none: any."""

    tasks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SetEntry(Entry):
    """A data set and the ``tasks`` that it measures or trains; none: any.

    ``scenes``: where its photos repeat scenes, a pattern whose group ``scene`` names that of a stem. ``synthetic``: its pairs are
    computed, not photographed. ``home``: the page of its authors, empty where there is none. ``counts``: published numbers of
    items, of a set that is not built without settings.
    """

    tasks: tuple[str, ...] = ()
    scenes: str = ""
    synthetic: bool = False
    home: str = ""
    counts: tuple[int, ...] = ()


def names(kind: str) -> list[str]:
    """Names of all things of a kind, sorted, without importing any of them.

    Raises UnknownNameError when there is no such kind.
    """
    return sorted(_stems(kind) | set(_points(kind)))


@overload
def find(kind: Literal["models"], name: str) -> ModelEntry: ...


@overload
def find(kind: Literal["losses"], name: str) -> LossEntry: ...


@overload
def find(kind: Literal["metrics"], name: str) -> MetricEntry: ...


@overload
def find(kind: Literal["sources"], name: str) -> SourceEntry: ...


@overload
def find(kind: Literal["sets"], name: str) -> SetEntry: ...


@overload
def find(kind: str, name: str) -> Entry: ...


def find(kind: str, name: str) -> Entry:
    """The entry of one thing; imports its file alone.

    Raises UnknownNameError, with the nearest spelling, when there is no such kind or name.
    """
    module = _own_module(kind, name)
    entry: Entry = import_module(module).ENTRY if module else _third_party(kind, name).load()
    return entry


def module_of(kind: str, name: str) -> str:
    """Name of the module that an entry stands in, for its first lines; nothing is imported. Raises like ``find``."""
    return _own_module(kind, name) or _third_party(kind, name).module


def sizes_of(entry: Entry) -> Mapping[str, Settings]:
    """Named sizes of a network; nothing else has any."""
    return entry.sizes if isinstance(entry, ModelEntry) else {}


def settings_of(entry: Entry, size: str | None) -> Settings:
    """Settings of a named size (the first one when ``size`` is None).

    Raises UnknownNameError for a size that the entry does not have.
    """
    sizes = sizes_of(entry)
    if size is None:
        return next(iter(sizes.values()), {})
    if size not in sizes:
        raise UnknownNameError("size", size, sizes)
    return sizes[size]


def _stems(kind: str) -> set[str]:
    """Names that files of the folder give."""
    if kind not in FOLDERS:
        raise UnknownNameError("catalogue", kind, FOLDERS)
    return {path.stem for path in (_ROOT / FOLDERS[kind]).glob("[!_]*.py")}


def _own_module(kind: str, name: str) -> str | None:
    """Name of the file's module here; None for what is not here."""
    here = name.isidentifier() and name in _stems(kind)
    return f"limpid.{FOLDERS[kind].replace('/', '.')}.{name}" if here else None


def _third_party(kind: str, name: str) -> metadata.EntryPoint:
    points = _points(kind)
    if name not in points:
        raise UnknownNameError(kind.rstrip("s"), name, names(kind))
    return points[name]


def _points(kind: str) -> dict[str, metadata.EntryPoint]:
    return {point.name: point for point in metadata.entry_points(group=f"limpid.{kind}")}
