"""Published IBCLN files (JHL-HUST/IBCLN): two siblings, ``*_net_G_T.pth`` and ``*_net_G_R.pth``, joined before by ``layouts``."""

from limpid.catalogue import Entry, Settings
from limpid.checkpoints.convert._converter import Converter
from limpid.checkpoints.convert._shapes import Shapes, shapes_of


class IbclnConverter(Converter):
    """Both networks of the cascade; how many steps they take is in no file, the authors take three."""

    model = "ibcln"

    def recognise(self, shapes: Shapes) -> Settings | None:
        """Settings of the cascade that has exactly these keys and shapes, None when there is none."""
        first = shapes.get("G_T.conv1.0.weight", ())
        if len(first) != 4:
            return None
        settings = {"width": first[0], "steps": 3}
        return settings if shapes_of(self.model, settings) == shapes else None


ENTRY = Entry(build=IbclnConverter, source="Li et al., CVPR 2020, github.com/JHL-HUST/IBCLN")
