"""YTMT's published files: one or both stages (``icnn``, ``icnn2``), released or refactored layout; VGG-19 is not in them."""

import re
from collections.abc import Mapping

from torch import Tensor

from limpid.backbones.vgg19 import FIRSTS, layers
from limpid.catalogue import Entry, Settings
from limpid.checkpoints.convert._converter import Converter
from limpid.checkpoints.convert._shapes import Shapes, shapes_of

_UNUSED = re.compile(r"(^|\.)inc_[12]\.fusion\.")  # a convolution that is in the released files and in no forward


class YtmtConverter(Converter):
    """Reads pattern, stages, width and taps from keys and shapes."""

    model = "ytmt"

    def recognise(self, shapes: Shapes) -> Settings | None:
        """Settings of ``models.ytmt``, or None."""
        found = {_name(key): tuple(shape) for key, shape in shapes.items() if not _UNUSED.search(key)}
        public = "icnn.inc_1.model.0.weight" in found
        first = found.get("icnn.inc_1.model.0.weight" if public else "icnn.inc.conv_l.model.0.weight", ())
        attention = "icnn.inc_1.model.2.ca.0.weight" if public else "icnn.down1.model.conv_l.model.1.ca.0.weight"
        hidden = found.get(attention, ())
        if len(first) != 4 or len(hidden) != 4 or not hidden[0]:
            return None
        crossed = "concatenate" if "icnn.inc.ytmt_head.fusion_l.weight" in found else "add"
        widths = [layers()[tap][1] for tap in FIRSTS]
        count = next((count for count in range(1, 6) if 3 + sum(widths[:count]) == first[1]), 0)
        settings: Settings = {
            "pattern": "public" if public else crossed,
            "stages": 1 + any(key.startswith("icnn2.") for key in found),
            "width": first[0],
            "reduction": first[0] // hidden[0],
            "hypercolumn": FIRSTS[:count],
        }
        expected = shapes_of(self.model, settings) if count else {}
        published = {key: shape for key, shape in expected.items() if not key.startswith("backbone.")}
        return settings if found and found in (published, expected) else None

    def convert(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The same tensors, a single stage under the name that it has beside a second one, without what is never used."""
        return {_name(key): tensor for key, tensor in tensors.items() if not _UNUSED.search(key)}


def _name(key: str) -> str:
    return key if key.startswith(("icnn.", "icnn2.", "backbone.")) else f"icnn.{key}"


ENTRY = Entry(build=YtmtConverter, source="mingcv/YTMT-Strategy, `ytmt_uct_sirs_68_077_00595364.pt` by its key table")
