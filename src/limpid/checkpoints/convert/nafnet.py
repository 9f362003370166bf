"""Published NAFNet files (megvii-research/NAFNet, ``NAFNet-{GoPro,SIDD,REDS}-width*.pth``) and those of rstor."""

import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from limpid.catalogue import Entry, Settings
from limpid.checkpoints.convert._converter import Converter, Told
from limpid.checkpoints.convert._shapes import Shapes, shapes_of

_LOCALLY_TESTED = (1, 1, 1, 28)  # encoder of the networks trained on GoPro and REDS, which their authors test with local means
_LOCAL_WINDOW = 384  # side of those means in pixels: 1.5 times the training crops of 256
_LOCAL_SETS = re.compile("gopro|reds", re.IGNORECASE)
_FOLDERS = 3  # parts of a path that may name the set: experiments/NAFNet-GoPro-width32/models/net_g_latest.pth


def ours(key: str) -> str:
    """Our name of a published key: the attention of a block is called ``sca`` there."""
    return key.replace(".sca.", ".attention.")


class NafNetConverter(Converter):
    """NAFNet with gates, official or with the two-wide feed-forward part of rstor."""

    model = "nafnet"

    def recognise(self, shapes: Shapes) -> Settings | None:
        """Settings of the network that has exactly these keys and shapes, None when there is none."""
        renamed = {ours(key): shape for key, shape in shapes.items()}
        settings = frame(renamed)
        if settings is None:
            return None
        official = settings["feed_forward"] is None and settings["attention"]
        window = _LOCAL_WINDOW if official and settings["encoder"] == _LOCALLY_TESTED else None
        settings = {**settings, "activation": "gate", "local_window": window}
        return settings if shapes_of(self.model, settings) == renamed else None

    def convert(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The same tensors under our keys."""
        return {ours(key): tensor for key, tensor in tensors.items()}

    def tell(self, settings: Settings, path: Path) -> Told:
        """Which means a network of 28 blocks takes: local ones where the path names a set whose networks are tested so."""
        if settings["local_window"] is None or _LOCAL_SETS.search("/".join(path.parts[-_FOLDERS:])):
            return Told(settings=settings)
        remark = (
            "takes means over the whole photo; the networks published for GoPro and REDS take local ones: if this is one of"
            f" them, keep that word in its name, or `limpid convert` it with local_window={_LOCAL_WINDOW}"
        )
        return Told(settings={**settings, "local_window": None}, remark=remark)


def frame(shapes: Shapes) -> Settings | None:
    """What keys and the first block say about the frame, unchecked; None when there is no such block."""
    inner = {key: shape for key, shape in shapes.items() if key.endswith(".conv4.weight")}
    if not inner or any(len(shape) != 4 for shape in (*inner.values(), shapes.get("intro.weight", ()))):
        return None
    first = next(iter(inner))
    block = first.removesuffix("conv4.weight")
    levels = _count(shapes, "downs.")
    grey, shuffle = _squares(shapes["intro.weight"][1])
    return {
        "width": shapes["intro.weight"][0],
        "encoder": tuple(_count(shapes, f"encoders.{level}.") for level in range(levels)),
        "middle": _count(shapes, "middle_blks."),
        "decoder": tuple(_count(shapes, f"decoders.{level}.") for level in range(levels)),
        "feed_forward": None if all(wide == 2 * own for wide, own, *_ in inner.values()) else inner[first][0],
        "norm": f"{block}norm1.weight" in shapes,
        "attention": f"{block}attention.1.weight" in shapes,
        "shuffle": shuffle,
        "grey": grey,
    }


def _squares(channels: int) -> tuple[bool, int]:
    """Whether so many channels are those of a grey photo, and the side of the squares of pixels that became channels."""
    sides = {grey: round((channels / colours) ** 0.5) for grey, colours in ((False, 3), (True, 1))}
    return (False, sides[False]) if 3 * sides[False] ** 2 == channels else (True, sides[True])


def _count(shapes: Shapes, start: str) -> int:
    """How many different names follow ``start``: 2 for ``downs.`` in downs.0.weight, downs.0.bias, downs.1.weight."""
    return len({key[len(start) :].partition(".")[0] for key in shapes if key.startswith(start)})


ENTRY = Entry(build=NafNetConverter, source="Chen et al., ECCV 2022, github.com/megvii-research/NAFNet")
