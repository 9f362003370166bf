"""NAFNet: a U-shaped network of gates without activations, for deblurring and denoising.

Chen et al., "Simple Baselines for Image Restoration", ECCV 2022, arXiv:2204.04676. The networks trained on GoPro and REDS are
tested with local instead of global means (Chu et al., "Improving Image Restoration by Revisiting Global Information
Aggregation", ECCV 2022, arXiv:2112.04491): a window of 1.5 times the side of the training crops. The variants of rstor
(blind deblurring from synthetic data, 2024) differ by a feed-forward part of two channels.
"""

from typing import Any, Literal

import torch.nn.functional as F
from torch import Tensor

from limpid.blocks.naf_unet import NafUNet
from limpid.catalogue import ModelEntry
from limpid.image.size import crop, padded_size
from limpid.layers.context import Recall
from limpid.layers.network import LayerNetwork, Needs
from limpid.layers.separation import Separation


class NafNet(NafUNet, LayerNetwork):
    """Photo (B, 3, H, W), 0…1, encoded → Separation of ``restored``, unclamped; any size, padded inside.

    Padded are zeros, as published, and the repeated rim where the network shuffles, as only our own do. Settings: those of
    ``limpid.blocks.naf_unet.NafUNet``. Raises SettingError when encoder and decoder have different numbers of levels.
    """

    needs = Needs(phase=16, tiling="discouraged")

    @property
    def pads_to(self) -> tuple[int, Literal["constant", "replicate"]]:  # type: ignore[override]
        """Multiples of the lowest level."""
        return self.multiple, "constant" if self.shuffle == 1 else "replicate"

    def separate(self, mixed: Tensor, recall: Recall | None = None) -> Separation:
        """(B, 3, H, W) → ``restored`` of the same shape."""
        height, width = mixed.shape[-2:]
        multiple, mode = self.pads_to
        rows, columns = padded_size(height, width, multiple)
        if (rows, columns) == (height, width):
            return Separation({"restored": mixed + self.answer(self.features(mixed, recall), mixed.dtype)})
        padded = F.pad(mixed, (0, columns - width, 0, rows - height), mode=mode)
        return Separation({"restored": crop(padded + self.answer(self.features(padded, recall), mixed.dtype), height, width)})


_DEEP: dict[str, Any] = {"encoder": (1, 1, 1, 28), "middle": 1, "decoder": (1, 1, 1, 1)}
_EVEN: dict[str, Any] = {"encoder": (2, 2, 4, 8), "middle": 12, "decoder": (2, 2, 2, 2)}
_THREE_LEVELS: dict[str, Any] = {"encoder": (1, 1, 2), "middle": 1, "decoder": (1, 1, 1)}

ENTRY = ModelEntry(
    build=NafNet,
    source="Chen et al., ECCV 2022, arXiv:2204.04676; rstor sizes: balthazarneveu/blind-deblurring-from-synthetic-data, 2024",
    licence="MIT, parts Apache-2.0 (NAFNet); Unlicense by its classifier (rstor)",
    tasks=("deblur", "denoise"),
    layers=("restored",),
    sizes={
        "gopro_width32": {"width": 32, **_DEEP, "local_window": 384},
        "gopro_width64": {"width": 64, **_DEEP, "local_window": 384},
        "reds_width64": {"width": 64, **_DEEP, "local_window": 384},
        "sidd_width32": {"width": 32, **_EVEN},
        "sidd_width64": {"width": 64, **_EVEN},
        "rstor_full": {"width": 64, **_DEEP, "feed_forward": 2},
        "rstor_light": {"width": 64, "encoder": (1, 1, 1, 2), "middle": 1, "decoder": (1, 1, 1, 1), "feed_forward": 2},
        "rstor_3m": {"width": 64, **_THREE_LEVELS, "feed_forward": 2},
        "rstor_226k": {"width": 16, **_THREE_LEVELS, "feed_forward": 2},
        "limpid": {"width": 32, "shuffle": 2, "encoder": (2, 2, 4), "middle": 4, "decoder": (2, 2, 2), "attention": False},
        "tiny": {"width": 4, "encoder": (1, 1), "middle": 1, "decoder": (1, 1)},
    },
)
