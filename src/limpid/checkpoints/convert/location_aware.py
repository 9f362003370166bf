"""The published file of Location-aware reflection removal, a bare state dict; how many turns it takes is in no file."""

from limpid.catalogue import Entry, Settings
from limpid.checkpoints.convert._converter import Converter
from limpid.checkpoints.convert._shapes import Shapes, shapes_of


class LocationAwareConverter(Converter):
    """Reads the width; the authors take three turns."""

    model = "location_aware"

    def recognise(self, shapes: Shapes) -> Settings | None:
        """Settings of the network that has exactly these keys and shapes, None when there is none."""
        first = shapes.get("det_conv0.0.weight", ())
        if len(first) != 4:
            return None
        settings = {"width": first[0], "steps": 3}
        return settings if shapes_of(self.model, settings) == dict(shapes) else None


ENTRY = Entry(build=LocationAwareConverter, source="zdlarr/Location-aware-SIRR, `model.pth` by its key table")
