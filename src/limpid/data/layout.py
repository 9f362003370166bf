"""How the files of a download become items: layouts are patterns of paths, a set is layouts with counts and rules."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from posixpath import commonpath

import numpy as np

from limpid.data.pairing import FOLDERS, listing
from limpid.data.preprocessing import Change
from limpid.errors import DataError
from limpid.files import sha256
from limpid.image.formats import EXTENSIONS

PHOTO = rf"\.(?:{'|'.join(extension for extensions in EXTENSIONS.values() for extension in extensions)})"
"""Ending of a photo, for patterns (they ignore case)."""

TIDY = {FOLDERS[role]: role for role in ("input", "transmission", "reflection")}
"""Folder of the tidy layout → role."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One way in which a download has been laid out.

    ``pattern``: regular expression searched in the path below RAW and anchored at its end; begun with ``inside(…)`` it
    bears folders doubled and wrapped. Its group ``layer`` picks the role from ``roles`` (without the group: ``roles[""]``),
    the others fill ``stem``. ``shared``: pattern of transmissions that serve many photos, all whose groups of the same names say
    the same; photos without one are left aside. ``looks``: the layout as a person writes it, for errors.
    """

    looks: str
    pattern: str
    roles: Mapping[str, str]
    stem: str = "{stem}"
    shared: str = ""


@dataclass(frozen=True)
class Placement:
    """One file of a prepared set: its role, its stem, where its bytes come from, and what makes its pixels where they change."""

    role: str
    stem: str
    source: Path
    make: Callable[[], np.ndarray] | None = None

    def name(self, change: Change | None) -> str:
        """Path below the set: folder of the role, stem, original ending (``.png`` where the pixels change)."""
        return f"{FOLDERS[self.role]}/{self.stem}{'.png' if change or self.make else self.source.suffix.lower()}".lstrip("/")


@dataclass(frozen=True, kw_only=True)
class FolderSet:
    """One data set as `limpid prepare` knows it; what every file of ``sets/`` builds, live sets apart.

    ``variant``: which of several in circulation, empty for the only one. ``counts``: accepted numbers of items, empty for any.
    ``stems``: the items that belong to it, None for all. ``required`` and ``optional``: roles of an item; an optional one is
    there for all items or for none. ``sizes``: height and width that a stem (``""``: every stem) must have, in either order.
    ``unlike``: height and width by which a stem betrays another variant, in either order.
    ``change``: what is done to the pixels; None keeps the original bytes. ``unpack``: writes photos out of files that no layout
    sees into, such as MATLAB's, below a scratch folder, and returns the files of the download with these in their place.
    """

    name: str
    layouts: tuple[Layout, ...]
    variant: str = ""
    counts: tuple[int, ...] = ()
    stems: frozenset[str] | None = None
    required: tuple[str, ...] = ("input", "transmission")
    optional: tuple[str, ...] = ()
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    unlike: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    change: Change | None = None
    unpack: Callable[[Mapping[str, Path], Path], Mapping[str, Path]] | None = None

    @property
    def unpaired(self) -> bool:
        """Whether photos and layers show different scenes, so that none has a partner."""
        return False

    def fits(self, stem: str, size: tuple[int, int]) -> bool:
        """Whether a photo of that height and width may be that stem of this variant."""
        expected, foreign = self.sizes.get(stem, self.sizes.get("")), self.unlike.get(stem)
        return (not expected or sorted(size) == sorted(expected)) and (not foreign or sorted(size) != sorted(foreign))

    def arrange(self, files: Mapping[str, Path]) -> list[Placement]:
        """Which of the ``files`` of a download (path below RAW → file) become what, sorted by stem and role.

        Identical copies of a file count once. Raises DataError that says what was found and what was expected when no
        layout fits, and when two fit with different files.
        """
        attempts = [_Attempt.of(self, layout, files) for layout in self.layouts]
        fitting = [attempt for attempt in attempts if not attempt.faults]
        if not fitting:
            best = max(attempts, key=lambda attempt: len(attempt.items))
            raise DataError(f"RAW does not fit {self.name}: {best.describe(len(files))}; expected {self._expected()}")
        results = [attempt.placements() for attempt in fitting]
        if len({frozenset(placement.source for placement in result) for result in results}) > 1:
            found = " and ".join(f"{len(attempt.items)} as {attempt.layout.looks}" for attempt in fitting)
            raise DataError(f"RAW holds {self.name} more than once: {found}; point RAW at the folder of one of them")
        return results[0]

    def _expected(self) -> str:
        counts = " or ".join(map(str, self.counts)) or "any number of"
        return f"{counts} items as {'; or '.join(layout.looks for layout in self.layouts)}"


def inside(*folders: str) -> str:
    """Beginning of a pattern: the file lies directly in RAW or in one of ``folders``, at any depth; without any, anywhere."""
    if not folders:
        return "(?:^|/)"
    return rf"(?:^|(?:^|/)(?:{'|'.join(re.escape(folder) for folder in folders)})/)"


def tidy(*folders: str, looks: str = "") -> Layout:
    """``blended/``, ``transmission_layer/``, ``reflection_layer/`` in RAW or in one of ``folders``."""
    return Layout(
        looks=looks or f"[{'|'.join(folders)}/]{{{','.join(TIDY)}}}/<stem>",
        pattern=rf"{inside(*folders)}(?P<layer>{'|'.join(TIDY)})/(?P<stem>[^/]+){PHOTO}",
        roles=TIDY,
    )


def photos(*folders: str, stem: str = r"[^/]+") -> Layout:
    """Single photos in RAW or in one of ``folders``; ``stem``: pattern of their stems."""
    looks = f"[{'|'.join(folders)}/]<photo>"
    return Layout(looks=looks, pattern=rf"{inside(*folders)}(?P<stem>{stem}){PHOTO}", roles={"": "photo"})


@dataclass(frozen=True)
class _Attempt:
    layout: Layout
    items: Mapping[str, Mapping[str, Path]]  # stem → role → file
    faults: list[str]

    @classmethod
    def of(cls, wanted: FolderSet, layout: Layout, files: Mapping[str, Path]) -> "_Attempt":
        items: dict[str, dict[str, Path]] = {}
        faults = []
        served = _served(layout, files) if layout.shared else None
        for name, match in _matches(layout.pattern, files):
            stem = unicodedata.normalize("NFC", layout.stem.format(**match.groupdict()))
            if wanted.stems is not None and stem not in wanted.stems:
                continue
            role = layout.roles[match.groupdict().get("layer", "").lower()]
            if role not in (*wanted.required, *wanted.optional):
                continue
            if served is not None:
                truth = served(match)
                if truth is None:
                    continue
                items.setdefault(stem, {})["transmission"] = truth
            first = items.setdefault(stem, {}).setdefault(role, files[name])
            if first != files[name] and sha256(first) != sha256(files[name]):
                faults.append(f"{name} is another {role} of {stem!r}")
        return cls(layout, items, [*faults, *_lacking(wanted, items)])

    def describe(self, total: int) -> str:
        if not self.items:
            return f"none of its {total} files is recognised"
        return f"as {self.layout.looks} it holds {len(self.items)} items with faults, {listing(self.faults)}"

    def placements(self) -> list[Placement]:
        return [Placement(role, stem, path) for stem, roles in sorted(self.items.items()) for role, path in sorted(roles.items())]


def _matches(pattern: str, files: Mapping[str, Path]) -> Iterator[tuple[str, re.Match[str]]]:
    """Names that a pattern fits, the shallow ones first."""
    compiled = re.compile(pattern + "$", re.IGNORECASE)
    wrapper = _wrapper(files)
    for name in sorted(files, key=lambda name: (name.count("/"), name)):
        match = compiled.search(name) or compiled.search(name.removeprefix(wrapper))
        if match is not None:
            yield name, match


def _served(layout: Layout, files: Mapping[str, Path]) -> Callable[[re.Match[str]], Path | None]:
    """Match of a photo → the transmission that it shares with others; None where there is none."""
    names = tuple(re.compile(layout.shared).groupindex)
    found = {tuple(match[name].lower() for name in names): files[file] for file, match in _matches(layout.shared, files)}
    return lambda match: found.get(tuple(match[name].lower() for name in names))


def _lacking(wanted: FolderSet, items: Mapping[str, Mapping[str, Path]]) -> Iterator[str]:
    if not items or (wanted.counts and len(items) not in wanted.counts):
        yield f"the count is {len(items)}"
    used = {role for roles in items.values() for role in roles} | set(wanted.required)
    for stem, roles in sorted(items.items()):
        yield from (f"{stem!r} has no {role}" for role in sorted(used - set(roles)))
    yield from (f"{stem!r} is missing" for stem in sorted(wanted.stems or ()) if stem not in items)


def _wrapper(files: Mapping[str, Path]) -> str:
    """Folders that all files share, such as the one that a zip was made of; with a slash at the end, or empty."""
    shared = commonpath([str(PurePosixPath(name).parent) for name in files]) if files else ""
    return f"{shared}/" if shared else ""
