"""A U of NAFNet blocks between two maps of any number of channels (Chen et al., ECCV 2022, arXiv:2204.04676)."""

from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.blocks.global_context import GlobalMean, RecallSequential
from limpid.blocks.naf import Activation, NafBlock, SlidingMean
from limpid.errors import SettingError
from limpid.layers.context import Recall


class NafUNet(nn.Module):
    """Map (B, channels, H, W) → ``features`` → ``answer``, (B, answers, H, W); both sides are multiples of ``multiple``.

    What is done with the answer, which has no activation, is left to subclasses, which also say how many ``channels`` and
    ``answers`` there are. ``radius``: how far an answer looks, pixels, apart from means over the whole map; None with local means.

    ``width``: channels at full resolution, doubled at each level; ``encoder``, ``decoder``: blocks of each level, from full
    resolution down and back up; ``middle``: blocks at the lowest. ``feed_forward``: channels of the second half of a block
    before its gate, None for twice the block's own. ``activation``, ``norm``, ``attention``: what the blocks are made of.
    ``local_window``: side in pixels of the means that steer the channels, None for means over the whole map. ``shuffle``: the
    network works on squares of so many pixels as channels, at 1/shuffle of the size (Zhang et al., FFDNet, TIP 2018,
    arXiv:1710.04026: a quarter of the work at nearly the same quality); ``width`` then counts channels there. ``grey``: one channel
    in and out.
    Raises SettingError when encoder and decoder have different numbers of levels.
    """

    channels, answers = 3, 3

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
        grey: bool = False,
    ) -> None:
        super().__init__()
        if len(encoder) != len(decoder):
            raise SettingError(f"encoder and decoder must have as many levels; got {encoder} and {decoder}")
        self.shuffle, self.multiple, self.grey = shuffle, shuffle * 2 ** len(encoder), grey
        channels, answers = (1, 1) if grey else (self.channels, self.answers)
        widths = [width * 2**level for level in range(len(encoder) + 1)]

        def blocks(level: int, count: int) -> RecallSequential:
            mean = GlobalMean if local_window is None else partial(SlidingMean, max(1, local_window // shuffle >> level))
            parts = (
                NafBlock(
                    widths[level],
                    mean=mean() if attention else None,
                    feed_forward=feed_forward,
                    activation=activation,
                    norm=norm,
                )
                for _ in range(count)
            )
            return RecallSequential(*parts)

        self.intro = nn.Conv2d(channels * shuffle**2, width, 3, padding=1)
        self.ending = nn.Conv2d(width, answers * shuffle**2, 3, padding=1)
        self.encoders = nn.ModuleList(blocks(level, count) for level, count in enumerate(encoder))
        self.downs = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in pairwise(widths))
        self.middle_blks = blocks(len(encoder), middle)
        self.ups = nn.ModuleList(
            nn.Sequential(nn.Conv2d(coarse, 2 * coarse, 1, bias=False), nn.PixelShuffle(2)) for coarse in widths[:0:-1]
        )
        self.decoders = nn.ModuleList(blocks(len(decoder) - 1 - index, count) for index, count in enumerate(decoder))
        exact = not attention or local_window is None  # chained local means reach across any halo
        self.radius = shuffle * receptive_radius(encoder, middle, decoder) + shuffle - 1 if exact else None

    def features(self, maps: Tensor, recall: Recall | None = None) -> Tensor:
        """(B, channels, H, W) → what the last layer sees, (B, width, H/shuffle, W/shuffle)."""
        features = self.intro(F.pixel_unshuffle(maps, self.shuffle))  # (B, C, H, W) -> (B, width, H/s, W/s)
        skips = []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            skips.append(encoder(features, recall))
            features = down(skips[-1])  # (B, C, H, W) -> (B, 2C, H/2, W/2)
        features = self.middle_blks(features, recall)
        for up, decoder in zip(self.ups, self.decoders, strict=True):
            features = decoder(up(features) + skips.pop(), recall)
        found: Tensor = features
        return found

    def answer(self, features: Tensor, dtype: torch.dtype) -> Tensor:
        """The last layer on ``features``, in ``dtype``: eight bits of mantissa would show as banding."""
        with torch.autocast(features.device.type, enabled=False):
            answered: Tensor = F.pixel_shuffle(self.ending(features.to(dtype)), self.shuffle)
        return answered


def receptive_radius(encoder: tuple[int, ...], middle: int, decoder: tuple[int, ...]) -> int:
    """Pixels beyond which an input pixel cannot influence an output pixel, without attention: sum of stride × 3×3 layers.

    One cell of the lowest level, less a pixel, covers how a pixel lies in its cells.
    """
    levels = len(encoder)
    blocks = sum((down + up) << level for level, (down, up) in enumerate(zip(encoder, reversed(decoder), strict=True)))
    cell = 1 << levels
    return 2 + blocks + cell * middle + cell - 1
