"""Colour Retinex: small changes of brightness are light, changes of colour are albedo, and a Poisson equation puts them together.

Land & McCann, JOSA 1971; Horn, 1974; colour ratios as in Grosse et al., ICCV 2009. The baseline that a learnt network has to beat.
"""

import torch
from torch import Tensor

from limpid.layers.context import Recall
from limpid.layers.encoding import to_encoded, to_linear
from limpid.layers.network import LayerNetwork, Needs
from limpid.layers.separation import Separation

CHROMA, BRIGHTNESS = 0.08, 0.45
"""Steps of log colour ratios and of log brightness between neighbours from which an edge is the albedo's."""

_DARK = 1e-3


class ColourRetinex(LayerNetwork):
    """Photo (B, 3, H, W), 0…1, encoded → albedo and grey shading, whose product in linear light is the photo; no weights.

    ``chroma``, ``brightness``: steps of log colour ratios and of log brightness between neighbours from which an edge is albedo's.
    """

    needs = Needs(minimum=2, tiling="never")

    def __init__(self, *, chroma: float = CHROMA, brightness: float = BRIGHTNESS) -> None:
        super().__init__()
        self.chroma, self.brightness = chroma, brightness

    def separate(self, mixed: Tensor, recall: Recall | None = None) -> Separation:
        """(B, 3, H, W) → layers of the same shape."""
        light = retinex_shading(mixed, self.chroma, self.brightness).exp().maximum(to_linear(mixed))
        return Separation({"albedo": to_encoded(to_linear(mixed) / light), "shading": to_encoded(light)})


def retinex_shading(photo: Tensor, chroma: float = CHROMA, brightness: float = BRIGHTNESS) -> Tensor:
    """Logarithm of the grey shading, linear light, of a photo (B, 3, H, W), encoded: (B, 1, H, W), nearly everywhere at most 0."""
    logs = (to_linear(photo) + _DARK).log()
    grey = logs.mean(1, keepdim=True)
    slopes = []
    for dim in (-2, -1):
        change = grey.diff(dim=dim)
        colour = (logs - grey).diff(dim=dim).abs().amax(1, keepdim=True)
        slopes.append(change * ((colour < chroma) & (change.abs() < brightness)))
    shading = integrated(slopes[0], slopes[1])
    top = torch.quantile(shading.flatten(1), 0.99, dim=1)[:, None, None, None]
    return (shading - top).clamp(max=0)


def integrated(down: Tensor, across: Tensor) -> Tensor:
    """The map (B, 1, H, W) of mean 0 whose differences are, in the least squares, ``down`` (B, 1, H − 1, W) and ``across``.

    Nothing flows over the rim (Neumann); solved exactly in the cosine basis, as the even half of a Fourier series twice as large.
    """
    height, width = down.shape[-2] + 1, across.shape[-1] + 1
    pad = torch.nn.functional.pad
    divergence = pad(down, (0, 0, 0, 1)) - pad(down, (0, 0, 1, 0)) + pad(across, (0, 1)) - pad(across, (1, 0))
    mirrored = torch.cat((divergence, divergence.flip(-2)), dim=-2)
    mirrored = torch.cat((mirrored, mirrored.flip(-1)), dim=-1)
    rows, columns = (2 * torch.cos(torch.pi * torch.arange(2 * side, device=down.device) / side) - 2 for side in (height, width))
    spectrum = rows[:, None] + columns[None, : width + 1]
    spectrum[0, 0] = 1
    coefficients = torch.fft.rfft2(mirrored.double()) / spectrum
    coefficients[..., 0, 0] = 0
    solved = torch.fft.irfft2(coefficients, s=(2 * height, 2 * width))[..., :height, :width]
    found: Tensor = solved.to(down.dtype)
    return found
