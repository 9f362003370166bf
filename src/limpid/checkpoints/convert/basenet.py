"""BaseNet's files (Wei et al., CVPR 2019): ERRNet's keys without attention and pyramid."""

from limpid.catalogue import Entry, Settings
from limpid.checkpoints.convert._converter import Converter
from limpid.checkpoints.convert._shapes import Shapes
from limpid.checkpoints.convert.errnet import read_settings


class BasenetConverter(Converter):
    """Recognises BaseNet of any width and depth with a hypercolumn of the first activations, or none."""

    model = "basenet"

    def recognise(self, shapes: Shapes) -> Settings | None:
        """Settings that differ from the defaults, None for another architecture."""
        if any(".se_layer." in name or name.startswith("pyramid_module.") for name in shapes):
            return None
        return read_settings(self.model, shapes)


ENTRY = Entry(build=BasenetConverter, source="Vandermode/ERRNet, state dict `icnn`; specification errnet_ibcln §2.1")
