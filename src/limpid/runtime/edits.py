"""What albedo and shading are good for: a photo in another light, or things of it in another colour."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from limpid.errors import ShapeError
from limpid.image.read import read
from limpid.layers.encoding import to_encoded, to_linear
from limpid.runtime.edit_options import SIDES, Relighting, parse_recolouring, parse_relighting

Edit = Callable[[Mapping[str, Tensor]], Tensor]
"""Albedo and shading of a whole photo, (3, H, W), 0…1, encoded → the edited photo, the same."""

_FALL = 1.2  # how many times as bright the light is on its side, as a natural logarithm between the two sides


def relight(layers: Mapping[str, Tensor], wish: Relighting) -> Tensor:
    """The albedo in another light: (3, H, W), encoded, clamped; computed in linear light."""
    shading = to_linear(layers["shading"]).clamp_min(1e-3)
    light = shading ** (1 - wish.flat)
    light = light * torch.tensor([1 + 0.35 * wish.warm, 1.0, 1 - 0.35 * wish.warm])[:, None, None]
    if wish.side is not None:
        down, right = SIDES[wish.side]
        y, x = (torch.linspace(-0.5, 0.5, side) for side in light.shape[-2:])
        light = light * torch.exp(_FALL * (down * y[:, None] + right * x))
    return to_encoded((to_linear(layers["albedo"]) * light).clamp(0, 1))


def recolour(layers: Mapping[str, Tensor], wishes: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """Albedo changed under masks, light kept: (3, H, W), encoded; ``wishes``: mask (1, H, W), 0…1, and colour (3,), encoded.

    The mean of the albedo under a mask becomes the colour, what varies around it stays. Raises ShapeError for a mask of another
    size than the photo.
    """
    albedo, size = to_linear(layers["albedo"]), tuple(layers["albedo"].shape[-2:])
    for mask, colour in wishes:
        if tuple(mask.shape[-2:]) != size:
            found = f"{mask.shape[-1]}×{mask.shape[-2]}"
            raise ShapeError(f"a mask must have the size of the photo, {size[1]}×{size[0]}; it is {found}")
        mean = albedo.mean(0, keepdim=True)
        texture = mean / (mean * mask).sum().div(mask.sum().clamp_min(1e-6)).clamp_min(1e-3)
        painted = to_linear(colour)[:, None, None] * texture.clamp(0, 3)
        albedo = torch.lerp(albedo, painted, mask.expand_as(albedo))
    light = to_linear(layers["shading"])
    return to_encoded((albedo * light).clamp(0, 1))


def edits(relighting: str | None, recolouring: Sequence[str]) -> dict[str, Edit]:
    """Name of the file's ending → what makes it, for the options ``--relight`` and ``--recolour``; masks are read here."""
    found: dict[str, Edit] = {}
    if relighting is not None:
        wish = parse_relighting(relighting)
        found["relit"] = lambda layers: relight(layers, wish)
    if recolouring:
        pairs = [parse_recolouring(text) for text in recolouring]
        wishes = [(read(path).tensor().mean(0, keepdim=True), torch.tensor(colour)) for path, colour in pairs]
        found["recoloured"] = lambda layers: recolour(layers, wishes)
    return found
