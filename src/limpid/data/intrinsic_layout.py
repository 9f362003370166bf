"""Intrinsic images as USI3D's loader finds them: folders of each layer, lists of what is for training, the split without pairs.

Facts of ``data.py`` and ``gen_train_test_file.py`` in DreamtaleCore/USI3D (Liu et al., CVPR 2020).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from limpid.data.cgintrinsics_shading import encoded, shading
from limpid.data.decode import pixels
from limpid.data.layout import PHOTO, FolderSet, Layout, Placement, inside
from limpid.data.pairing import listing
from limpid.errors import DataError
from limpid.files import read_file

Part = Literal["all", "train", "test"]
"""``all`` items paired; ``train``: photos of some, layers of others; ``test``: paired items of neither."""

ROLES = {"input": "input", "reflectance": "albedo", "shading": "shading", "mask": "mask"}
"""Folder of the loader, which is also the word of its lists → role."""

LISTED = Layout(
    looks="{input,reflectance,shading[,mask]}/<stem>, {train,test}-{input,reflectance,shading,mask}.txt",
    pattern=rf"{inside()}(?P<layer>input|reflectance|shading|mask)/(?P<stem>[^/]+){PHOTO}",
    roles=ROLES,
)
"""The loader's folders; lists are optional."""

_TRAINED = 8 / 9  # share of the sorted names that the authors' script trains on


@dataclass(frozen=True, kw_only=True)
class IntrinsicSet(FolderSet):
    """A ``FolderSet`` whose ``variant`` is a ``Part``, by the lists of the download or, without them, as the authors' script does.

    It sorts file names and trains on the first 8/9: photos and masks of those with an even index, albedo and shading of those with
    an odd one; the rest is for tests. ``rate``: which lists of layers are meant where there are several
    (``train-reflectance-RATE.txt``). A ``shading/shading-max.txt`` multiplies shadings by the number beside their name; one above
    1 is left out, as files end at 1, and the layers then compose the photo up to that factor [X]. ``linear``: files hold linear
    light and are encoded on the way; shadings that are missing are computed.
    """

    required: tuple[str, ...] = ("input", "albedo")
    optional: tuple[str, ...] = ("shading", "mask")
    rate: str = ""
    linear: bool = False

    @property
    def unpaired(self) -> bool:
        """Whether it is the part whose layers are those of other photos."""
        return self.variant == "train"

    def arrange(self, files: Mapping[str, Path]) -> list[Placement]:
        """As ``FolderSet.arrange``; DataError also for lists that name what is not there, and a shading-max that is no table."""
        placements = super().arrange(files)
        made = _lit(placements) if self.linear and not any(one.role == "shading" for one in placements) else None
        if made is None:
            factors = _factors(files)
            made = [_scaled(one, factors.get(one.source.name, 1.0), self.linear) for one in placements]
        if self.variant == "all":
            return made
        chosen = self._listed(files, placements) or _split(placements, self.variant)
        return [one for one in made if one.stem in chosen.get(one.role, ())]

    def _listed(self, files: Mapping[str, Path], placements: Sequence[Placement]) -> dict[str, set[str]]:
        """Role → stems, of the download's lists for this part; empty without any."""
        known = {(one.role, one.stem) for one in placements}
        chosen: dict[str, set[str]] = defaultdict(set)
        absent = []
        for word, role in ROLES.items():
            rated = self.rate and self.variant == "train" and word in ("reflectance", "shading")
            name = f"{self.variant}-{word}{f'-{self.rate}' if rated else ''}.txt"
            for line in _lines(_only(files, name)):
                match = re.search(LISTED.pattern + "$", line, re.IGNORECASE)
                stem = match["stem"] if match and ROLES[match["layer"].lower()] == role else None
                if stem is None or (role, stem) not in known:
                    absent.append(f"{line} of {name}")
                else:
                    chosen[role].add(stem)
        lacking = {role for role in ROLES.values() if role in {one.role for one in placements}} - {"mask"} - set(chosen)
        if absent or (chosen and lacking):
            what = listing(absent) if absent else f"there is no list of {', '.join(sorted(lacking))}"
            raise DataError(f"the {self.variant} lists of {self.name} do not fit its files; {what}")
        return dict(chosen)


def _split(placements: Iterable[Placement], part: str) -> dict[str, set[str]]:
    """Role → stems, as the authors' script does it: photos and masks in turn with layers of other photos, then whole items."""
    photos = sorted((one for one in placements if one.role == "input"), key=lambda one: one.source.name)
    trained = int(_TRAINED * len(photos))
    even, odd, rest = photos[:trained:2], photos[1:trained:2], photos[trained:]
    parts = {role: even if role in ("input", "mask") else odd for role in ROLES.values()}
    return {role: {one.stem for one in (rest if part == "test" else chosen)} for role, chosen in parts.items()}


def _scaled(placement: Placement, factor: float, linear: bool) -> Placement:
    if placement.role == "mask" or not (linear or (placement.role == "shading" and factor < 1)):
        return placement
    factor = min(factor, 1.0) if placement.role == "shading" else 1.0
    return replace(placement, make=partial(_multiplied, placement.source, factor, linear))


def _multiplied(path: Path, factor: float, linear: bool) -> np.ndarray:
    values = (pixels(path).astype(np.float32) / 255 * factor).clip(0, 1)
    return encoded(values) if linear else (values * 255).round().astype(np.uint8)


def _lit(placements: Sequence[Placement]) -> list[Placement]:
    """Placements of a release without shadings: albedo encoded, shading computed, and the mask of where that can be trusted."""
    items: dict[str, dict[str, Placement]] = defaultdict(dict)
    for one in placements:
        items[one.stem][one.role] = one
    made = []
    for item in items.values():
        photo, albedo, mask = (item[role].source for role in ("input", "albedo", "mask"))
        made.append(item["input"])
        made.append(replace(item["albedo"], make=partial(_multiplied, albedo, 1.0, True)))
        made.append(replace(item["mask"], make=partial(_computed, photo, albedo, mask, "mask")))
        made.append(replace(item["mask"], role="shading", make=partial(_computed, photo, albedo, mask, "shading")))
    return sorted(made, key=lambda one: (one.stem, one.role))


def _computed(photo: Path, albedo: Path, mask: Path, what: Literal["shading", "mask"]) -> np.ndarray:
    loaded = [pixels(path) for path in (photo, albedo, mask)]
    if len({one.shape for one in loaded}) > 1:
        raise DataError(f"{photo.name} differs in size from its albedo or mask")
    light, trusted, white = shading(loaded[0] / np.float32(255), loaded[1] / np.float32(255), loaded[2][..., 0] > 127)
    return encoded(light * min(white, 1.0)) if what == "shading" else trusted.astype(np.uint8) * 255


def _factors(files: Mapping[str, Path]) -> dict[str, float]:
    """File name → what its shading is multiplied by; the first line of the table is its head."""
    factors = {}
    for line in _lines(_only(files, "shading-max.txt"))[1:]:
        name, _, value = line.partition("\t")
        try:
            factors[name] = float(value)
        except ValueError as error:
            raise DataError(f"shading-max.txt takes a name, a tab and a number on each line; got {line!r}") from error
    return factors


def _only(files: Mapping[str, Path], name: str) -> Path | None:
    found = [path for given, path in files.items() if PurePosixPath(given).name == name]
    if len(found) > 1:
        raise DataError(f"RAW holds {name} {len(found)} times; point RAW at the folder of one of them")
    return found[0] if found else None


def _lines(path: Path | None) -> list[str]:
    """Lines of a list that are not empty; none of a missing one."""
    if path is None:
        return []
    lines = read_file(path).decode("utf-8", errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip()]
