"""How a synthesised set was made, as its manifest remembers it, and the way back from there to what makes it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from limpid.catalogue import Settings
from limpid.data.manifest import Manifest, first_fault
from limpid.data.options import Size
from limpid.data.photographs import Photographs, Source
from limpid.data.synthesis_kinds import GlassPairs, Kind, LeafCharts, PaintedScenes, ShakeKernels
from limpid.errors import DataError, SettingError, UnknownNameError
from limpid.physics.degradations.motion_blur import MotionBlur
from limpid.physics.leaves.settings import Chart
from limpid.physics.scenes.scene import Scenes

_NAME = re.compile(r"\w[\w-]*")  # what an item may be called: no way out of the folder

SETTINGS: Mapping[str, tuple[type, tuple[str, ...]]] = {
    "leaves": (Chart, tuple(field.name for field in fields(Chart))),
    "scenes": (Scenes, ("kinds",)),
    "kernels": (MotionBlur, ("classes", "sharp")),
}
"""Kind → the settings it has and those that may be chosen; pairs have none but their mixtures."""


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """How a synthesised set was made: the ``origin`` of its manifest.

    ``limpid``: version. ``kind``: leaves, scenes, pairs or kernels. ``size``: (height, width) in pixels, None where each item has
    its own. ``settings``: all of the kind. ``source``: the photos used. ``items``: name → everything that was drawn for it.
    ``sheet``: whether there is a contact sheet.
    """

    limpid: str
    kind: str
    preset: str | None
    seed: int
    size: Size | None
    settings: Settings
    mixtures: tuple[str, ...]
    degradations: tuple[str, ...]
    source: Source | None
    items: dict[str, dict[str, Any]]
    sheet: bool


def read_provenance(manifest: Manifest, path: Path) -> Provenance:
    """The origin in a manifest that was read from ``path``; raises DataError when there is none or it is damaged."""
    if manifest.origin is None:
        raise DataError(f"{path} describes a prepared download, not a synthesised set; there is nothing to make again")
    try:
        origin: Provenance = TypeAdapter(Provenance).validate_python(manifest.origin)
    except ValidationError as error:
        raise DataError(f"{path} is damaged: {first_fault(error)}") from error
    strange = next((name for name in origin.items if not _NAME.fullmatch(name)), None)
    if strange is not None or not origin.items:
        raise DataError(f"{path} is damaged: it names {'no item' if strange is None else f'an item {strange!r}'}")
    return origin


def settled(kind: str, chosen: Settings) -> Any:
    """The settings of a kind with every default filled in, as its own frozen value; None for a kind without settings.

    Raises UnknownNameError for a setting that does not exist and SettingError for a value that it cannot have.
    """
    settings, known = SETTINGS.get(kind, (None, ()))
    check_names(f"setting of {kind}", chosen, known)
    if settings is None:
        return None
    try:
        return TypeAdapter(settings).validate_python(dict(chosen))
    except ValidationError as error:
        raise SettingError(f"settings of {kind} do not fit: {first_fault(error)}") from error


def check_names(kind: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise UnknownNameError for the first name that is not known."""
    for name in names:
        if name not in known:
            raise UnknownNameError(kind, name, known)


def maker(origin: Provenance, photos: Photographs | None) -> Kind:
    """What draws and makes the items of an origin; raises UnknownNameError, SettingError and DataError."""
    settings = settled(origin.kind, origin.settings)
    if origin.kind == "kernels":
        return ShakeKernels(settings=settings, size=origin.size)
    if origin.size is None:
        raise DataError(f"a set of {origin.kind} needs a size")
    if origin.kind == "scenes":
        return PaintedScenes(settings=settings, size=origin.size)
    if origin.kind == "leaves":
        return LeafCharts(
            settings=settings,
            size=origin.size,
            photos=photos or (),
            degradations=origin.degradations,
            published=origin.preset is not None,
        )
    if photos is None:
        raise DataError("pairs need photos")
    return GlassPairs(mixtures=origin.mixtures, size=origin.size, photos=photos)
