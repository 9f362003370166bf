"""CDR: 1,063 triples of raw photos, cut to where transmission and reflection add up, sorted by kinds of reflection."""

import csv
from pathlib import Path
from typing import Literal

from limpid.catalogue import SetEntry
from limpid.data.layout import PHOTO, FolderSet, Layout, inside
from limpid.errors import DataError
from limpid.files import read_file

Variant = Literal["all", "train", "valid", "test"]

_FOLDERS = {"all": ("train", "val", "test"), "train": ("train",), "valid": ("val",), "test": ("test",)}
_SETS = {"train": "0", "valid": "1", "test": "2"}
"""What ``annotation.csv`` calls a split."""

_ROLES = {"m": "input", "t": "transmission", "r": "reflection"}


def cdr(*, variant: Variant = "all", annotation: Path | None = None, counts: tuple[int, ...] | None = None) -> FolderSet:
    """``isprgb_crop/with_gt/<camera>/<shots>_{M,T,R}_<crop>.png`` → ``<camera>_<shots>_<crop>``.

    Splits other than ``all`` need the authors' list, ``annotation`` (``annotation.csv``), or what their script has made of the
    release, ``{train,val,test}/{M,T,R}/<camera>_<shots>_{M,T,R}_<crop>.png``. ``counts``: any, but for ``all``. Raises DataError
    for a list that cannot be read.
    """
    made = Layout(
        looks=f"{{{','.join(_FOLDERS[variant])}}}/{{M,T,R}}/<camera>_<shots>_{{M,T,R}}_<crop>.png",
        pattern=rf"{inside(*_FOLDERS[variant])}[MTR]/(?P<shots>[^/]+)_(?P<layer>[MTR])_(?P<crop>\d+){PHOTO}",
        roles=_ROLES,
        stem="{shots}_{crop}",
    )
    listed = "" if variant == "all" or annotation is None else rf"(?={'|'.join(_shots(annotation, _SETS[variant]))})"
    released = Layout(
        looks="with_gt/<camera>/<shots>_{M,T,R}_<crop>.png",
        pattern=rf"{inside('with_gt')}{listed}(?P<camera>[A-Z]\d+)/(?P<shots>\d+_\d+)_(?P<layer>[MTR])_(?P<crop>\d+){PHOTO}",
        roles=_ROLES,
        stem="{camera}_{shots}_{crop}",
    )
    return FolderSet(
        name="cdr",
        variant=variant,
        layouts=(released, made) if listed or variant == "all" else (made,),
        counts=(1063,) if counts is None and variant == "all" else counts or (),
        optional=("reflection",),
    )


def _shots(annotation: Path, split: str) -> list[str]:
    """Beginnings of the files of a split, as patterns: ``C2/5532_5531_``."""
    try:
        rows = list(csv.DictReader(read_file(annotation).decode().splitlines()))
        found = [f"{row['name']}_" for row in rows if row["set"] == split]
    except (OSError, UnicodeDecodeError, KeyError, csv.Error) as error:
        raise DataError(f"{annotation} cannot be read as CDR's annotation.csv ({type(error).__name__}: {error})") from error
    if not found:
        raise DataError(f"{annotation} lists no photo of the set {split}; expected CDR's annotation.csv")
    return found


ENTRY = SetEntry(
    build=cdr,
    tasks=("reflection",),
    source="Lei et al., 'A categorized reflection removal dataset with diverse real-world scenes'",
    scenes=r"(?P<scene>[A-Z]\d+_\d+_\d+)_\d+$",
    home="https://alexzhao-hugga.github.io/Real-World-Reflection-Removal/",
)
