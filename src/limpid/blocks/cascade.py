"""Convolutions of the cascades (IBCLN, Location-aware): with an activation, and doubling without a checkerboard."""

from torch import nn


def conv(inputs: int, outputs: int, kernel: int = 3, *, stride: int = 1, dilation: int = 1, after: nn.Module) -> nn.Sequential:
    """A convolution of the same size (or halved by ``stride``) and what comes after it."""
    padding = dilation * (kernel // 2)
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation), after)


def double(inputs: int, outputs: int) -> nn.Sequential:
    """Twice the size: a transposed convolution, smoothed by 2×2 means against its checkerboard."""
    return nn.Sequential(
        nn.ConvTranspose2d(inputs, outputs, 4, 2, 1),
        nn.ReflectionPad2d((1, 0, 1, 0)),
        nn.AvgPool2d(2, stride=1),
        nn.ReLU(inplace=True),
    )
