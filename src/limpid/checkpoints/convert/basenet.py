"""BaseNet's files (Wei et al., CVPR 2019): ERRNet's keys without attention and pyramid."""

from collections.abc import Mapping

from torch import Tensor

from limpid.catalogue import Entry, Settings
from limpid.checkpoints.convert.errnet import read_settings


class BasenetConverter:
    """Recognises BaseNet of any width and depth with a hypercolumn of the first activations, or none."""

    model = "basenet"

    def recognise(self, shapes: Mapping[str, tuple[int, ...]]) -> Settings | None:
        """Settings that differ from the defaults, None for another architecture."""
        if any(".se_layer." in name or name.startswith("pyramid_module.") for name in shapes):
            return None
        return read_settings(self.model, shapes)

    def convert(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Keys are ours already."""
        return dict(tensors)


ENTRY = Entry(build=BasenetConverter, source="Vandermode/ERRNet, state dict `icnn`; specification errnet_ibcln §2.1")
