"""From what a person asks for to a settled plan of a synthesised set: defaults, presets, sense checks."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from limpid import __version__, catalogue
from limpid.data.origin import SETTINGS, Origin, check_names, settled
from limpid.data.photographs import Photographs
from limpid.data.synthesis_kinds import Size
from limpid.errors import SettingError, UsageError
from limpid.physics.leaves.presets import PRESETS, Preset

KINDS: Mapping[str, Size | None] = {"leaves": (512, 512), "pairs": (224, 224), "kernels": None}
"""Kind of data → default size; None: each as large as it needs."""

_COUNT = 10
_SIZE = re.compile(r"([1-9]\d{0,4})(?:[xX×]([1-9]\d{0,4}))?")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What to synthesise; None stands for the default, which a preset may set.

    ``kind``: a name of ``KINDS``. ``size``: (height, width) in pixels. ``preset``: a published collection of leaves.
    ``settings``: of ``Chart`` for leaves, ``classes`` and ``sharp`` of ``MotionBlur`` for kernels. ``mixtures``: formation
    models of pairs. ``degradations``: of leaves, one after the other. ``source``: folder of photos; None: scikit-image's own.
    """

    kind: str
    count: int | None = None
    seed: int | None = None
    size: Size | None = None
    preset: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    mixtures: tuple[str, ...] = ()
    degradations: tuple[str, ...] = ()
    source: Path | None = None


def parse_size(text: str) -> Size:
    """(height, width) from ``HxW``, or from one number for both; raises SettingError."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise SettingError(f"a size is HEIGHTxWIDTH in pixels, such as 384x512; got {text!r}")
    return int(match[1]), int(match[2] or match[1])


def plan(wish: Wish, *, sheet: bool) -> tuple[Origin, Photographs | None, int]:
    """Everything settled but the items; the photos, if any take part; the number of items.

    Raises UnknownNameError, SettingError and UsageError for a wish that makes no sense, DataError for its source.
    """
    _check(wish)
    preset = PRESETS[wish.preset] if wish.preset else None
    chosen = {**(asdict(preset.chart) if preset else {}), **wish.settings}
    settings = settled(wish.kind, chosen)
    plain = {name: value for name, value in (asdict(settings) if settings else {}).items() if name in SETTINGS[wish.kind][1]}
    photos = _photos(wish, plain)
    origin = Origin(
        limpid=__version__,
        kind=wish.kind,
        preset=wish.preset,
        seed=_seed(wish, preset),
        size=wish.size or ((preset.side, preset.side) if preset else KINDS[wish.kind]),
        settings=plain,
        mixtures=wish.mixtures or (("glass",) if wish.kind == "pairs" else ()),
        degradations=wish.degradations,
        source=photos.source() if photos is not None else None,
        items={},
        sheet=sheet,
    )
    return origin, photos, wish.count or (preset.count if preset else _COUNT)


def _check(wish: Wish) -> None:
    check_names("kind of synthetic data", [wish.kind], KINDS)
    check_names("preset", [wish.preset] if wish.preset else [], PRESETS)
    check_names("mixture", wish.mixtures, catalogue.names("mixtures"))
    check_names("degradation", wish.degradations, catalogue.names("degradations"))
    for option, given, kind in (
        ("--preset", wish.preset, "leaves"),
        ("--degradation", wish.degradations, "leaves"),
        ("--mixture", wish.mixtures, "pairs"),
    ):
        if given and wish.kind != kind:
            raise UsageError(f"{option} concerns {kind}, not {wish.kind}; leave it out")
    if wish.count is not None and wish.count < 1:
        raise SettingError(f"--count starts at 1; got {wish.count}")
    if wish.seed is not None and wish.seed < 0:
        raise SettingError(f"--seed starts at 0; got {wish.seed}")


def _photos(wish: Wish, settings: Mapping[str, Any]) -> Photographs | None:
    natural = settings.get("colours") == "natural"
    if wish.kind != "pairs" and not natural:
        if wish.source is not None:
            raise UsageError("--source lends photos to pairs and to leaves with --set colours=natural; nothing here uses it")
        return None
    if wish.preset and wish.source is None:
        raise UsageError(f"the preset {wish.preset} takes its colours from DIV2K's training photos; name them with --source")
    return Photographs(wish.source)


def _seed(wish: Wish, preset: Preset | None) -> int:
    if wish.seed is not None:
        return wish.seed
    return preset.seed if preset else 0
