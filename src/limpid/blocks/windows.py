"""Attention inside square windows, with a learnt bias by the offset between two places, and the Swin transformer made of it.

Liu et al., "Swin Transformer", ICCV 2021, arXiv:2103.14030. Attribute names are those of the published detection backbones; the
tables of indices that their files repeat are computed here.
"""

from collections.abc import Sequence
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.blocks.focalnet import Mlp

_AT_ONCE = 256  # windows whose attention is held at once where no gradient is wanted


@cache
@torch.inference_mode(mode=False)  # what is kept must serve training too
def _offsets(window: int, streams: int) -> Tensor:
    """Row of the table of biases for each pair of places (n, n), n = streams · window²; places of the first stream come first."""
    axes = (torch.arange(side, device="cpu") for side in (streams, window, window))
    places = torch.stack(torch.meshgrid(*axes, indexing="ij")).flatten(1)  # (3, n): stream, row, column
    stream, row, column = (places[:, :, None] - places[:, None, :]).unbind()
    span = 2 * window - 1
    return (stream + streams - 1) * span**2 + (row + window - 1) * span + column + window - 1


class WindowAttention(nn.Module):
    """Softmax attention between the places of a window: (N, streams · window², C) → the same.

    ``streams``: of how many maps a window holds the places, one after the other.
    """

    def __init__(self, channels: int, heads: int, window: int, streams: int = 1) -> None:
        super().__init__()
        self.heads, self.window, self.streams = heads, window, streams
        rows = (2 * streams - 1) * (2 * window - 1) ** 2
        self.relative_position_bias_table = nn.Parameter(torch.zeros(rows, heads))
        self.qkv, self.proj = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """``mask`` (W, n, n) is added for the windows of a photo in turn, N a multiple of W."""
        index = _offsets(self.window, self.streams).to(tokens.device)
        bias = self.relative_position_bias_table[index].permute(2, 0, 1)[None]  # (1, heads, n, n)
        if torch.is_grad_enabled():
            return self._attend(tokens, bias if mask is None else bias + self._repeated(mask, len(tokens), 0, len(tokens)))
        found = torch.empty_like(tokens)
        for start in range(0, len(tokens), _AT_ONCE):
            part = tokens[start : start + _AT_ONCE]
            extra = bias if mask is None else bias + self._repeated(mask, len(tokens), start, len(part))
            found[start : start + _AT_ONCE] = self._attend(part, extra)
        return found

    def _repeated(self, mask: Tensor, whole: int, start: int, count: int) -> Tensor:
        return mask[torch.arange(start, start + count, device=mask.device) % len(mask)][:, None]

    def _attend(self, tokens: Tensor, bias: Tensor) -> Tensor:
        count, places, channels = tokens.shape
        split = self.qkv(tokens).reshape(count, places, 3, self.heads, channels // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind()
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=bias.expand(count, -1, -1, -1))
        attended: Tensor = self.proj(found.transpose(1, 2).reshape(count, places, channels))
        return attended


def to_windows(tokens: Tensor, window: int) -> Tensor:
    """(B, H, W, C), zeros added to multiples at the bottom and right → (B · windows, window², C)."""
    tokens = F.pad(tokens, (0, 0, 0, -tokens.shape[2] % window, 0, -tokens.shape[1] % window))
    batch, height, width, channels = tokens.shape
    cut = tokens.reshape(batch, height // window, window, width // window, window, channels)
    return cut.transpose(2, 3).reshape(-1, window**2, channels)


def from_windows(windows: Tensor, window: int, size: tuple[int, int]) -> Tensor:
    """The way back, cropped to ``size``: (B, H, W, C)."""
    rows, columns = (-(-side // window) for side in size)
    cut = windows.reshape(-1, rows, columns, window, window, windows.shape[-1])
    return cut.transpose(2, 3).reshape(-1, rows * window, columns * window, windows.shape[-1])[:, : size[0], : size[1]]


class SwinBlock(nn.Module):
    """Window attention, shifted by half a window or not, and a perceptron: (B, H, W, C) → the same."""

    def __init__(self, channels: int, heads: int, window: int, *, shifted: bool) -> None:
        super().__init__()
        self.window, self.shift = window, window // 2 if shifted else 0
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.attn = WindowAttention(channels, heads, window)
        self.mlp = Mlp(channels, 4 * channels)

    def forward(self, tokens: Tensor, mask: Tensor | None) -> Tensor:
        """``mask``: keeps places apart that the shift brings together."""
        height, width = tokens.shape[1:3]
        full = (-(-height // self.window) * self.window, -(-width // self.window) * self.window)
        seen = F.pad(self.norm1(tokens), (0, 0, 0, full[1] - width, 0, full[0] - height))
        if self.shift:
            seen = seen.roll((-self.shift, -self.shift), (1, 2))
        seen = from_windows(self.attn(to_windows(seen, self.window), mask if self.shift else None), self.window, full)
        if self.shift:
            seen = seen.roll((self.shift, self.shift), (1, 2))
        tokens = tokens + seen[:, :height, :width]
        changed: Tensor = tokens + self.mlp(self.norm2(tokens))
        return changed


class Merging(nn.Module):
    """Four neighbours become one place: (B, H, W, C) → (B, H/2, W/2, 2C)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)
        self.norm = nn.LayerNorm(4 * channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """Rows before columns."""
        four = torch.cat([tokens[:, row::2, column::2] for column in (0, 1) for row in (0, 1)], dim=-1)
        merged: Tensor = self.reduction(self.norm(four))
        return merged


class SwinStage(nn.Module):
    """Blocks of one size, every other one shifted, and what halves it for the next stage (not used by its own forward)."""

    def __init__(self, channels: int, depth: int, heads: int, window: int, *, last: bool) -> None:
        super().__init__()
        self.window = window
        self.blocks = nn.ModuleList(SwinBlock(channels, heads, window, shifted=index % 2 == 1) for index in range(depth))
        self.downsample = None if last else Merging(channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, H, W, C) → the same."""
        mask = self._mask(tokens)
        for block in self.blocks:
            tokens = block(tokens, mask)
        return tokens

    def _mask(self, tokens: Tensor) -> Tensor:
        """−100 between places of a window from different regions of the shifted map: (windows, n, n)."""
        window, region = self.window, 0
        rows, columns = (-(-side // window) * window for side in tokens.shape[1:3])
        regions = torch.zeros(1, rows, columns, 1, device=tokens.device, dtype=tokens.dtype)
        edges = (slice(0, -window), slice(-window, -(window // 2)), slice(-(window // 2), None))
        for row in edges:
            for column in edges:
                regions[:, row, column] = region
                region += 1
        places = to_windows(regions, window)[..., 0]
        return (places[:, :, None] != places[:, None, :]).to(tokens.dtype) * -100


class Swin(nn.Module):
    """Photo (B, 3, H, W) → maps (B, C, h, w) at 1/4, 1/8, …, without a last norm; sides are multiples of the last stride.

    ``width``: channels at 1/4, doubled by each stage; ``depths``, ``heads``: of each stage.
    """

    def __init__(self, width: int, depths: Sequence[int], heads: Sequence[int], window: int) -> None:
        super().__init__()
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, 4, stride=4), "norm": nn.LayerNorm(width)})
        self.layers = nn.ModuleList(
            SwinStage(width << index, depth, count, window, last=index == len(depths) - 1)
            for index, (depth, count) in enumerate(zip(depths, heads, strict=True))
        )

    def forward(self, photo: Tensor) -> list[Tensor]:
        """All stages."""
        tokens = self.patch_embed["norm"](self.patch_embed["proj"](photo).permute(0, 2, 3, 1))
        maps = []
        for stage in self.layers:
            assert isinstance(stage, SwinStage)
            tokens = stage(tokens)
            maps.append(tokens.permute(0, 3, 1, 2))
            if stage.downsample is not None:
                tokens = stage.downsample(tokens)
        return maps
