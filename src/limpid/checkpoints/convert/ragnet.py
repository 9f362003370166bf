"""RAGNet's published file: two state dicts, ``GR_state`` and ``GT_state``, whose names have become prefixes."""

import re
from collections.abc import Mapping

from torch import Tensor

from limpid.catalogue import Entry, Settings
from limpid.checkpoints.convert._converter import Converter
from limpid.checkpoints.convert._shapes import Shapes, shapes_of

_UNUSED = re.compile(r"^GT_state\.Encoder_R\.encoder\.features\.(28|30|32|34)\.")  # the last level of the reflection's trunk
_WIDEST = 64  # channels of the published first level


class RagnetConverter(Converter):
    """Both networks of a file."""

    model = "ragnet"

    def recognise(self, shapes: Shapes) -> Settings | None:
        """Settings of the network that has exactly these keys and shapes, None when there is none."""
        first = shapes.get("GR_state.encoder.features.0.weight", ())
        if len(first) != 4 or not first[0]:
            return None
        settings = {"shrink": _WIDEST // first[0]}
        found = {key: tuple(shape) for key, shape in shapes.items() if not _UNUSED.match(key)}
        return settings if shapes_of(self.model, settings) == found else None

    def convert(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The same tensors, without what is never used."""
        return {key: tensor for key, tensor in tensors.items() if not _UNUSED.match(key)}


ENTRY = Entry(build=RagnetConverter, source="liyucs/RAGNet, `pretrain.pth` by its key table")
