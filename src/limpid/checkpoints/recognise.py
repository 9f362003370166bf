"""Which network a set of tensors is, by names and shapes alone."""

import re
from collections.abc import Iterable, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from inspect import signature
from pathlib import Path

from torch import Tensor

from limpid import catalogue
from limpid.catalogue import Settings
from limpid.checkpoints.convert._converter import Converter, Told
from limpid.checkpoints.convert._shapes import Shapes, shapes_of
from limpid.checkpoints.unwrap import Candidate, Weights, candidates, is_averaged
from limpid.errors import LimpidError, MissingExtraError, UnrecognisedError, WeightsError

_SHOWN = 5  # names that a message lists
_FAMILIES = 2  # networks that are compared in all their sizes


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """A network's name in the catalogue, its settings, its tensors under our names, and the prefix taken off theirs.

    ``beside``: the prefix of the other set of weights where an average lies beside raw ones, else empty.
    """

    model: str
    settings: Settings
    tensors: Mapping[str, Tensor]
    prefix: str
    beside: str = ""


def recognise(tensors: Mapping[str, Tensor], source: str, weights: Weights = "averaged") -> Recognised:
    """Find the network, asking every converter, then comparing with every named size; ``source`` names the file in messages.

    Tensors under a prefix are tried when the whole set fits nothing (a file with networks of losses beside the one wanted).
    ``weights``: which of two that differ in that word. Raises UnrecognisedError when nothing fits, with the nearest network and
    what differs, WeightsError when more than one does.
    """
    found: list[Recognised] = []
    depth = 0
    for candidate in candidates(tensors):
        if found and candidate.prefix.count(".") > depth:
            break
        depth = candidate.prefix.count(".")
        found += _fits(candidate)
    if not found:
        raise UnrecognisedError(_nearest(tensors, source))
    if len(found) == 2 and is_averaged(found[0].prefix) != is_averaged(found[1].prefix):
        averaged, raw = sorted(found, key=lambda fit: not is_averaged(fit.prefix))
        chosen, other = (averaged, raw) if weights == "averaged" else (raw, averaged)
        return replace(chosen, beside=other.prefix)
    if len(found) > 1:
        fits = ", ".join(f"{fit.model} under {fit.prefix!r}" if fit.prefix else fit.model for fit in found)
        raise WeightsError(f"{source} fits more than one network: {fits}; save the one that is wanted alone")
    return found[0]


def tell(recognised: Recognised, path: Path) -> Told:
    """Settings completed by what the name of the file and what lies beside it say, where the network has a converter."""
    converter = _converters().get(recognised.model)
    return converter.tell(recognised.settings, path) if converter else Told(settings=recognised.settings)


def size_of(model: str, settings: Settings) -> str | None:
    """The named size that these settings are, defaults filled in; None when they are nobody's."""
    entry = catalogue.find("models", model)
    defaults = {name: parameter.default for name, parameter in signature(entry.build).parameters.items()}

    def full(some: Settings) -> Settings:
        return {name: tuple(value) if isinstance(value, list) else value for name, value in {**defaults, **some}.items()}

    return next((size for size, published in entry.sizes.items() if full(published) == full(settings)), None)


def _fits(candidate: Candidate) -> list[Recognised]:
    shapes = _shapes(candidate.tensors)
    found = []
    for converter in _converters().values():
        settings = converter.recognise(shapes)
        if settings is not None:
            renamed = converter.convert(candidate.tensors)
            found.append(Recognised(model=converter.model, settings=settings, tensors=renamed, prefix=candidate.prefix))
    return found or _ours(candidate, shapes)


def _ours(candidate: Candidate, shapes: Shapes) -> list[Recognised]:
    """A plain state dict of a network that has no converter: exactly a named size; of equals the first named."""
    for model, size, expected in _known(frozenset(catalogue.names("models")).difference(_converters())):
        if expected == shapes:
            settings = catalogue.find("models", model).sizes[size]
            return [Recognised(model=model, settings=settings, tensors=candidate.tensors, prefix=candidate.prefix)]
    return []


@cache
def _converters() -> dict[str, Converter]:
    """Network → what recognises its published files."""
    built: list[Converter] = [catalogue.find("converters", name).build() for name in catalogue.names("converters")]
    return {converter.model: converter for converter in built}


@cache
def _known(models: frozenset[str], sizes: frozenset[str] | None = None) -> tuple[tuple[str, str, Shapes], ...]:
    """These networks in the named ``sizes``, or in all; one whose optional library is missing is left out."""
    known = []
    for model in sorted(models):
        for size, settings in catalogue.find("models", model).sizes.items():
            if sizes is not None and size not in sizes:
                continue
            with suppress(MissingExtraError):
                shapes = shapes_of(model, settings)
                if shapes:
                    known.append((model, size, shapes))
    return tuple(known)


def _nearest(tensors: Mapping[str, Tensor], source: str) -> str:
    """One line on the named size whose names overlap most with any candidate's, and what differs.

    The networks most alike with numbers left out of their names are found in their ``tiny`` size first, as that is quick.
    """
    alike: list[tuple[float, str, Candidate]] = []
    for candidate in candidates(tensors):
        patterns = _patterns(candidate.tensors)
        for model, _, shapes in _known(frozenset(catalogue.names("models")), frozenset({"tiny"})):
            alike.append((_overlap(_patterns(shapes), patterns), model, candidate))
    alike.sort(key=lambda scored: -scored[0])
    best, text = 0.0, "no name in it is one of a known network; first " + _list(tensors)
    for _, family, candidate in alike[:_FAMILIES]:
        shapes = _shapes(_renamed(family, candidate.tensors))
        for model, size, expected in _known(frozenset({family})):
            fitting = sum(expected[name] == shapes.get(name) for name in expected) / len(expected)
            score = _overlap(expected.keys(), shapes.keys()) + 1e-3 * fitting
            if score > best:
                best, text = score, f"nearest is {model} ({size}): {_differences(expected, shapes)}"
    return f"{source} is no network known here ({len(tensors)} tensors); {text}"


def _renamed(model: str, tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """The tensors under our names, as far as those that are not quite of a network can be renamed."""
    blank = {name: tensor.to("meta") for name, tensor in tensors.items()}
    with suppress(LimpidError, LookupError, RuntimeError):
        return _converters()[model].convert(blank)
    return blank


def _patterns(names: Iterable[str]) -> set[str]:
    return {re.sub(r"\d+", "0", name) for name in names}


def _overlap(some: Set[str], others: Set[str]) -> float:
    return len(some & others) / len(some | others)


def _differences(expected: Shapes, shapes: Shapes) -> str:
    missing = [name for name in expected if name not in shapes]
    unexpected = [name for name in shapes if name not in expected]
    wrong = [name for name in expected if name in shapes and shapes[name] != expected[name]]
    parts = []
    if missing:
        parts.append(f"{len(missing)} missing: {_list(missing)}")
    if unexpected:
        parts.append(f"{len(unexpected)} unexpected: {_list(unexpected)}")
    if wrong:
        parts.append(f"shape of {wrong[0]} is {shapes[wrong[0]]}, expected {expected[wrong[0]]}")
    return "; ".join(parts)


def _list(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:_SHOWN]) + (", …" if len(every) > _SHOWN else "")


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}
