"""The Mamba layer (Gu & Dao, 2023, arXiv:2312.00752) on sequences and, in reading order, on maps.

Attribute names are those of published checkpoints (``mamba_ssm``).
"""

from math import ceil, log

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.blocks.scan.selective import selective_scan


class Mamba(nn.Module):
    """Gated causal mixing of tokens: (B, L, C) → (B, L, C); token t is influenced by tokens 1 … t.

    ``states`` per inner channel; ``taps`` of the causal convolution, tokens; ``expand``: inner channels per channel.
    Steps Δ start between 0.001 and 0.1.
    """

    def __init__(self, channels: int, *, states: int = 16, taps: int = 4, expand: int = 2) -> None:
        super().__init__()
        inner, rank = expand * channels, ceil(channels / 16)
        self.A_log = nn.Parameter(torch.log(torch.arange(1.0, states + 1)).repeat(inner, 1))
        self.D = nn.Parameter(torch.ones(inner))
        self.in_proj = nn.Linear(channels, 2 * inner, bias=False)
        self.conv1d = nn.Conv1d(inner, inner, taps, padding=taps - 1, groups=inner)
        self.x_proj = nn.Linear(inner, rank + 2 * states, bias=False)
        self.dt_proj = nn.Linear(rank, inner)
        self.out_proj = nn.Linear(inner, channels, bias=False)
        self._parts = (rank, states, states)
        nn.init.uniform_(self.dt_proj.weight, -(rank**-0.5), rank**-0.5)
        with torch.no_grad():
            steps = torch.empty(inner).uniform_(log(1e-3), log(0.1)).exp()
            self.dt_proj.bias.copy_(steps + torch.log(-torch.expm1(-steps)))  # softplus of it gives the steps

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, L, C) → (B, L, C)."""
        inner, gate = self.in_proj(tokens).chunk(2, dim=-1)  # (B, L, E) twice
        inner = F.silu(self._blend(inner))
        low_rank, write, read = self.x_proj(inner).split(self._parts, dim=-1)
        with torch.autocast(tokens.device.type, enabled=False):  # in 16 bits slow decays would round to none
            wide = inner.to(torch.promote_types(inner.dtype, torch.float32))
            delta = F.softplus(F.linear(low_rank.to(wide), self.dt_proj.weight.to(wide), self.dt_proj.bias.to(wide)))
            mixed = selective_scan(wide, delta, -torch.exp(self.A_log.to(wide)), write, read)
            mixed = torch.addcmul(mixed, wide, self.D.to(wide))
        projected: Tensor = self.out_proj(mixed.to(inner.dtype) * F.silu(gate))
        return projected

    def _blend(self, inner: Tensor) -> Tensor:
        """Causal depthwise convolution over tokens, as shifted sums: channels may then stay innermost."""
        weight = self.conv1d.weight
        taps = weight.shape[-1]
        padded = F.pad(inner, (0, 0, taps - 1, 0))
        assert self.conv1d.bias is not None
        blended: Tensor = self.conv1d.bias
        for tap in range(taps):
            blended = torch.addcmul(blended, padded[:, tap : tap + inner.shape[1]], weight[:, 0, tap])
        return blended


class ImageMamba(nn.Module):
    """Mamba over the pixels of a map in reading order, row by row: (B, C, H, W) → (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mamba_model = Mamba(channels)

    def forward(self, features: Tensor) -> Tensor:
        """A pixel is influenced by those above it and to its left in its row, and by itself."""
        tokens = features.permute(0, 2, 3, 1).flatten(1, 2)  # (B, C, H, W) -> (B, HW, C)
        mixed: Tensor = self.mamba_model(tokens)
        batch, channels, height, width = features.shape
        return mixed.reshape(batch, height, width, channels).permute(0, 3, 1, 2)
