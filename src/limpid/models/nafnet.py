"""NAFNet: a U-shaped network of gates without activations, for deblurring and denoising.

Chen et al., "Simple Baselines for Image Restoration", ECCV 2022, arXiv:2204.04676. The networks trained on GoPro and REDS are
tested with local instead of global means (Chu et al., "Improving Image Restoration by Revisiting Global Information
Aggregation", ECCV 2022, arXiv:2112.04491): a window of 1.5 times the side of the training crops. The variants of rstor
(blind deblurring from synthetic data, 2024) differ by a feed-forward part of two channels.
"""

from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.blocks.naf import Activation, NafBlock, SlidingMean
from limpid.blocks.whole import WholeMean
from limpid.catalogue import Entry, Needs
from limpid.errors import SettingError
from limpid.image.separation import Separation
from limpid.image.size import crop, padded_size


class NafNet(nn.Module):
    """Photo (B, 3, H, W), 0…1, encoded → Separation of ``restored``, unclamped; any size, padded inside with zeros.

    ``width``: channels at full resolution, doubled at each level; ``encoder``, ``decoder``: blocks of each level, from full
    resolution down and back up; ``middle``: blocks at the lowest. ``feed_forward``: channels of the second half of a block
    before its gate, None for twice the block's own. ``activation``, ``norm``, ``attention``: what the blocks are made of.
    ``local_window``: side in pixels of the means that steer the channels, None for means over the whole photo. ``shuffle``: the
    network works on squares of so many pixels as channels, at 1/shuffle of the size (Zhang et al., FFDNet, TIP 2018,
    arXiv:1710.04026: a quarter of the work at nearly the same quality); ``width`` then counts channels there.
    Raises SettingError when encoder and decoder have different numbers of levels.
    """

    def __init__(
        self,
        *,
        width: int = 32,
        encoder: tuple[int, ...] = (1, 1, 1, 28),
        middle: int = 1,
        decoder: tuple[int, ...] = (1, 1, 1, 1),
        feed_forward: int | None = None,
        activation: Activation = "gate",
        norm: bool = True,
        attention: bool = True,
        local_window: int | None = None,
        shuffle: int = 1,
    ) -> None:
        super().__init__()
        if len(encoder) != len(decoder):
            raise SettingError(f"encoder and decoder must have as many levels; got {encoder} and {decoder}")
        self.shuffle, self.multiple = shuffle, shuffle * 2 ** len(encoder)
        widths = [width * 2**level for level in range(len(encoder) + 1)]

        def blocks(level: int, count: int) -> nn.Sequential:
            mean = WholeMean() if local_window is None else SlidingMean(max(1, local_window // shuffle >> level))
            parts = (
                NafBlock(
                    widths[level],
                    mean=mean if attention else None,
                    feed_forward=feed_forward,
                    activation=activation,
                    norm=norm,
                )
                for _ in range(count)
            )
            return nn.Sequential(*parts)

        self.intro = nn.Conv2d(3 * shuffle**2, width, 3, padding=1)
        self.ending = nn.Conv2d(width, 3 * shuffle**2, 3, padding=1)
        self.encoders = nn.ModuleList(blocks(level, count) for level, count in enumerate(encoder))
        self.downs = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in pairwise(widths))
        self.middle_blks = blocks(len(encoder), middle)
        self.ups = nn.ModuleList(
            nn.Sequential(nn.Conv2d(coarse, 2 * coarse, 1, bias=False), nn.PixelShuffle(2)) for coarse in widths[:0:-1]
        )
        self.decoders = nn.ModuleList(blocks(len(decoder) - 1 - index, count) for index, count in enumerate(decoder))
        if not attention:  # with it every pixel sees (nearly) the whole photo
            self.receptive_radius = shuffle * receptive_radius(encoder, middle, decoder) + shuffle - 1
        elif local_window is None:  # chained local means reach across any halo
            self.local_radius = shuffle * receptive_radius(encoder, middle, decoder) + shuffle - 1

    def forward(self, mixed: Tensor) -> Separation:
        """(B, 3, H, W) → ``restored`` of the same shape."""
        height, width = mixed.shape[-2:]
        rows, columns = padded_size(height, width, self.multiple)
        padded = F.pad(mixed, (0, columns - width, 0, rows - height))  # zeros, as published
        features = self.intro(F.pixel_unshuffle(padded, self.shuffle))  # (B, 3, H, W) -> (B, C, H/s, W/s)
        skips = []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            skips.append(encoder(features))
            features = down(skips[-1])  # (B, C, H, W) -> (B, 2C, H/2, W/2)
        features = self.middle_blks(features)
        for up, decoder in zip(self.ups, self.decoders, strict=True):
            features = decoder(up(features) + skips.pop())
        with torch.autocast(mixed.device.type, enabled=False):  # eight bits of mantissa would show as banding
            restored = padded + F.pixel_shuffle(self.ending(features.to(mixed.dtype)), self.shuffle)
        return Separation({"restored": crop(restored, height, width)})


def receptive_radius(encoder: tuple[int, ...], middle: int, decoder: tuple[int, ...]) -> int:
    """Pixels beyond which an input pixel cannot influence an output pixel, without attention: sum of stride × 3×3 layers.

    One cell of the lowest level, less a pixel, covers how a pixel lies in its cells.
    """
    levels = len(encoder)
    blocks = sum((down + up) << level for level, (down, up) in enumerate(zip(encoder, reversed(decoder), strict=True)))
    cell = 1 << levels
    return 2 + blocks + cell * middle + cell - 1


_DEEP: dict[str, Any] = {"encoder": (1, 1, 1, 28), "middle": 1, "decoder": (1, 1, 1, 1)}
_EVEN: dict[str, Any] = {"encoder": (2, 2, 4, 8), "middle": 12, "decoder": (2, 2, 2, 2)}
_THREE_LEVELS: dict[str, Any] = {"encoder": (1, 1, 2), "middle": 1, "decoder": (1, 1, 1)}

ENTRY = Entry(
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
    needs=Needs(multiple=16, minimum=16, tiling="discouraged"),
)
