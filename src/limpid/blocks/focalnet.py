"""FocalNet: blocks that look around by depthwise convolutions of growing size, gated level by level.

Yang et al., "Focal Modulation Networks", NeurIPS 2022, arXiv:2203.11926, with norms after each branch. Attribute names are those
of published files.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.blocks.global_context import GlobalMean
from limpid.layers.context import PassesRecall, Recall


class Mlp(nn.Module):
    """Linear, exact GELU, linear over the last axis: (…, C) → (…, C)."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(channels, hidden), nn.Linear(hidden, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """Each token by itself."""
        changed: Tensor = self.fc2(F.gelu(self.fc1(tokens)))
        return changed


class Modulation(nn.Module, PassesRecall):
    """A query times what ``levels`` of surroundings and the whole map say: (B, H, W, C) → the same."""

    def __init__(self, channels: int, levels: int) -> None:
        super().__init__()
        self.split = [channels, channels, levels + 1]
        self.f = nn.Linear(channels, sum(self.split))
        self.h = nn.Conv2d(channels, channels, 1)
        self.proj = nn.Linear(channels, channels)
        self.focal_layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, channels, side, padding=side // 2, groups=channels, bias=False), nn.GELU())
            for side in range(3, 3 + 2 * levels, 2)
        )
        self.mean = GlobalMean()

    def forward(self, tokens: Tensor, recall: Recall | None = None) -> Tensor:
        """Gather, gate and multiply."""
        query, context, gates = torch.split(self.f(tokens).permute(0, 3, 1, 2), self.split, dim=1)
        total = torch.zeros_like(context)
        for level, look in enumerate(self.focal_layers):
            context = look(context)
            total = total + context * gates[:, level : level + 1]
        total = total + F.gelu(self.mean(context, recall)) * gates[:, -1:]
        modulated: Tensor = self.proj((query * self.h(total / gates.shape[1])).permute(0, 2, 3, 1))
        return modulated


class FocalBlock(nn.Module, PassesRecall):
    """Modulation and a perceptron, each normed and scaled before it is added: (B, H, W, C) → the same.

    ``dropped``: share of photos that skip a branch in training.
    """

    def __init__(self, channels: int, levels: int, dropped: float) -> None:
        super().__init__()
        self.gamma_1, self.gamma_2 = (nn.Parameter(torch.full((channels,), 1e-4)) for _ in range(2))
        self.modulation = Modulation(channels, levels)
        self.mlp = Mlp(channels, 4 * channels)
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.dropped = dropped

    def forward(self, tokens: Tensor, recall: Recall | None = None) -> Tensor:
        """Look around, then each token by itself."""
        tokens = tokens + self._kept(self.gamma_1 * self.norm1(self.modulation(tokens, recall)))
        return tokens + self._kept(self.gamma_2 * self.norm2(self.mlp(tokens)))

    def _kept(self, branch: Tensor) -> Tensor:
        if not self.training or not self.dropped:
            return branch
        kept = torch.rand(len(branch), 1, 1, 1, device=branch.device) >= self.dropped
        return branch * kept / (1 - self.dropped)


class Patches(nn.Module):
    """A convolution and a norm: (B, C, H, W) → (B, H', W', D)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2)
        self.norm = nn.LayerNorm(outputs)

    def forward(self, features: Tensor) -> Tensor:
        """Convolve, then norm each place."""
        tokens: Tensor = self.norm(self.proj(features).permute(0, 2, 3, 1))
        return tokens


class Stage(nn.Module, PassesRecall):
    """Blocks of one size, and what halves it for the next stage (not used by its own forward)."""

    def __init__(self, channels: int, levels: int, dropped: Sequence[float], *, last: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(FocalBlock(channels, levels, share) for share in dropped)
        self.downsample = None if last else Patches(channels, 2 * channels, 3, 2)

    def forward(self, tokens: Tensor, recall: Recall | None = None) -> Tensor:
        """(B, H, W, C) → the same."""
        for block in self.blocks:
            tokens = block(tokens, recall)
        return tokens


class FocalNet(nn.Module, PassesRecall):
    """Photo (B, 3, H, W) → the stem's map, then one of each stage, at 1/2, 1/2, 1/4, …; sides divide by the last stride.

    ``width``: channels at 1/2, doubled by each stage; ``depths``: blocks; ``levels``: of each modulation; ``drop``: share of photos
    that skip a branch of the last block in training, fewer before.
    """

    def __init__(self, width: int, depths: Sequence[int], *, levels: int = 4, drop: float = 0.0) -> None:
        super().__init__()
        shares = iter(torch.linspace(0, drop, sum(depths), device="cpu").tolist())
        self.patch_embed = Patches(3, width, 7, 2)
        self.layers = nn.ModuleList(
            Stage(width << index, levels, [next(shares) for _ in range(depth)], last=index == len(depths) - 1)
            for index, depth in enumerate(depths)
        )
        for index in range(len(depths)):
            self.add_module(f"norm{index}", nn.LayerNorm(width << index))

    def forward(self, photo: Tensor, recall: Recall | None = None) -> list[Tensor]:
        """(B, C, h, w) of the stem and of all stages."""
        tokens: Tensor = self.patch_embed(photo)
        maps = [tokens.permute(0, 3, 1, 2)]
        for index, stage in enumerate(self.layers):
            assert isinstance(stage, Stage)
            tokens = stage(tokens, recall)
            maps.append(self.get_submodule(f"norm{index}")(tokens).permute(0, 3, 1, 2))
            if stage.downsample is not None:
                tokens = stage.downsample(tokens.permute(0, 3, 1, 2))
        return maps
