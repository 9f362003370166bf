"""A finished chart: leaves fall on a fine canvas, are coloured strip by strip, averaged down, and blurred by depth."""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil, log

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from limpid.errors import SettingError
from limpid.physics.blur import gaussian_blur
from limpid.physics.leaves.geometry import Leaves
from limpid.physics.leaves.occlusion import UNCOVERED, Backend, cover, label_map
from limpid.physics.leaves.paint import Paint, colour, draw_paint
from limpid.physics.leaves.sampling import Size, coverage, draw
from limpid.physics.leaves.settings import Chart

_STRIP = 2**22  # canvas pixels coloured at once, so that memory stays at one chart and one strip
_UNITS = 10  # layers are counted in tenths of …
_LEFT = 0.002  # … the leaves that leave this share of the canvas uncovered


def chart(
    settings: Chart,
    size: tuple[int, int],
    generator: np.random.Generator,
    *,
    photos: Sequence[Tensor] = (),
    backend: Backend = "auto",
) -> Tensor:
    """One chart: (3, H, W) float32, 0…1, sRGB-encoded, for ``size`` = (H, W); equal generators give equal bytes.

    ``photos``: (3, H, W), 0…1; with natural colours one of them lends its joint histogram. ``backend``: see
    ``labels.label_map``; it does not change the chart. Raises SettingError for a size below 1 or natural colours without photos.
    """
    if min(size) < 1:
        raise SettingError(f"a chart has at least one pixel per side; got {size}")
    if settings.defocus > 0:
        return _deep(settings, size, generator, photos, backend)
    leaves, labels = cover(settings, generator, _canvas(settings, size), backend)
    return render(settings, labels, leaves, draw_paint(settings, leaves, _painter(generator), photos))


def render(settings: Chart, labels: np.ndarray, leaves: Leaves, paint: Paint) -> Tensor:
    """Colour a canvas and average it down: (3, H, W) from labels (H·s, W·s), s the supersampling."""
    scale = settings.supersample
    if scale == 1 and labels.size <= _STRIP:
        return colour(labels, leaves, paint)
    height, width = labels.shape
    step = scale * max(1, _STRIP // (width * scale))
    strips = range(0, height, step)
    return torch.cat([reduce(settings, colour(labels[top : top + step], leaves, paint, top)) for top in strips], dim=1)


def reduce(settings: Chart, fine: Tensor) -> Tensor:
    """(C, H·s, W·s) → (C, H, W): mean of s × s pixels, or the published kernel.

    That kernel, exp(−d⁴ / (2·0.36)) over 5 × 5 pixels around the middle of each block in y but two pixels further left in x, is
    close to point sampling. Source: balthazarneveu/blind-deblurring-from-synthetic-data.
    """
    if settings.reduction == "area":
        return fine if settings.supersample == 1 else F.avg_pool2d(fine[None], settings.supersample)[0]
    offsets = torch.arange(-2, 3, dtype=torch.float64)
    squared = offsets[:, None] ** 2 + offsets**2
    kernel = torch.exp(-(squared**2) / (2 * 0.6**2))
    kernel = (kernel / kernel.sum()).float()[None, None]
    padded = F.pad(fine[:, None], (2, 2, 0, 0), mode="replicate")
    return F.conv2d(padded, kernel, stride=settings.supersample)[:, 0]


def _deep(
    settings: Chart, size: tuple[int, int], generator: np.random.Generator, photos: Sequence[Tensor], backend: Backend
) -> Tensor:
    """Depth of field: a covered background and a sparse foreground, both blurred, and a sparse layer in focus between them.

    Blurs are ``defocus``·X with density of X ∝ x^(−1/2) on 0…1. The canvas is wider than the chart by what the blurs reach, so that
    the rim looks like the middle. Source: VibrantLeaves, arXiv:2504.10201.
    """
    if len(photos):
        photos = (photos[int(generator.integers(len(photos)))],)  # one photo for all layers
    behind, before = (settings.defocus * share**2 for share in generator.random(2))
    margin = ceil(3 * settings.defocus)
    canvas = _canvas(settings, (size[0] + 2 * margin, size[1] + 2 * margin))
    leaves, labels = cover(settings, generator, canvas, backend)
    picture = _blur(render(settings, labels, leaves, draw_paint(settings, leaves, _painter(generator), photos)), behind)
    for amount, sigma in ((settings.in_focus, 0.0), (settings.foreground, before)):
        layer = _blur(_sparse(settings, amount, canvas, generator, photos, backend), sigma)
        picture = layer[:3] + (1 - layer[3:]) * picture
    return picture[:, margin : margin + size[0], margin : margin + size[1]].clamp(0, 1).contiguous()


def _sparse(
    settings: Chart,
    amount: float,
    canvas: Size,
    generator: np.random.Generator,
    photos: Sequence[Tensor],
    backend: Backend,
) -> Tensor:
    """A layer of few leaves, a Poisson number of mean ``amount`` units: (4, H, W), colour times coverage, and coverage."""
    mean = amount * log(1 / _LEFT) / coverage(settings, canvas) / _UNITS
    leaves = draw(settings, generator, canvas, int(generator.poisson(mean)))
    labels = label_map(leaves, canvas, backend)
    clear = replace(settings, background=(0.0, 0.0, 0.0))  # where no leaf lies there is no light to add
    paint = draw_paint(clear, leaves, _painter(generator), photos)
    covered = torch.from_numpy((labels != UNCOVERED).astype(np.float32))[None]
    return torch.cat([render(settings, labels, leaves, paint), reduce(settings, covered)])


def _blur(layer: Tensor, sigma: float) -> Tensor:
    radius = ceil(3 * sigma)
    return layer if radius == 0 else gaussian_blur(layer, 2 * radius + 1, sigma, border="replicate")


def _canvas(settings: Chart, size: tuple[int, int]) -> Size:
    return size[0] * settings.supersample, size[1] * settings.supersample


def _painter(generator: np.random.Generator) -> np.random.Generator:
    """A generator for colours alone, seeded the published way, so that the same leaves can be coloured anew."""
    return np.random.default_rng(np.random.SeedSequence(int(generator.integers(0, 10**10))))
