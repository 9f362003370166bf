"""Published NAFNet files (megvii-research/NAFNet, ``NAFNet-{GoPro,SIDD,REDS}-width*.pth``) and those of rstor."""

from collections.abc import Mapping

from torch import Tensor

from limpid.blocks.naf import Activation
from limpid.catalogue import Entry, Settings
from limpid.checkpoints.convert._shapes import Shapes, shapes_of

LOCALLY_TESTED = (1, 1, 1, 28)
"""Encoder of the networks trained on GoPro and REDS, which their authors test with local means."""

LOCAL_WINDOW = 384
"""Side of those means in pixels: 1.5 times the training crops of 256."""


def ours(key: str) -> str:
    """Our name of a published key: the attention of a block is called ``sca`` there."""
    return key.replace(".sca.", ".attention.")


class NafNetConverter:
    """NAFNet with gates, official or with the two-wide feed-forward part of rstor."""

    model = "nafnet"
    activation: Activation = "gate"

    def recognise(self, shapes: Shapes) -> Settings | None:
        """Settings of the network that has exactly these keys and shapes, None when there is none."""
        renamed = {ours(key): shape for key, shape in shapes.items()}
        settings = _frame(renamed)
        if settings is None:
            return None
        settings = {**settings, "activation": self.activation}
        if self.model == "nafnet":
            official = settings["feed_forward"] is None and settings["attention"]
            settings["shuffle"] = round((renamed["intro.weight"][1] / 3) ** 0.5)
            settings["local_window"] = LOCAL_WINDOW if official and settings["encoder"] == LOCALLY_TESTED else None
        return settings if shapes_of(self.model, settings) == renamed else None

    def convert(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The same tensors under our keys."""
        return {ours(key): tensor for key, tensor in tensors.items()}


def _frame(shapes: Shapes) -> Settings | None:
    """What keys and the first block say about the frame, unchecked; None when there is no such block."""
    inner = {key: shape for key, shape in shapes.items() if key.endswith(".conv4.weight")}
    if not inner or any(len(shape) != 4 for shape in (*inner.values(), shapes.get("intro.weight", ()))):
        return None
    first = next(iter(inner))
    block = first.removesuffix("conv4.weight")
    levels = _count(shapes, "downs.")
    return {
        "width": shapes["intro.weight"][0],
        "encoder": tuple(_count(shapes, f"encoders.{level}.") for level in range(levels)),
        "middle": _count(shapes, "middle_blks."),
        "decoder": tuple(_count(shapes, f"decoders.{level}.") for level in range(levels)),
        "feed_forward": None if all(wide == 2 * own for wide, own, *_ in inner.values()) else inner[first][0],
        "norm": f"{block}norm1.weight" in shapes,
        "attention": f"{block}attention.1.weight" in shapes,
    }


def _count(shapes: Shapes, start: str) -> int:
    """How many different names follow ``start``: 2 for ``downs.`` in downs.0.weight, downs.0.bias, downs.1.weight."""
    return len({key[len(start) :].partition(".")[0] for key in shapes if key.startswith(start)})


ENTRY = Entry(build=NafNetConverter, source="Chen et al., ECCV 2022, github.com/megvii-research/NAFNet")
