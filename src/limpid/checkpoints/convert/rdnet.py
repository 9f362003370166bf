"""RDNet's published files: ``rdnet.pth`` (``icnn``, without its rate network) and XReflection's, renamed and with it."""

import re
from collections.abc import Mapping

from torch import Tensor

from limpid.catalogue import Entry, Settings
from limpid.checkpoints.convert._converter import Converter
from limpid.checkpoints.convert._shapes import Shapes, shapes_of

_UNUSED = re.compile(r"^(stem_comp|decoder_blocks\.[01])\.")  # parts that are in the files and in no forward
_RENAMED = (("decoder_blocks.2.", "decoder_blocks."), ("projback_shit_2.", "projback_2."), ("projback_shit.", "projback_."))


class RdnetConverter(Converter):
    """Reads all settings from keys and shapes; by its names a file of XReflection has the transmission first."""

    model = "rdnet"

    def recognise(self, shapes: Shapes) -> Settings | None:
        """Settings of ``models.rdnet``, or None."""
        if "subnet0.alpha0" not in shapes or "baseball.patch_embed.proj.weight" not in shapes:
            return None
        found = {_name(key): tuple(shape) for key, shape in shapes.items() if not _UNUSED.match(key)}
        settings = _settings(found)
        if settings is None:
            return None
        if any("projback_shit" in key for key in shapes):
            settings = {**settings, "transmission_first": True}
        expected = shapes_of(self.model, settings)
        published = {key: shape for key, shape in expected.items() if not key.startswith("classifier.")}
        return settings if found in (published, expected) else None

    def convert(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The same tensors, without what is never used."""
        return {_name(key): tensor for key, tensor in tensors.items() if not _UNUSED.match(key)}


def _name(key: str) -> str:
    for before, after in _RENAMED:
        key = key.replace(before, after)
    return key.replace(".sca.", ".attention.")


def _settings(found: Shapes) -> Settings | None:
    levels = _count(found, r"subnet0\.alpha(\d+)")
    widths = [found.get(f"subnet0.alpha{level}", ()) for level in range(levels)]
    if any(len(shape) != 4 for shape in widths) or len(found["baseball.patch_embed.proj.weight"]) != 4:
        return None
    settings: dict[str, int | tuple[int, ...]] = {
        "widths": tuple(shape[1] for shape in widths),
        "blocks": tuple(_count(found, rf"subnet0\.level{level}\.blocks\.(\d+)") for level in range(levels)),
        "columns": _count(found, r"subnet(\d+)\.alpha0"),
        "focal": found["baseball.patch_embed.proj.weight"][0],
        "depths": tuple(_count(found, rf"baseball\.layers\.{stage}\.blocks\.(\d+)") for stage in range(levels)),
    }
    rates = found.get("classifier.model.stem.0.weight")
    if rates:
        stages = _count(found, r"classifier\.model\.stages\.(\d+)")
        depths = tuple(_count(found, rf"classifier\.model\.stages\.{stage}\.blocks\.(\d+)") for stage in range(stages))
        settings |= {"rate_width": rates[0], "rate_depths": depths}
    return settings


def _count(found: Shapes, pattern: str) -> int:
    """How many numbers fill the pattern at the start of keys."""
    return len({match[1] for key in found if (match := re.match(pattern + r"(?:\.|$)", key))})


ENTRY = Entry(build=RdnetConverter, source="key tables of lime-j/RDNet and hainuo-wang/XReflection; the files were not seen")
