"""What a network knows of a whole photo while it looks at one tile of it, as an explicit object.

Some parts of a network see everything: means that steer channels, norms over the map, a transformer. ``LayerNetwork.context`` runs
a network on the whole photo once and keeps what those parts found, by the name of their module; ``network(tile, context=…)``
answers with it in place of what the tile alone would tell. What is left depends on the surroundings of a pixel only, so a tile
with a halo of the network's radius gives what the whole photo gives.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn

from limpid.errors import ShapeError

Shape = tuple[int | None, ...]
"""Expected sizes of a tensor after its batch dimension; None stands for any."""


@dataclass(frozen=True, kw_only=True)
class Tile:
    """Where a tile lies: its first row and column on a photo of ``height`` × ``width`` pixels, padding included."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True)
class Context:
    """What the global parts of a network found on one photo.

    ``seen``: height and width, pixels, of the photo they were shown; it may be a reduced copy of the one that is cut into tiles.
    ``entries``: name of the module → its tensors, in their order. ``tile``: where the tile at hand lies, None for the whole photo.
    """

    seen: tuple[int, int]
    entries: Mapping[str, tuple[Tensor, ...]]
    tile: Tile | None = None

    def at(self, tile: Tile) -> "Context":
        """The same context for a tile of the photo."""
        return replace(self, tile=tile)


class PassesRecall:
    """Marks a module whose forward takes ``recall`` after its features, for itself or for modules inside."""


class GlobalModule(nn.Module, PassesRecall):
    """A module that sees the whole photo: it asks the recall for what needs all of it, and a context has an entry of it."""


class Recall:
    """One forward's memory: records what global modules find, or answers from a context; handed down from module to module.

    ``modules``: name → those of the network that a context has entries of. ``context``: None records. Raises ShapeError, naming the
    module, when the context lacks an entry or holds one of another network.
    """

    def __init__(self, modules: Mapping[str, nn.Module], context: Context | None = None) -> None:
        self.context = context
        self.found: dict[str, tuple[Tensor, ...]] = {}
        self._names = {id(module): name for name, module in modules.items()}
        if context is not None:
            _compare(modules, context.entries)

    def tensors(self, module: nn.Module, compute: Callable[[], Iterable[Tensor]], shapes: Sequence[Shape]) -> Iterator[Tensor]:
        """The tensors that ``compute`` makes one after another, kept by the name of ``module``, or those of the context.

        ``shapes``: what they must be, one for each, without the batch. Raises ShapeError that names the module.
        """
        name = self._names[id(module)]
        if self.context is not None:
            yield from _checked(name, self.context.entries[name], shapes)
            return
        if name in self.found:
            raise ShapeError(f"the module {name!r} was asked twice in one forward; a context holds one answer of each module")
        self.found[name] = ()
        for tensor in compute():
            self.found[name] += (tensor,)
            yield tensor


def recalled(
    recall: Recall | None, module: nn.Module, compute: Callable[[], Iterable[Tensor]], shapes: Sequence[Shape]
) -> Iterator[Tensor]:
    """What ``Recall.tensors`` gives; without a recall what ``compute`` makes."""
    return iter(compute()) if recall is None else recall.tensors(module, compute, shapes)


def tile_of(recall: Recall | None) -> Tile | None:
    """Where the tile at hand lies; None when the network sees a whole photo."""
    return None if recall is None or recall.context is None else recall.context.tile


def _compare(wanted: Mapping[str, nn.Module], entries: Mapping[str, tuple[Tensor, ...]]) -> None:
    missing = [name for name in wanted if name not in entries]
    surplus = [name for name in entries if name not in wanted]
    if missing:
        raise ShapeError(f"the context lacks the module {missing[0]!r} ({len(missing)} in all); make it with this network.context")
    if surplus:
        raise ShapeError(f"the context has an entry of {surplus[0]!r}, no global module of this network ({len(surplus)} in all)")


def _checked(name: str, tensors: Sequence[Tensor], shapes: Sequence[Shape]) -> Sequence[Tensor]:
    if len(tensors) != len(shapes):
        raise ShapeError(f"the context holds {len(tensors)} tensors of the module {name!r}; expected {len(shapes)}")
    for tensor, shape in zip(tensors, shapes, strict=True):
        sides = tuple(tensor.shape[1:])
        if len(sides) != len(shape) or any(want not in (None, side) for side, want in zip(sides, shape, strict=True)):
            expected = "×".join("any" if side is None else str(side) for side in shape)
            raise ShapeError(f"the context holds {tuple(tensor.shape)} of the module {name!r}; expected a batch of {expected}")
    return tensors
