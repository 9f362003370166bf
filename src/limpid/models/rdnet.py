"""RDNet: reversible columns on a FocalNet, steered by what the glass lets through.

Zhao et al., "Reversible Decoupling Network for Single Image Reflection Removal", CVPR 2025, arXiv:2410.08063 (code: lime-j/RDNet,
renamed in hainuo-wang/XReflection); reversible columns are those of RevCol (Cai et al., ICLR 2023, arXiv:2212.11696). Each column
refines the features of all sizes once; one decoder makes both layers of any of them, the last one counts. Attribute names are
those of the files, without the parts that they hold and never use.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.blocks.focalnet import FocalNet
from limpid.blocks.global_context import Doubling, GlobalMean, RecallSequential
from limpid.blocks.naf import ChannelNorm, NafBlock
from limpid.catalogue import ModelEntry
from limpid.layers.context import PassesRecall, Recall
from limpid.layers.network import LayerNetwork, Needs, Resize
from limpid.layers.separation import Separation
from limpid.models._rates import RateNetwork

LEAST_SCALE = 1e-3
"""Magnitude that the scales of a column keep, as its inverse divides by them."""


def _naf(channels: int, expansion: int) -> NafBlock:
    inner = expansion * channels
    return NafBlock(channels, mean=GlobalMean(), spread=inner, feed_forward=inner)


class StarRelu(nn.Module):
    """scale · relu(x)² + bias, both of one number."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.bias = nn.Parameter(torch.ones(1)), nn.Parameter(torch.zeros(1))

    def forward(self, features: Tensor) -> Tensor:
        """Any shape."""
        return self.scale * F.relu(features).square() + self.bias


class FromBelow(nn.Module):
    """Channels of a coarser level, enlarged: (B, D, h, w) → (B, C, 2h, 2w)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.channel_reschedule = nn.Sequential(nn.Linear(inputs, outputs), nn.LayerNorm(outputs, eps=1e-6))

    def forward(self, features: Tensor) -> Tensor:
        """Fewer channels first, then more places."""
        tokens = self.channel_reschedule(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return F.interpolate(tokens, scale_factor=2, mode="bilinear", align_corners=False)


class Fusion(nn.Module):
    """The finer level halved, plus the coarser one doubled where there is one."""

    def __init__(self, finer: int, channels: int, coarser: int | None) -> None:
        super().__init__()
        halve = nn.Sequential(nn.Conv2d(finer, channels, 2, stride=2), ChannelNorm(channels))
        self.down = halve if finer != channels else nn.Identity()
        self.up = None if coarser is None else FromBelow(coarser, channels)

    def forward(self, finer: Tensor, coarser: Tensor | None) -> Tensor:
        """(B, C′, 2H, 2W), or at the finest level (B, C, H, W), and (B, D, H/2, W/2) → (B, C, H, W)."""
        halved: Tensor = self.down(finer)
        return halved if self.up is None or coarser is None else halved + self.up(coarser)


class Level(nn.Module, PassesRecall):
    """Fusion and NAF blocks; arguments as ``Fusion``."""

    def __init__(self, finer: int, channels: int, coarser: int | None, blocks: int) -> None:
        super().__init__()
        self.fusion = Fusion(finer, channels, coarser)
        self.blocks = RecallSequential(*(_naf(channels, 4) for _ in range(blocks)))

    def forward(self, finer: Tensor, coarser: Tensor | None, recall: Recall | None = None) -> Tensor:
        """(B, C, H, W)."""
        changed: Tensor = self.blocks(self.fusion(finer, coarser), recall)
        return changed


class Column(nn.Module, PassesRecall):
    """All sizes once, fine to coarse, each a scaled copy of what it was plus what its neighbours say."""

    def __init__(self, widths: tuple[int, ...], blocks: tuple[int, ...], *, first: bool) -> None:
        super().__init__()
        for index, (channels, count) in enumerate(zip(widths, blocks, strict=True)):
            self.register_parameter(f"alpha{index}", nn.Parameter(torch.full((1, channels, 1, 1), 0.5)))
            coarser = None if first or index == len(widths) - 1 else widths[index + 1]
            self.add_module(f"level{index}", Level(widths[max(index - 1, 0)], channels, coarser, count))

    def forward(self, entered: Tensor, maps: list[Tensor], recall: Recall | None = None) -> list[Tensor]:
        """``entered``: the steered stem; ``maps``: levels of the column before."""
        updated: list[Tensor] = []
        for index, own in enumerate(maps):
            scale = self.get_parameter(f"alpha{index}")
            coarser = maps[index + 1] if index + 1 < len(maps) else None
            news = self.get_submodule(f"level{index}")(updated[-1] if updated else entered, coarser, recall)
            updated.append(scale.sign() * scale.abs().clamp_min(LEAST_SCALE) * own + news)
        return updated


class Decoder(nn.Module, PassesRecall):
    """Levels of a column → two images (B, 6, H, W), at twice the finest level's size.

    Two branches go from coarse to fine, each multiplied by the levels on its way; the first one alone has activations.
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.steps = len(widths) - 1
        steps = [(widths[level + 1], widths[level]) for level in reversed(range(self.steps))]
        self.proj_layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(inputs, outputs, 1), ChannelNorm(outputs), *([nn.GELU()] if branch == 0 else []))
            for branch in range(2)
            for inputs, outputs in steps
        )
        self.normal_layers = nn.ModuleList(RecallSequential(_naf(outputs, 1)) for _ in range(2) for _, outputs in steps)
        self.enlarge = nn.ModuleList(Doubling(stride=2 << (self.steps - step)) for step in range(self.steps))
        self.projback_, self.projback_2 = (nn.Sequential(nn.Conv2d(widths[0], 12, 1), nn.PixelShuffle(2)) for _ in range(2))

    def forward(self, maps: list[Tensor], recall: Recall | None = None) -> Tensor:
        """What both branches take off the photo."""
        first, second = (self._branch(branch, maps, recall) for branch in range(2))
        return torch.cat((self.projback_(first), self.projback_2(second)), dim=1)

    def _branch(self, branch: int, maps: list[Tensor], recall: Recall | None) -> Tensor:
        *finer, features = maps
        for step, own in enumerate(reversed(finer)):
            index = branch * self.steps + step
            enlarged = self.enlarge[step](self.proj_layers[index](features), recall)
            features = self.normal_layers[index](enlarged, recall) * own
        return features


class Rdnet(LayerNetwork):
    """Photo (B, 3, H, W), 0…1, encoded → Separation of transmission and reflection, unclamped; H, W multiples of 16.

    ``widths``, ``blocks``: channels and blocks of a column's levels, from 1/2 on; ``columns``: how many; ``focal``, ``depths``,
    ``drop``: width, blocks and dropped branches of the FocalNet; ``rate_width``, ``rate_depths``: those of the rate network, which
    is frozen and has a file of its own. ``transmission_first``: whether the decoder's first branch is the transmission
    (XReflection) or the reflection (original). In training ``transmission_1`` … are what each column gives. The network must see a
    photo whole.
    """

    needs = Needs(multiple=16, minimum=16, tiling="never", resize=Resize(multiple=32, resampling="bicubic"))

    def __init__(
        self,
        *,
        widths: tuple[int, ...] = (64, 128, 256, 512),
        blocks: tuple[int, ...] = (2, 2, 4, 2),
        columns: int = 4,
        focal: int = 192,
        depths: tuple[int, ...] = (2, 2, 18, 2),
        drop: float = 0.3,
        rate_width: int = 96,
        rate_depths: tuple[int, ...] = (3, 3, 27, 3),
        transmission_first: bool = False,
    ) -> None:
        super().__init__()
        self.names = ("transmission", "reflection") if transmission_first else ("reflection", "transmission")
        self.classifier = RateNetwork(rate_width, rate_depths)
        self.prompt = nn.Sequential(nn.Linear(6, 512), StarRelu(), nn.Linear(512, widths[0]), StarRelu())
        self.baseball = FocalNet(focal, depths, drop=drop)
        inputs = (focal, *(focal << stage for stage in range(len(depths))))
        self.baseball_adapter = nn.ModuleList(
            nn.Conv2d(before, after, 1) for before, after in zip(inputs, (widths[0], *widths), strict=True)
        )
        self.columns = columns
        for column in range(columns):
            self.add_module(f"subnet{column}", Column(widths, blocks, first=column == 0))
        self.decoder_blocks = Decoder(widths)

    def separate(self, mixed: Tensor, recall: Recall | None = None) -> Separation:
        """(B, 3, H, W) → layers of the same shape."""
        rates = self.classifier(mixed)["rates"]
        stem, *maps = (adapt(found) for adapt, found in zip(self.baseball_adapter, self.baseball(mixed, recall), strict=True))
        entered = stem * self.prompt(rates)[..., None, None]
        steps: dict[str, Tensor] = {}
        for column in range(self.columns):
            maps = self.get_submodule(f"subnet{column}")(entered, maps, recall)
            if self.training:
                steps |= {f"{name}_{column + 1}": layer for name, layer in self._layers(mixed, maps, recall).items()}
        return Separation(self._layers(mixed, maps, recall), steps=steps)

    def _layers(self, mixed: Tensor, maps: list[Tensor], recall: Recall | None) -> dict[str, Tensor]:
        taken: Tensor = self.decoder_blocks(maps, recall)
        found = dict(zip(self.names, (mixed - part for part in taken.chunk(2, dim=1)), strict=True))
        return {name: found[name] for name in ("transmission", "reflection")}


ENTRY = ModelEntry(
    build=Rdnet,
    source="Zhao et al., CVPR 2025, arXiv:2410.08063 (lime-j/RDNet; renamed in hainuo-wang/XReflection)",
    licence="none stated: all rights reserved; ask the authors",
    tasks=("reflection",),
    layers=("transmission", "reflection"),
    sizes={
        "l": {},
        "xreflection": {"transmission_first": True},
        "tiny": {
            "widths": (4, 8, 16, 32),
            "blocks": (1, 1, 1, 1),
            "columns": 2,
            "focal": 8,
            "depths": (1, 1, 1, 1),
            "drop": 0.0,
            "rate_width": 8,
            "rate_depths": (1, 1, 1, 1),
        },
    },
)
