"""The options of ``limpid synthesise`` and ``limpid.synthesise``."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from limpid.catalogue import Settings
from limpid.errors import SettingError, UsageError
from limpid.options import option

Size = tuple[int, int]
"""Height and width, pixels."""

_SIZE = re.compile(r"([1-9]\d{0,4})(?:[xX×]([1-9]\d{0,4}))?")


def parse_size(text: str) -> Size:
    """(height, width) from ``HxW``, or from one number for both; raises SettingError."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise SettingError(f"a size is HEIGHTxWIDTH in pixels, such as 384x512; got {text!r}")
    return int(match[1]), int(match[2] or match[1])


def parse_settings(given: Iterable[str]) -> Settings:
    """Name → value from NAME=VALUE with YAML values, e.g. ``radius=[2, 200]`` or ``shapes={disk: 1, polygon: 2}``.

    Whether the name exists and the value fits is for its owner to say. Raises UsageError for what cannot be read.
    """
    import yaml

    settings = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--set takes NAME=VALUE; got {text!r}")
        try:
            settings[name.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise UsageError(f"--set {text} has a value that cannot be read; an example is --set 'radius=[2, 200]'") from error
    return settings


@dataclass(frozen=True, kw_only=True)
class SynthesisOptions:
    """What to synthesise, and where; None stands for the default, which a preset may set.

    ``kind``: ``leaves``, ``scenes``, ``pairs`` or ``kernels``; ``out``: the folder to make. ``manifest``: of a set that is to
    be made again, which then says all but ``source``, where its photos lie now. ``size``: (height, width) in pixels.
    ``preset``: a published collection of leaves. ``settings``: of ``Chart`` for leaves, ``kinds`` of scenes, ``classes`` and
    ``sharp`` of ``MotionBlur`` for kernels. ``mixtures``: formation models of pairs. ``degradations``: of leaves, one after the
    other. ``source``: folder of photos; None: scikit-image's own. ``sheet``: also a contact sheet. ``overwrite``: replace what
    is there when it is a synthesised set. ``quiet``: no progress bar. Raises UsageError when words are missing or contradict
    each other.
    """

    kind: str | None = option(None, "leaves, scenes, pairs or kernels.", argument=True)
    out: Path | None = option(None, "The folder to make.", argument=True)
    count: int | None = option(None, "Items (10, or as many as the preset has).")
    seed: int | None = option(None, "Equal seeds give equal bytes (0, or that of the preset).")
    size: Size | None = option(None, "HEIGHTxWIDTH in pixels (512x512, pairs 224x224).", metavar="HxW", text=parse_size)
    preset: str | None = option(None, "Of leaves: a published collection, e.g. div2k_512.")
    settings: Settings = option(
        {}, "A setting of the kind, e.g. colours=saturated.", "--set", metavar="NAME=VALUE", text=parse_settings, repeatable=True
    )
    mixtures: Sequence[str] = option((), "Of pairs: how light mixes; repeatable (glass).", "--mixture")
    degradations: Sequence[str] = option(
        (), "Of leaves: degrade them and keep both versions; repeatable, in that order.", "--degradation"
    )
    source: Path | None = option(None, "Folder of photos; without it four of scikit-image's.")
    manifest: Path | None = option(None, "Make the set of this manifest.json again, byte for byte.", "--from")
    sheet: bool = option(False, "Also a contact sheet: OUT/sheet/sheet.png.")
    overwrite: bool = option(False, "Replace OUT if it is a synthesised set.")
    quiet: bool = option(False, "Only errors.", "--quiet", "-q")

    def __post_init__(self) -> None:
        if self.manifest is not None:
            if self.out is None and self.kind is not None:  # one word: there is no kind to name
                object.__setattr__(self, "out", Path(self.kind))
                object.__setattr__(self, "kind", None)
            given = (self.count, self.seed, self.size, self.mixtures, self.preset, self.degradations, self.settings, self.kind)
            if self.out is None or self.sheet or any(given):
                raise UsageError("--from takes OUT and at most --source, --overwrite and -q: the manifest says all the rest")
        elif self.kind is None or self.out is None:
            words = " ".join(str(word) for word in (self.kind, self.out) if word is not None)
            raise UsageError(f"expected KIND and OUT, e.g. `limpid synthesise leaves charts`; got {words!r}")
