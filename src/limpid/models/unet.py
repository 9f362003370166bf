"""The U-Net of rstor: the frame of NAFNet with ReLU in place of gates, no normalisation and no attention.

Neveu et al., balthazarneveu/blind-deblurring-from-synthetic-data, 2024. Its feed-forward part has two channels in every block.
"""

from typing import Any

from limpid.blocks.naf import Activation
from limpid.catalogue import ModelEntry
from limpid.layers.network import Needs
from limpid.models.nafnet import NafNet


class UNet(NafNet):
    """Photo (B, 3, H, W), 0…1, encoded → Separation of ``restored``, unclamped; any size. Settings as in ``NafNet``."""

    needs = Needs(phase=16)

    def __init__(
        self,
        *,
        width: int = 64,
        encoder: tuple[int, ...] = (1, 1, 1, 28),
        middle: int = 1,
        decoder: tuple[int, ...] = (1, 1, 1, 1),
        feed_forward: int | None = 2,
        activation: Activation = "relu",
        norm: bool = False,
        attention: bool = False,
        grey: bool = False,
    ) -> None:
        super().__init__(
            width=width,
            encoder=encoder,
            middle=middle,
            decoder=decoder,
            feed_forward=feed_forward,
            activation=activation,
            norm=norm,
            attention=attention,
            grey=grey,
        )


_THREE_LEVELS: dict[str, Any] = {"encoder": (1, 1, 2), "middle": 1, "decoder": (1, 1, 1)}

ENTRY = ModelEntry(
    build=UNet,
    source="Neveu et al., balthazarneveu/blind-deblurring-from-synthetic-data, 2024; frame: Chen et al., arXiv:2204.04676",
    licence="Unlicense by its classifier (rstor)",
    tasks=("denoise", "deblur"),
    layers=("restored",),
    sizes={
        "full": {"width": 64, "encoder": (1, 1, 1, 28), "middle": 1, "decoder": (1, 1, 1, 1)},
        "light": {"width": 64, "encoder": (1, 1, 1, 2), "middle": 1, "decoder": (1, 1, 1, 1)},
        "3m": {"width": 64, **_THREE_LEVELS},
        "width16": {"width": 16, **_THREE_LEVELS},
        "tiny": {"width": 4, "encoder": (1, 1), "middle": 1, "decoder": (1, 1), "feed_forward": 8},
    },
)
