"""Blur kernels in the frequency domain: searched on a shaken photo, and taken off again.

A kernel is (B, S, S), S odd, sum 1, its centroid in the middle; blurred = kernel ∗ sharp is a true convolution.
The search is after Xu, Zheng & Jia, "Unnatural L0 Sparse Representation for Natural Image Deblurring", CVPR 2013, solved as in
Pan et al., "Deblurring Text Images via L0-Regularized Intensity and Gradient Prior", CVPR 2014. Nothing in it is learnt.
"""

from math import log

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 41
"""Side of the largest kernel that is searched, pixels."""

WINDOW = 1024
"""Longest side of the part of a photo in which a kernel is searched, pixels."""

_COARSEST = 5  # at least, side of the first kernel
_STEP = 2**0.5  # from scale to scale
_TURNS = 5  # at each scale
_EDGES = 8e-3  # what an edge costs at first, beside squared differences of a photo in 0…1
_CHEAPER = 1.1  # how that falls from turn to turn
_STRICTER, _STRICTEST = 4.0, 1e5  # how closely a photo must follow its own edges: rises from round to round
_STRONG = 0.9  # share of the pixels whose edges are too weak to speak of the kernel
_DAMPING = 2.0  # of the values of a kernel
_FLOOR = 0.05  # of the largest value of a kernel: what lies below is noise
_POINT = 0.42, 0.35  # largest value of a kernel from which it is a point, and up to which it is a shake
_CLEARLY = 0.98  # of the cost of a kernel: another one's below that is no accident
_EDGE = 1e-4  # squared gradient that counts as an edge
_PEAK = 0.3  # of it: what is not joined to values above belongs to no path of a hand, but to edges that repeat

_MARGIN = 64  # pixels over which a photo is continued until it is periodic
_ROUNDS = 2  # in which that continuation is found; a second one halves what the first left of the rings
_SMOOTH = 0.03  # what noise is taken to be worth there
_FLAT = 0.01  # brightness itself is kept down so much less than its gradient: the mean of a photo must stay


@torch.no_grad()
def estimate_kernel(grey: Tensor) -> Tensor:
    """Photos (B, H, W), 0…1, each shaken alike everywhere → their kernels (B, SIDE, SIDE).

    Searched on the whole photo and on either half of it, as a search may end in a wrong place, along lines that repeat for
    instance: a half's kernel, searched on from there on the whole, is taken where it explains the whole photo clearly better. Of
    large photos the square of ``WINDOW`` pixels with the most edges is looked at.
    """
    grey = _telling(grey)
    along = -1 if grey.shape[-1] >= grey.shape[-2] else -2
    if grey.shape[along] < 4 * SIDE:  # halves that hardly hold a kernel know less than nothing
        return search_kernel(grey)
    whole, *parts = (search_kernel(part) for part in (grey, *grey.chunk(2, along)))
    cost, *costs = (cost_of_kernel(grey, kernel) for kernel in (whole, *parts))
    least, better = torch.stack(costs).min(0)
    kernel = torch.stack(parts)[better, torch.arange(len(grey), device=grey.device)]
    doubted = least < _CLEARLY * cost
    if not doubted.any():
        return whole
    whole[doubted] = search_kernel(grey[doubted], kernel[doubted])
    return whole


def search_kernel(grey: Tensor, start: Tensor | None = None) -> Tensor:
    """Kernels (B, SIDE, SIDE) of photos (B, H, W), from coarse to fine, or at full size alone from ``start`` on.

    By turns: the photo of few edges that the kernel would have blurred to this one, then the kernel between the two.
    """
    scales, cost = _scales(), _EDGES
    if start is not None:
        scales, cost = scales[-1:], _EDGES / _CHEAPER ** (_TURNS * (len(scales) - 1))
    kernel = _first(grey, _side(scales[0])) if start is None else start
    for scale in scales:
        side = _side(scale)
        photo = _resized(grey, [max(1, round(length * scale)) for length in grey.shape[-2:]])
        size = (photo.shape[-2], photo.shape[-1])
        periodic = continued(photo, 2 * side)
        if kernel.shape[-1] != side:
            kernel = _tidy(_resized(kernel, [side, side]))
        for _ in range(_TURNS):
            kernel = fit_kernel(periodic, few_edges(periodic, kernel, cost), side, size)
            cost /= _CHEAPER
    return kernel


def cost_of_kernel(grey: Tensor, kernel: Tensor) -> Tensor:
    """What the search minimises in the end: mean |b − k ∗ x|² + cost · the share of edges of x, (B,), of photos (B, H, W)."""
    height, width = grey.shape[-2:]
    periodic, cost = continued(grey, 2 * SIDE), _EDGES / _CHEAPER ** (_TURNS * len(_scales()))
    sharp = few_edges(periodic, kernel, cost)
    size = (periodic.shape[-2], periodic.shape[-1])
    missed = torch.fft.irfft2(torch.fft.rfft2(sharp) * transfer(kernel, size), s=size) - periodic
    edges = _gradients(sharp).square().sum(0) > _EDGE
    mean: Tensor = (missed.square() + cost * edges)[..., :height, :width].mean((-2, -1))
    return mean


def few_edges(periodic: Tensor, kernel: Tensor, cost: float) -> Tensor:
    """The photos x (B, H, W) that minimise |b − k ∗ x|² + ``cost`` · #{∇x ≠ 0}: flat between few, strong edges."""
    size = (periodic.shape[-2], periodic.shape[-1])
    blur = transfer(kernel, size)
    data, power, detail = blur.conj() * torch.fft.rfft2(periodic), blur.abs().square(), _detail(size, periodic)
    sharp, strict = periodic, 2 * cost
    while strict < _STRICTEST:
        steps = _gradients(sharp)
        steps = steps * (steps.square().sum(0) >= cost / strict)
        edges = torch.fft.rfft2(_divergence(steps))
        sharp = torch.fft.irfft2((data + strict * edges) / (power + strict * detail), s=size)
        strict *= _STRICTER
    return sharp


def fit_kernel(periodic: Tensor, sharp: Tensor, side: int, size: tuple[int, int]) -> Tensor:
    """Kernels (B, side, side) by least squares between the strong edges of ``sharp`` and all of ``periodic``, (B, H, W) each.

    Only the photo itself, the top left ``size`` of both, is looked at, not what continues it. Source: Cho & Lee, SIGGRAPH
    Asia 2009, eq. 7.
    """
    edges, seen = (_gradients(photo)[..., : size[0], : size[1]] for photo in (sharp, periodic))
    strength = edges.square().sum(0)
    weakest = strength.flatten(1).kthvalue(max(1, round(_STRONG * size[0] * size[1])), dim=1).values
    whole = (periodic.shape[-2], periodic.shape[-1])
    strong = torch.fft.rfft2(edges * (strength > weakest[:, None, None]), s=whole)
    agreement, power = strong.conj() * torch.fft.rfft2(seen, s=whole), strong.abs().square()
    shifts = torch.fft.irfft2(agreement.sum(0) / (power.sum(0) + _DAMPING), s=whole)
    return _tidy(shifts.roll((side // 2, side // 2), (-2, -1))[:, :side, :side])


def deconvolve(blurred: Tensor, kernel: Tensor, noise: Tensor) -> Tensor:
    """Take kernels off photos (B, C, H, W) in one step, once per strength of ``noise`` (N,): (B, N, C, H, W).

    Minimises |b − k ∗ x|² + noise · |∇x|² (Wiener's filter for images whose gradients are white). It takes the photo for a
    periodic one, so it is continued by what a smooth sharp photo would look like behind the kernel, in the manner of Liu & Jia,
    ICIP 2008: without that, rings run in from the borders.
    """
    height, width = blurred.shape[-2:]
    periodic = continued(blurred, _MARGIN)
    size = (periodic.shape[-2], periodic.shape[-1])
    blur, detail = transfer(kernel, size)[:, None], _FLAT + _detail(size, blurred)
    power = blur.abs().square()
    known = F.pad(torch.ones_like(blurred[:1, :1]), (0, size[1] - width, 0, size[0] - height))
    for _ in range(_ROUNDS):
        behind = torch.fft.irfft2(torch.fft.rfft2(periodic) * (power / (power + _SMOOTH * detail)), s=size)
        periodic = torch.lerp(behind, periodic, known)
    weight = blur.conj()[:, None] / (power[:, None] + noise.view(1, -1, 1, 1, 1) * detail)
    sharp: Tensor = torch.fft.irfft2(torch.fft.rfft2(periodic)[:, None] * weight, s=size)
    return sharp[..., :height, :width]


def sharpened(blurred: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Photos (B, C, H, W), 0…1, with the kernel that is found on each taken off, once per strength of ``noise`` (N,).

    Returns (B, N, C, H, W), −0.5…1.5, and how far each photo was shaken at all, ``shaken`` of its kernel.
    """
    kernel = estimate_kernel(blurred.mean(1))
    return deconvolve(blurred, kernel, noise).clamp(-0.5, 1.5), shaken(kernel)


def shaken(kernel: Tensor) -> Tensor:
    """Kernels (B, S, S) → (B,), from 0 for little more than a point, which is what a sharp photo has, to 1 for a shake."""
    point, shake = _POINT
    return ((point - kernel.amax((-2, -1))) / (point - shake)).clamp(0, 1)


def continued(photo: Tensor, least: int) -> Tensor:
    """(…, H, W) continued by ``least`` or a few more pixels that lead smoothly from the last row and column back to the first."""
    return _lengthened(_lengthened(photo, least).mT, least).mT


def transfer(kernel: Tensor, size: tuple[int, int]) -> Tensor:
    """What kernels (B, S, S) do to the frequencies of photos of ``size``: (B, H, W // 2 + 1), complex."""
    side = kernel.shape[-1]
    canvas = F.pad(kernel, (0, size[1] - side, 0, size[0] - side))
    found: Tensor = torch.fft.rfft2(canvas.roll((-(side // 2), -(side // 2)), (-2, -1)))
    return found


def _scales() -> list[float]:
    """Shares of the full size, rising to 1, at all of which a kernel has at least ``_COARSEST`` pixels a side."""
    count = int(log(SIDE / _COARSEST, _STEP))
    return [_STEP**-place for place in range(count, -1, -1)]


def _side(scale: float) -> int:
    return round(SIDE * scale) // 2 * 2 + 1


def _telling(grey: Tensor) -> Tensor:
    """Photos, or of larger ones the squares of ``WINDOW`` with the strongest gradients, to 64 pixels."""
    height, width = (min(side, WINDOW) for side in grey.shape[-2:])
    if (height, width) == tuple(grey.shape[-2:]):
        return grey
    energy = F.avg_pool2d(_gradients(grey).abs().sum(0)[:, None], (height, width), stride=64)[:, 0]
    places = [divmod(place, energy.shape[-1]) for place in energy.flatten(1).argmax(1).tolist()]
    cut = [photo[64 * row : 64 * row + height, 64 * column :][:, :width] for photo, (row, column) in zip(grey, places, strict=True)]
    return torch.stack(cut)


def _resized(maps: Tensor, size: list[int]) -> Tensor:
    resized: Tensor = F.interpolate(maps[:, None], size=size, mode="bilinear", antialias=True)[:, 0]
    return resized


def _first(photo: Tensor, side: int) -> Tensor:
    kernel = photo.new_zeros(len(photo), side, side)
    kernel[:, side // 2, side // 2 - 1 : side // 2 + 1] = 0.5
    return kernel


def _tidy(kernel: Tensor) -> Tensor:
    """Without small values and what is not joined to large ones, sum 1, the centroid in the middle pixel."""
    side, tiny = kernel.shape[-1], torch.finfo(kernel.dtype).tiny
    largest = kernel.amax((-2, -1), keepdim=True).clamp(min=tiny)
    kernel = torch.where(kernel < _FLOOR * largest, 0.0, kernel)
    reached = (kernel >= _PEAK * largest).to(kernel.dtype)
    for _ in range(side):
        reached = F.max_pool2d(reached[:, None], 3, stride=1, padding=1)[:, 0] * (kernel > 0)
    kernel = kernel * reached
    blank = F.pad(kernel.new_ones(1, 1, 1), (side // 2,) * 4)
    total = kernel.sum((-2, -1), keepdim=True)
    kernel = torch.where(total > 0, kernel / total.clamp(min=tiny), blank)  # a flat photo: nothing known
    places = torch.arange(side, device=kernel.device, dtype=kernel.dtype) - side // 2
    down, across = ((kernel.sum(axis) @ places).round().int().tolist() for axis in (-1, -2))
    return torch.stack([one.roll((-row, -column), (0, 1)) for one, row, column in zip(kernel, down, across, strict=True)])


def _gradients(photo: Tensor) -> Tensor:
    """Differences to the next pixel of periodic photos (B, H, W): (2, B, H, W), across and down."""
    return torch.stack((photo.roll(-1, -1) - photo, photo.roll(-1, -2) - photo))


def _divergence(steps: Tensor) -> Tensor:
    """The adjoint of ``_gradients``: (2, B, H, W) → (B, H, W)."""
    across, down = steps[0], steps[1]
    return across.roll(1, -1) - across + down.roll(1, -2) - down


def _detail(size: tuple[int, int], like: Tensor) -> Tensor:
    """|F(∇)|² of photos of ``size``: (H, W // 2 + 1)."""
    down, across = (
        2 - 2 * torch.cos(2 * torch.pi * torch.arange(count, device=like.device, dtype=like.dtype) / length)
        for count, length in ((size[0], size[0]), (size[1] // 2 + 1, size[1]))
    )
    return down[:, None] + across


def _lengthened(maps: Tensor, least: int) -> Tensor:
    extra = least + -(maps.shape[-2] + least) % 16  # multiples of 16 are transformed fast
    share = torch.arange(1, extra + 1, device=maps.device, dtype=maps.dtype) / (extra + 1)
    share = (share.square() * (3 - 2 * share))[:, None]
    return torch.cat((maps, maps[..., -1:, :] * (1 - share) + maps[..., :1, :] * share), dim=-2)
