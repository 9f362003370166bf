"""Files of rstor's U-Net; its activation leaves no trace in them."""

import json
from pathlib import Path
from typing import Any

from limpid.catalogue import Entry, Settings
from limpid.checkpoints.convert._converter import Told
from limpid.checkpoints.convert._shapes import Shapes, shapes_of
from limpid.checkpoints.convert.nafnet import NafNetConverter, frame, ours

_ACTIVATIONS = {"ReLU": "relu", "LeakyReLU": "leaky_relu", None: "none"}
_CONFIG = "config.json"  # what rstor writes beside the weights of an experiment


class UNetConverter(NafNetConverter):
    """The frame of NAFNet without gates: rstor's UNet, and its NAFNet with ReLU, LeakyReLU or nothing in their place."""

    model = "unet"

    def recognise(self, shapes: Shapes) -> Settings | None:
        """Settings of the network that has exactly these keys and shapes, None when there is none."""
        renamed = {ours(key): shape for key, shape in shapes.items()}
        settings = frame(renamed)
        if settings is None or settings["shuffle"] != 1:
            return None
        settings = {**{name: value for name, value in settings.items() if name != "shuffle"}, "activation": "relu"}
        return settings if shapes_of(self.model, settings) == renamed else None

    def tell(self, settings: Settings, path: Path) -> Told:
        """The activation, as ``config.json`` beside the file says, else the published ReLU."""
        architecture = _architecture(path.with_name(_CONFIG))
        said = architecture.get("activation", "ReLU")
        if architecture and isinstance(said, str | None) and said in _ACTIVATIONS:
            return Told(settings={**settings, "activation": _ACTIVATIONS[said]})
        remark = (
            f"its activation leaves no trace in a file and is taken to be the published ReLU; for another one put rstor's {_CONFIG}"
            " beside it, or `limpid convert` it with activation=leaky_relu"
        )
        return Told(settings=settings, remark=remark)


def _architecture(path: Path) -> dict[str, Any]:
    """Settings of the network in a file of rstor; empty when it is not there or something else."""
    if not path.is_file():
        return {}
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["model"]["architecture"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


ENTRY = Entry(build=UNetConverter, source="Neveu et al., github.com/balthazarneveu/blind-deblurring-from-synthetic-data, 2024")
