"""DSIT: two streams that attend to themselves and to each other inside windows, on a frozen Swin transformer.

Hu, Wang & Guo, "Single Image Reflection Separation via Dual-Stream Interactive Transformers", NeurIPS 2024 (code: mingcv/DSIT).
A Swin and an encoder of mutually gated blocks (those of DSRNet) look at the photo; what they see is joined level by level and
decoded. The streams travel as one tensor, as in ``blocks/mutual``. Attribute names are those of the files, without norms that
they hold and never apply.
"""

import torch
from torch import Tensor, nn

from limpid.blocks.global_context import RecallSequential
from limpid.blocks.mutual import ChannelAttention, MutualBlock, Shared, SingleBlock, spatial_half
from limpid.blocks.naf import ChannelNorm
from limpid.blocks.windows import Swin, WindowAttention, from_windows, to_windows
from limpid.catalogue import ModelEntry
from limpid.layers.context import PassesRecall, Recall
from limpid.layers.network import LayerNetwork, Needs, Resize
from limpid.layers.separation import Separation


class DualAttention(nn.Module, PassesRecall):
    """Attention of each stream to itself and of both to both, then a gated half of a mutual block: (2B, C, H, W) → the same."""

    def __init__(self, channels: int, heads: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.a = nn.Parameter(torch.zeros(1, 1, channels))
        self.b = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.norm1 = Shared(ChannelNorm(channels, 1e-5))
        self.dsia_sa = WindowAttention(channels, heads, window)
        self.dsia_ca = WindowAttention(channels, heads, window, streams=2)
        self.feedforward = spatial_half(channels, ChannelAttention(channels))

    def forward(self, streams: Tensor, recall: Recall | None = None) -> Tensor:
        """Refine both streams."""
        size = (streams.shape[-2], streams.shape[-1])
        found = from_windows(self._attended(streams), self.window, size)
        streams = streams + (self.a * found).permute(0, 3, 1, 2)
        del found  # as large as the streams, and not needed beside what follows
        refined: Tensor = streams + self.b * self.feedforward(streams, recall)
        return refined

    def _attended(self, streams: Tensor) -> Tensor:
        """Windows of both streams, those of the first before those of the second: (2N, window², C)."""
        places = to_windows(self.norm1(streams).permute(0, 2, 3, 1), self.window)
        apart = (2, len(places) // 2)  # streams, windows of each
        crossed = self.dsia_ca(places.unflatten(0, apart).transpose(0, 1).flatten(1, 2))  # a window holds both streams
        found: Tensor = self.dsia_sa(places)
        found.unflatten(0, apart).add_(crossed.unflatten(1, (2, -1)).transpose(0, 1))
        return found


class Encoder(nn.Module, PassesRecall):
    """Mutual blocks, halved five times: (2B, 3, H, W) → maps of C at 1, 2C at 1/2, …, 32C at 1/32, two streams each."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.stem = Shared(nn.Conv2d(3, width, 3, padding=1))
        for level in range(5):
            c = width << level
            halve = Shared(nn.Conv2d(c, 2 * c, 2, stride=2))
            self.add_module(f"block{level + 1}", RecallSequential(MutualBlock(c), MutualBlock(c), halve))

    def forward(self, streams: Tensor, recall: Recall | None = None) -> list[Tensor]:
        """Fine to coarse."""
        maps = [self.stem(streams)]
        for level in range(1, 6):
            maps.append(self.get_submodule(f"block{level}")(maps[-1], recall))
        return maps


class Dsit(LayerNetwork):
    """Photo (B, 3, H, W), 0…1, encoded → Separation of transmission, reflection and residual, unclamped; multiples of 32.

    ``width``: channels at full size; ``heads``: of the attention at 1, 1/2, 1/4, 1/8 and 1/16; ``blocks``: attention blocks of the
    decoder there, coarse to fine; ``depths``, ``swin_heads``: those of the Swin, whose width is 4 · ``width``; ``window``: side of
    windows, places. It must see a photo whole: every gate looks at all of it. Where I − T − R serves as well as what the
    network holds for it, ``answers_residual = False`` leaves that out of the forward.
    """

    needs = Needs(multiple=32, minimum=32, tiling="never", resize=Resize(multiple=32, resampling="bicubic"))
    learns_residue = True

    def __init__(
        self,
        *,
        width: int = 48,
        heads: tuple[int, ...] = (1, 2, 4, 8, 8),
        blocks: tuple[int, ...] = (12, 8, 4, 2, 2),
        depths: tuple[int, ...] = (2, 2, 18, 2),
        swin_heads: tuple[int, ...] = (6, 12, 24, 48),
        window: int = 12,
    ) -> None:
        super().__init__()
        c = [width << level for level in range(5)]
        self.swin_prior = Swin(4 * width, depths, swin_heads, window).requires_grad_(False)
        self.conv_prior = Encoder(width)

        def attend(level: int) -> DualAttention:
            return DualAttention(c[level], heads[level], window)

        def enlarge(level: int) -> tuple[nn.Module, ...]:
            quarter = c[level] // 4
            return nn.PixelShuffle(2), MutualBlock(quarter), MutualBlock(quarter), Shared(nn.Conv2d(quarter, c[level - 1], 1))

        merged = DualAttention(c[3], heads[3], window)  # half as wide as what it is added to
        self.aib5 = RecallSequential(nn.PixelShuffle(2), merged, Shared(nn.Conv2d(c[3], c[4], 1)))
        for level in (4, 3, 2):
            self.add_module(f"aib{level}", RecallSequential(attend(level)))
        for level in (4, 3, 2, 1):
            self.add_module(f"lib{level}", RecallSequential(*(attend(level) for _ in range(blocks[4 - level])), *enlarge(level)))
        finest = (attend(0) for _ in range(blocks[4]))
        self.lib0 = RecallSequential(*finest, MutualBlock(width), MutualBlock(width))
        self.out = Shared(nn.Conv2d(width, 3, 3, padding=1))
        self.lrm = RecallSequential(SingleBlock(width), nn.Conv2d(width, 3, 3, padding=1))

    def separate(self, mixed: Tensor, recall: Recall | None = None) -> Separation:
        """(B, 3, H, W) → layers of the same shape; ``residual`` is what the network holds for I − T − R, −1…1."""
        known: list[Tensor] = self.swin_prior(mixed)
        seen: list[Tensor] = self.conv_prior(torch.cat((mixed, mixed)), recall)
        deepest = self._joined(5, known.pop(), seen.pop(), recall)  # maps go when they were used: they take half the memory
        streams = deepest + self._joined(4, known.pop(), seen.pop(), recall)
        streams = self.get_submodule("lib4")(streams, recall)
        for level in (3, 2):
            streams = streams + self._joined(level, known.pop(), seen.pop(), recall)
            streams = self.get_submodule(f"lib{level}")(streams, recall)
        for level in (1, 0):
            streams = streams + seen.pop()
            streams = self.get_submodule(f"lib{level}")(streams, recall)
        transmission, reflection = self.out(streams).chunk(2)
        layers = {"transmission": transmission, "reflection": reflection}
        if self.answers_residual:
            first, second = streams.chunk(2)
            layers["residual"] = torch.tanh(self.lrm(first + second, recall))
        return Separation(layers)

    def _joined(self, level: int, known: Tensor, seen: Tensor, recall: Recall | None) -> Tensor:
        """What the Swin knows attends to each stream, by the same weights; both answers of a stream are added: (2B, C, H, W)."""
        first, second = self.get_submodule(f"aib{level}")(torch.cat((known, known, seen)), recall).chunk(2)
        joined: Tensor = first + second
        return joined


ENTRY = ModelEntry(
    build=Dsit,
    source="Hu, Wang & Guo, NeurIPS 2024 (mingcv/DSIT); backbone: DINO detector's Swin-L (Objects365), inside its files",
    licence="none stated: all rights reserved; ask the authors",
    tasks=("reflection",),
    layers=("transmission", "reflection"),
    sizes={
        "large": {},
        "tiny": {
            "width": 4,
            "heads": (1, 1, 2, 2, 2),
            "blocks": (1, 1, 1, 1, 1),
            "depths": (1, 2, 1, 1),
            "swin_heads": (1, 1, 2, 2),
            "window": 4,
        },
    },
)
