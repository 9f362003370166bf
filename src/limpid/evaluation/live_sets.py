"""``--on dead_leaves_live[:SETTING=VALUE…]``: a set that is drawn while it is measured, the same on every machine."""

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from limpid import catalogue
from limpid.catalogue import Settings
from limpid.data.options import parse_settings
from limpid.data.photographs import Photographs
from limpid.data.provenance import SETTINGS, check_names, settled
from limpid.data.sets.dead_leaves_live import LiveLeaves
from limpid.errors import SettingError, UsageError
from limpid.evaluation.degradations import DegradationCondition
from limpid.evaluation.items import Item
from limpid.evaluation.results import SetInfo
from limpid.evaluation.sets import EvaluatedSet, degraded_items, degraded_task, fingerprint

NAME = "dead_leaves_live"

_OF_THE_SET = ("charts", "side", "seed")
_NEXT = re.compile(r":(?=\w+=)")  # a colon within a value is none: shapes={disk: 2, polygon: 1}


def is_live(wanted: str) -> bool:
    """Whether a text of ``--on`` names a set that is drawn."""
    return wanted.partition(":")[0] == NAME


def open_live(wanted: str, degradations: Sequence[DegradationCondition], count: int | None = None) -> EvaluatedSet:
    """The charts that ``dead_leaves_live:charts=6:side=128:seed=7:colours=saturated`` names, its first ``count``.

    ``charts``: how many (100), ``side``: pixels (512), ``seed`` (42); every setting of ``Chart`` besides; ``source``: a folder
    whose photos lend natural colours (scikit-image's four). Chart *i* depends on the settings and (seed, *i*) alone. Raises
    UsageError without a degradation, UnknownNameError and SettingError for settings, DataError for the folder.
    """
    name, *texts = _NEXT.split(wanted)
    if name != NAME:
        raise UsageError(f"--on {wanted}: {name.removeprefix(NAME)!r} is no setting; write e.g. --on {NAME}:side=128:seed=7")
    settings = parse_settings(texts)
    if not degradations:
        raise UsageError(f"--on {NAME} draws clean charts; say how to degrade them, e.g. --degrade noise:sigma=25")
    charts, says = _charts(settings)
    label = "-".join((NAME, *(f"{name}-{_short(value)}" for name, value in settings.items())))
    used = [
        Item(set=label, name=f"{place:05d}", input=None, truths={}, drawn=partial(charts.__getitem__, place), key=f"{says} {place}")
        for place in range(min(len(charts), count or len(charts)))
    ]
    info = SetInfo(
        label=label,
        count=len(used),
        expected="",
        fingerprint=fingerprint(used),
        note=f"drawn from the seed {charts.seed}, {charts.side}×{charts.side} pixels, nothing on disk",
        name=NAME,
        whole=len(charts),
        synthetic=catalogue.find("sets", NAME).synthetic,
    )
    return EvaluatedSet(
        info=info,
        task=degraded_task(degradations),
        items=tuple(degraded_items(used, degradations)),
        degradations=tuple(degradations),
        notes=(f"{label}: {info.note}",),
    )


def _charts(settings: Settings) -> tuple[LiveLeaves, str]:
    """The charts, and all that decides them."""
    check_names(f"setting of {NAME}", settings, (*_OF_THE_SET, "source", *SETTINGS["leaves"][1]))
    own = {name: _whole(name, value) for name, value in settings.items() if name in _OF_THE_SET}
    chart = settled("leaves", {name: value for name, value in settings.items() if name not in (*_OF_THE_SET, "source")})
    source = settings.get("source")
    if source is not None and chart.colours != "natural":
        raise UsageError(f"source lends photos to {NAME} with colours=natural; nothing here uses it")
    photos = Photographs(None if source is None else Path(str(source)).expanduser()) if chart.colours == "natural" else ()
    charts = LiveLeaves(settings=chart, photos=photos, **own)
    lent = sorted(photos.source().photos.items()) if isinstance(photos, Photographs) else ""
    return charts, f"{chart} {charts.side} {charts.seed} {lent}"


def _whole(name: str, value: Any) -> int:
    try:
        number: int = TypeAdapter(int).validate_python(value)
    except ValidationError:
        number = -1
    if number < (0 if name == "seed" else 1):
        raise SettingError(f"{name} of {NAME} is a whole number from {0 if name == 'seed' else 1}; got {value!r}")
    return number


def _short(value: Any) -> str:
    """A value as part of a label, which is part of file names."""
    return re.sub(r"[^\w.]+", "_", str(value)).strip("_")
