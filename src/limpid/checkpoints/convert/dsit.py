"""DSIT's published files (``weights``), Swin included; indices of windows and norms that are never applied are left out."""

import re
from collections.abc import Mapping

from torch import Tensor

from limpid.catalogue import Entry, Settings
from limpid.checkpoints.convert._converter import Converter
from limpid.checkpoints.convert._shapes import Shapes, shapes_of

_UNUSED = re.compile(r"^swin_prior\.norm\d\.|\.relative_position_index$")
_DEEPEST = 5  # levels of the decoder


class DsitConverter(Converter):
    """Reads all settings from keys and shapes."""

    model = "dsit"

    def recognise(self, shapes: Shapes) -> Settings | None:
        """Settings of ``models.dsit``, or None."""
        found = {key: tuple(shape) for key, shape in shapes.items() if not _UNUSED.search(key)}
        tables = [found.get(f"lib{level}.0.dsia_sa.relative_position_bias_table", ()) for level in range(_DEEPEST)]
        stem = found.get("conv_prior.stem.seq.0.weight", ())
        if len(stem) != 4 or any(len(table) != 2 for table in tables):
            return None
        swin = _count(found, r"swin_prior\.layers\.(\d+)\.")
        swins = [
            found.get(f"swin_prior.layers.{index}.blocks.0.attn.relative_position_bias_table", (0, 0)) for index in range(swin)
        ]
        settings: Settings = {
            "width": stem[0],
            "heads": tuple(table[1] for table in tables),
            "blocks": tuple(_count(found, rf"lib{level}\.(\d+)\.dsia_sa\.") for level in reversed(range(_DEEPEST))),
            "depths": tuple(_count(found, rf"swin_prior\.layers\.{index}\.blocks\.(\d+)\.") for index in range(swin)),
            "swin_heads": tuple(table[1] for table in swins),
            "window": (round(tables[0][0] ** 0.5) + 1) // 2,
        }
        return settings if found == shapes_of(self.model, settings) else None

    def convert(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The same tensors, without what is computed or never used."""
        return {key: tensor for key, tensor in tensors.items() if not _UNUSED.search(key)}


def _count(found: Shapes, pattern: str) -> int:
    """How many numbers fill the pattern at the start of keys."""
    return len({match[1] for key in found if (match := re.match(pattern, key))})


ENTRY = Entry(
    build=DsitConverter, source="mingcv/DSIT, `dist-large-setting*.pth` by their key table; XReflection's has the same keys"
)
