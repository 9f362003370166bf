"""Stacked convolutions: the baseline of rstor, residual blocks at full resolution without a skip from the photo.

Neveu et al., balthazarneveu/blind-deblurring-from-synthetic-data, 2024.
"""

from collections.abc import Callable, Mapping
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from limpid.catalogue import ModelEntry
from limpid.errors import SettingError
from limpid.layers.context import Recall
from limpid.layers.network import LayerNetwork
from limpid.layers.separation import Separation

Activation = Literal["leaky_relu", "relu", "none"]

_ACTIVATIONS: Mapping[Activation, Callable[[Tensor], Tensor]] = {
    "leaky_relu": F.leaky_relu,  # slope 0.01
    "relu": F.relu,
    "none": lambda features: features,
}


class Layer(nn.Module):
    """One convolution of odd side ``kernel``, same size out."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, bias: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=bias)

    def forward(self, features: Tensor) -> Tensor:
        """(B, inputs, H, W) → (B, outputs, H, W)."""
        convolved: Tensor = self.conv(features)
        return convolved


class ResidualBlock(nn.Module):
    """Two convolutions around an activation, the input added, another activation; (B, C, H, W) → the same."""

    def __init__(self, channels: int, kernel: int, *, bias: bool, activation: Activation) -> None:
        super().__init__()
        self.activate = _ACTIVATIONS[activation]
        self.conv1 = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=bias)
        self.conv2 = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=bias)

    def forward(self, features: Tensor) -> Tensor:
        """Refine features."""
        return self.activate(features + self.conv2(self.activate(self.conv1(features))))


class StackedConvolutions(LayerNetwork):
    """Photo (B, 3, H, W), 0…1, encoded → Separation of ``restored``, unclamped; any size.

    ``width``: channels; ``layers``: first and last convolution plus the residual blocks between them, even; ``kernel``: side
    of all convolutions in pixels, odd; ``bias``: whether they have one; ``activation``: what follows all but the last; ``grey``:
    one channel in and out. Raises SettingError otherwise.
    """

    def __init__(
        self,
        *,
        width: int = 64,
        layers: int = 8,
        kernel: int = 3,
        bias: bool = True,
        activation: Activation = "leaky_relu",
        grey: bool = False,
    ) -> None:
        super().__init__()
        self.grey, self.activate, colours = grey, _ACTIVATIONS[activation], 1 if grey else 3
        if layers < 2 or layers % 2 or not kernel % 2:
            raise SettingError(f"stacked convolutions need an even number of layers and an odd kernel; got {layers} and {kernel}")
        first, last = Layer(colours, width, kernel, bias=bias), Layer(width, colours, kernel, bias=bias)
        blocks = (ResidualBlock(width, kernel, bias=bias, activation=activation) for _ in range(layers - 2))
        self.conv_stack = nn.ModuleList((first, *blocks, last))
        self.radius = (2 + 2 * (layers - 2)) * (kernel // 2)

    def separate(self, mixed: Tensor, recall: Recall | None = None) -> Separation:
        """(B, 3, H, W) → ``restored`` of the same shape."""
        first, *blocks, last = self.conv_stack
        features = self.activate(first(mixed))  # (B, 3, H, W) -> (B, C, H, W)
        for block in blocks:
            features = block(features)
        return Separation({"restored": last(features)})


ENTRY = ModelEntry(
    build=StackedConvolutions,
    source="Neveu et al., balthazarneveu/blind-deblurring-from-synthetic-data, 2024",
    licence="Unlicense by its classifier (rstor)",
    tasks=("denoise", "deblur"),
    layers=("restored",),
    sizes={
        "width16": {"width": 16},
        "width64": {"width": 64},
        "tiny": {"width": 4, "layers": 4},
    },
)
