"""DSRNet and its Mamba family: two streams that gate each other, on features of a VGG-19, with a learnt residue.

DSRNet is Hu & Guo, ICCV 2023, arXiv:2308.10027 (code: mingcv/DSRNet); the Mamba variants exchange what mixes distant pixels in
the blocks (code: shayandaneshvar/mamba-reflection). Attribute names are those of their checkpoints, except that layers shared by
the streams of the residue module are kept once (published files hold them as ``seq_l`` and ``seq_r``). The blocks hold global
means, which tiles can be told (``blocks/global_context.py``), or Mamba in reading order, of which a tile never quite gives what the
whole photo gives.
"""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from limpid.backbones.vgg19 import FIRSTS, Vgg19
from limpid.blocks.global_context import Doubling, RecallSequential
from limpid.blocks.mutual import Kind, MutualBlock, Shared, SingleBlock
from limpid.catalogue import ModelEntry
from limpid.layers.context import Recall
from limpid.layers.network import LayerNetwork, Needs, Resize
from limpid.layers.separation import Separation

_INTRO = 32  # channels that the pyramid gives to the photo itself, and to all deeper features


def both(features: Tensor) -> Tensor:
    """The same features for both streams: (B, C, H, W) → (2B, C, H, W)."""
    return torch.cat((features, features))


class Pyramid(nn.Module):
    """Merges VGG maps from deep to shallow, and the photo, into ``width`` channels for each stream.

    ``kind``: what mixes distant pixels in its blocks. ``shared_scale``: see ``MutualBlock``.
    """

    def __init__(self, width: int, *, kind: Kind, shared_scale: bool) -> None:
        super().__init__()

        def block(channels: int) -> MutualBlock:
            return MutualBlock(channels, kind=kind, shared_scale=shared_scale)

        def upwards(channels: int) -> Shared:  # pairs of C channels become C / 2 of twice the size
            return Shared(nn.Conv2d(2 * channels, 2 * channels, 1), nn.PixelShuffle(2))

        self.block5 = RecallSequential(block(512), Doubling(stride=16))
        self.block4 = RecallSequential(block(512))
        self.ch_map4 = RecallSequential(upwards(512), block(256))
        self.block3 = RecallSequential(block(256))
        self.ch_map3 = RecallSequential(upwards(256), block(128))
        self.block2 = RecallSequential(block(128))
        self.ch_map2 = RecallSequential(upwards(128), block(64))
        self.block1 = RecallSequential(block(64))
        self.ch_map1 = RecallSequential(
            Shared(nn.Conv2d(128, 128, 1)), block(128), Shared(nn.Conv2d(128, _INTRO, 1)), block(_INTRO)
        )
        self.block_intro = RecallSequential(Shared(nn.Conv2d(3, _INTRO, 3, padding=1)), block(_INTRO))
        self.ch_map0 = Shared(nn.Conv2d(2 * _INTRO, width, 1))

    def forward(self, photo: Tensor, maps: Mapping[str, Tensor], recall: Recall | None = None) -> Tensor:
        """Photo (B, 3, H, W) and VGG maps at 1, 1/2, 1/4, 1/8, 1/16 → streams (2B, width, H, W)."""
        *shallower, deepest = maps.values()
        streams = self.block5(both(deepest), recall)  # (2B, 512, H/8, W/8)
        steps = ((self.block4, self.ch_map4), (self.block3, self.ch_map3), (self.block2, self.ch_map2), (self.block1, self.ch_map1))
        for (refine, merge), features in zip(steps, reversed(shallower), strict=True):
            streams = merge(torch.cat((streams, refine(both(features), recall)), dim=1), recall)  # twice the size, except the last
        merged: Tensor = self.ch_map0(torch.cat((streams, self.block_intro(both(photo), recall)), dim=1))
        return merged


class Residue(nn.Module):
    """What neither layer explains, from both streams: (2B, width, H, W) → (B, 3, H, W), −1…1.

    ``blocks``: mutual blocks, then blocks on the merged streams.
    """

    def __init__(self, width: int, blocks: tuple[int, int]) -> None:
        super().__init__()
        self.intro = Shared(nn.Conv2d(width, 2 * width, 1))
        self.blocks_inter = RecallSequential(*(MutualBlock(2 * width, shared_scale=False) for _ in range(blocks[0])))
        self.blocks_merge = RecallSequential(*(SingleBlock(4 * width) for _ in range(blocks[1])))
        self.tail = nn.Sequential(nn.Conv2d(4 * width, 3, 3, padding=1), nn.Tanh())

    def forward(self, streams: Tensor, recall: Recall | None = None) -> Tensor:
        """Merge the streams."""
        merged = torch.cat(self.blocks_inter(self.intro(streams), recall).chunk(2), dim=1)
        residue: Tensor = self.tail(self.blocks_merge(merged, recall))
        return residue


class DSRNet(LayerNetwork):
    """Photo (B, 3, H, W), 0…1, encoded → Separation of transmission, reflection and residual, unclamped; H, W multiples of 16.

    ``width``: channels at full size, doubled at each level. ``encoder``, ``middle``, ``decoder``: blocks per level, at the bottom,
    and per level upwards. ``residue``: mutual blocks of the residue module, then those on its merged streams. ``shared_scale``: one
    scale of the second half of a block for both streams. ``body``, ``pyramid``: what mixes distant pixels in the blocks of the
    encoder-decoder and of the pyramid. ``backbone`` (VGG-19, frozen, fed the raw photo) is random until filled. Where I − T − R
    serves as well as what the network holds for it, ``answers_residual = False`` leaves the residue module out of the forward.
    """

    needs = Needs(multiple=16, minimum=16, tiling="discouraged", resize=Resize(multiple=32, resampling="bicubic"))
    learns_residue = True
    no_weight_decay = ("A_log", "D")  # state matrices of the selective scan, as Mamba marks them

    def __init__(
        self,
        *,
        width: int = 64,
        encoder: tuple[int, ...] = (2, 2, 4, 8),
        middle: int = 12,
        decoder: tuple[int, ...] = (2, 2, 2, 2),
        residue: tuple[int, int] = (2, 4),
        shared_scale: bool = True,
        body: Kind = "attention",
        pyramid: Kind = "attention",
    ) -> None:
        super().__init__()

        def blocks(channels: int, count: int) -> nn.Sequential:
            return RecallSequential(*(MutualBlock(channels, kind=body, shared_scale=shared_scale) for _ in range(count)))

        widths = [width << level for level in range(len(encoder) + 1)]
        upwards = widths[:0:-1]
        self.intro = Pyramid(width, kind=pyramid, shared_scale=shared_scale)
        self.ending = Shared(nn.Conv2d(width, 3, 3, padding=1))
        self.encoders = nn.ModuleList(blocks(channels, count) for channels, count in zip(widths, encoder, strict=False))
        self.decoders = nn.ModuleList(blocks(c // 2, count) for c, count in zip(upwards, decoder, strict=True))
        self.middle_blks = blocks(widths[-1], middle)
        self.ups = nn.ModuleList(Shared(nn.Conv2d(c, 2 * c, 1, bias=False), nn.PixelShuffle(2)) for c in upwards)
        self.downs = nn.ModuleList(Shared(nn.Conv2d(c, 2 * c, 2, stride=2)) for c in widths[:-1])
        self.lrm = Residue(width, residue)
        self.backbone = Vgg19(taps=FIRSTS)
        if body == pyramid == "attention":
            self.radius = radius(self.backbone.reach or 0, encoder, middle, decoder, residue)
        else:  # Mamba reads the whole photo token by token
            self.needs = replace(self.needs, tiling="never")

    def global_modules(self) -> dict[str, nn.Module]:
        """Without those of the residue module where it is left out."""
        found = super().global_modules()
        return {name: module for name, module in found.items() if self.answers_residual or not name.startswith("lrm.")}

    def separate(self, mixed: Tensor, recall: Recall | None = None) -> Separation:
        """(B, 3, H, W) → layers of the same shape; ``residual`` is what the network holds for I − T − R."""
        streams = self.intro(mixed, self.backbone(mixed), recall)  # (2B, C, H, W), transmission in the first half
        skips = []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            streams = encoder(streams, recall)
            skips.append(streams)
            streams = down(streams)
        streams = self.middle_blks(streams, recall)  # (2B, C << levels, H >> levels, W >> levels)
        for up, decoder in zip(self.ups, self.decoders, strict=True):
            streams = decoder(up(streams) + skips.pop(), recall)
        transmission, reflection = self.ending(streams).chunk(2)
        residual = {"residual": self.lrm(streams, recall)} if self.answers_residual else {}
        return Separation({"transmission": transmission, "reflection": reflection, **residual})


def radius(reach: int, encoder: tuple[int, ...], middle: int, decoder: tuple[int, ...], residue: tuple[int, int]) -> int:
    """Pixels beyond which an input pixel cannot influence an output pixel but through means over the whole photo.

    ``reach``: that of the taps. Each block holds one 3×3 convolution, as wide as the stride of its level: in the pyramid one at 16,
    two cells of the doubling, and one at 8, 4, 2 and 1 on the way of the deepest tap and one more after each merger, two after
    the last. One cell of the lowest level covers how a pixel lies in its cells.
    """
    pyramid = 16 + 2 * 16 + (8 + 4 + 2 + 1) + (4 + 2 + 1 + 2) + 1
    levels = len(encoder)
    blocks = sum((down + up) << level for level, (down, up) in enumerate(zip(encoder, reversed(decoder), strict=True)))
    return reach + pyramid + blocks + (middle << levels) + (1 << levels) - 1 + sum(residue) + 1


ENTRY = ModelEntry(
    build=DSRNet,
    source="Hu & Guo, ICCV 2023, arXiv:2308.10027 (mingcv/DSRNet); Mamba variants: shayandaneshvar/mamba-reflection",
    tasks=("reflection",),
    layers=("transmission", "reflection"),
    sizes={
        "l": {},
        "l_nature": {"residue": (2, 2)},
        "m": {"encoder": (2, 2, 2, 2), "middle": 4},
        "s": {"width": 32, "encoder": (2, 2, 2), "middle": 4, "decoder": (2, 2, 2), "shared_scale": False},
        "mdsrnet_l": {"body": "mamba"},
        "mdsrnet_v1_l": {"body": "mamba_first"},
        "mxdsrnet_l": {"body": "mamba", "pyramid": "mamba"},
        "mgdsrnet_l": {"body": "mamba_gate"},
        "tiny": {"width": 4, "encoder": (1,), "middle": 1, "decoder": (1,), "residue": (1, 1), "body": "mamba"},
    },
)
