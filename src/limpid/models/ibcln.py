"""IBCLN: a cascade that estimates transmission and reflection in turns and refines both, with a memory between the steps.

Li et al., "Single Image Reflection Removal through Cascaded Refinement", CVPR 2020, arXiv:1911.06634. Two networks of one
shape, with separate weights: the first reads photo, transmission and reflection and returns a better transmission, the second a
better reflection from it. A convolutional LSTM in the middle of each remembers the steps before.

The published test script never leaves training mode: its scores were made with dropout on and differ from run to run. Here
dropout acts in training alone, so that the same photo gives the same layers.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.blocks.cascade import conv, double
from limpid.catalogue import ModelEntry
from limpid.errors import SettingError
from limpid.layers.context import Recall
from limpid.layers.network import LayerNetwork, Needs, Resize
from limpid.layers.separation import Separation

FIRST_REFLECTION = 0.1
"""The reflection that the cascade starts from, everywhere."""

_MOST_STEPS = 100  # the authors take 3

State = tuple[Tensor, Tensor]
"""What the LSTM remembers: output h and cell c, both (B, 4C, H/4, W/4)."""


class Refiner(nn.Module):
    """One of the two networks: (B, 9, H, W) and the memory → image (B, 3, H, W) ≥ 0, new memory, images at 1/2 and 1/4.

    ``width``: channels C at full resolution, 2C at half and 4C at a quarter; ``dropout``: share of features dropped in
    training. H and W are multiples of 4. The small images are for losses alone and there in training alone.
    """

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        half, quarter = 2 * width, 4 * width
        relu = nn.ReLU(inplace=True)
        self.conv1 = conv(9, width, 5, after=relu)
        self.conv2 = conv(width, half, stride=2, after=relu)
        self.conv3 = conv(half, half, after=relu)
        self.conv4 = conv(half, quarter, stride=2, after=relu)
        self.conv5 = conv(quarter, quarter, after=relu)
        self.conv6 = conv(quarter, quarter, after=relu)
        self.diconv1 = conv(quarter, quarter, dilation=2, after=relu)
        self.diconv2 = conv(quarter, quarter, dilation=4, after=relu)
        self.diconv3 = conv(quarter, quarter, dilation=8, after=relu)
        self.diconv4 = conv(quarter, quarter, dilation=16, after=relu)
        self.conv7 = conv(quarter, quarter, after=relu)
        self.conv_i = conv(2 * quarter, quarter, after=nn.Sigmoid())
        self.conv_f = conv(2 * quarter, quarter, after=nn.Sigmoid())
        self.conv_g = conv(2 * quarter, quarter, after=nn.Tanh())
        self.conv_o = conv(2 * quarter, quarter, after=nn.Sigmoid())
        self.conv8 = conv(quarter, quarter, after=relu)
        self.deconv1 = double(quarter, half)
        self.conv9 = nn.Sequential(nn.Conv2d(half, half, 3, padding=1), relu, nn.Dropout(dropout))
        self.deconv2 = double(half, width)
        self.conv10 = conv(width, width // 2, after=relu)
        self.output = conv(width // 2, 3, after=relu)
        self.outframe1 = conv(quarter, 3, after=relu)
        self.outframe2 = conv(half, 3, after=relu)

    def forward(self, images: Tensor, state: State | None) -> tuple[Tensor, State, dict[str, Tensor]]:
        """Refine once; ``state`` None is the empty memory of the first step."""
        full = self.conv1(images)  # (B, 9, H, W) -> (B, C, H, W)
        half = self.conv3(self.conv2(full))  # (B, 2C, H/2, W/2)
        features = self.conv6(self.conv5(self.conv4(half)))  # (B, 4C, H/4, W/4)
        for dilated in (self.diconv1, self.diconv2, self.diconv3, self.diconv4):
            features = dilated(features)
        state = self._remember(self.conv7(features), state)
        features = self.conv8(state[0])
        half = self.conv9(self.deconv1(features) + half)
        small = {"half": self.outframe2(half), "quarter": self.outframe1(features)} if self.training else {}
        del features  # not to be held through the layers at full size
        return self.output(self.conv10(self.deconv2(half) + full)), state, small

    def _remember(self, features: Tensor, state: State | None) -> State:
        if state is None:  # an empty memory adds nothing to any gate and leaves nothing to forget
            cell = _of_features(self.conv_i, features) * _of_features(self.conv_g, features)
            return _of_features(self.conv_o, features) * torch.tanh(cell), cell
        both = torch.cat((features, state[0]), dim=1)
        cell = self.conv_f(both) * state[1] + self.conv_i(both) * self.conv_g(both)
        return self.conv_o(both) * torch.tanh(cell), cell


def _of_features(gate: nn.Sequential, features: Tensor) -> Tensor:
    """A gate over (features, zeros), without convolving the zeros."""
    convolution, activation = gate
    weight: Tensor = convolution.get_parameter("weight")[:, : features.shape[1]]
    result: Tensor = activation(F.conv2d(features, weight, convolution.get_parameter("bias"), padding=1))
    return result


class Ibcln(LayerNetwork):
    """Photo (B, 3, H, W), 0…1, encoded → Separation of transmission and reflection, each ≥ 0; H, W multiples of 4.

    ``width``: channels of both networks at full resolution, even; ``steps``: turns of the cascade; ``dropout``: share of
    features dropped in training. ``transmission_1`` … are the steps; in training the last one is there at 1/2 and 1/4 of the
    size as well (``transmission_half``, ``transmission_quarter``, the same for the reflection). Raises SettingError.
    """

    needs = Needs(multiple=4, minimum=4, tiling="discouraged", resize=Resize(multiple=4))

    def __init__(self, *, width: int = 64, steps: int = 3, dropout: float = 0.3) -> None:
        super().__init__()
        if not 1 <= steps <= _MOST_STEPS or width < 2 or width % 2:
            raise SettingError(f"IBCLN needs 1 to {_MOST_STEPS} steps and an even width; got {steps} and {width}")
        self.steps = steps
        self.G_T, self.G_R = Refiner(width, dropout), Refiner(width, dropout)  # named as in the published files
        self.apply(_start)

    def separate(self, mixed: Tensor, recall: Recall | None = None) -> Separation:
        """(B, 3, H, W) → layers of the same shape."""
        layers = {"transmission": mixed, "reflection": torch.full_like(mixed, FIRST_REFLECTION)}
        refiners = {"transmission": self.G_T, "reflection": self.G_R}  # the reflection already sees the new transmission
        memories: dict[str, State | None] = dict.fromkeys(layers)
        steps: dict[str, Tensor] = {}
        for step in range(1, self.steps + 1):
            for name, refiner in refiners.items():
                layers[name], memories[name], small = refiner(torch.cat((mixed, *layers.values()), dim=1), memories[name])
                steps[f"{name}_{step}"] = layers[name]
                steps |= {f"{name}_{scale}": image for scale, image in small.items()}
        return Separation(layers, steps=steps)


def _start(module: nn.Module) -> None:
    """Begin as published: normal weights of deviation 0.02, no biases."""
    # On the meta device there is nothing to fill, and asking for it loads PyTorch's reference operators for two seconds.
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and not module.weight.is_meta:
        nn.init.normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


ENTRY = ModelEntry(
    build=Ibcln,
    source="Li et al., CVPR 2020, arXiv:1911.06634; its test script runs with dropout on, so that its scores are random",
    tasks=("reflection",),
    layers=("transmission", "reflection"),
    sizes={"base": {"width": 64, "steps": 3}, "tiny": {"width": 4, "steps": 3}},
)
