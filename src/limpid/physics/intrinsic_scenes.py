"""Pictures of surfaces under light, made with their albedo and shading: what networks for intrinsic images learn from here.

Leaves, flat or textured, or a photo without its own light, under smooth light with folds, planes, cast shadows, two lights of
different colour, light thrown back by neighbours, and highlights. Everything happens in linear light; what is handed out is
sRGB-encoded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from torch import Tensor

from limpid.errors import SettingError
from limpid.layers.encoding import to_encoded, to_linear
from limpid.physics.blur import gaussian_blur
from limpid.physics.formation import check_share
from limpid.physics.leaves.chart import chart
from limpid.physics.leaves.settings import Chart
from limpid.physics.leaves.textures import noise_field

Size = tuple[int, int]
LEAST_LIGHT = 0.02
"""Shading of the deepest shadow, linear light."""


@dataclass(frozen=True, kw_only=True)
class SceneSettings:
    """How often a scene has what; all are probabilities.

    ``photo``: its albedo is a photo, where there are any, without its low frequencies of light; ``textured``: its leaves are;
    ``folds``, ``planes``, ``shadows``, ``two_lights``, ``interreflection``, ``highlights``: of its light. ``noise``: greatest
    deviation of sensor noise, linear light. Raises SettingError.
    """

    photo: float = 0.3
    textured: float = 0.4
    folds: float = 0.5
    planes: float = 0.4
    shadows: float = 0.75
    two_lights: float = 0.5
    interreflection: float = 0.5
    highlights: float = 0.3
    noise: float = 0.01

    def __post_init__(self) -> None:
        for name, share in vars(self).items():
            check_share(name, share)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A picture and what it was made of.

    ``input``, ``albedo``, ``shading``: (3, H, W), 0…1, sRGB-encoded; the input is albedo times shading in linear light, but for
    highlights and noise, which it alone has.
    """

    input: Tensor
    albedo: Tensor
    shading: Tensor


def scene(size: Size, generator: np.random.Generator, settings: SceneSettings, photos: Sequence[Tensor] = ()) -> Scene:
    """One scene of ``size`` (height, width), at least 16 pixels a side; equal generators give equal scenes.

    ``photos``: (3, H, W), 0…1, encoded, of any size. The brightest light of a scene is 1, so that albedo is as bright as the
    picture where it is lit best. Raises SettingError.
    """
    if min(size) < 16:
        raise SettingError(f"a scene has at least 16 pixels a side; got {size}")
    albedo = _albedo(size, generator, settings, photos)
    light = _light(size, generator, settings)
    if generator.random() < settings.interreflection:
        light = light * (1 + generator.uniform(0.3, 1.2) * _blurred(albedo, 0.08 * min(size)))
    light = light / _top(light) * generator.uniform(0.85, 1.0)
    light = light.clamp(LEAST_LIGHT, 1)
    seen = albedo * light
    if generator.random() < settings.highlights:
        seen = seen + _highlights(size, generator)
    deviation = generator.uniform(0, settings.noise)
    seen = seen + deviation * torch.from_numpy(generator.standard_normal(tuple(seen.shape), dtype=np.float32)) * seen.sqrt()
    photo = to_encoded(seen.clamp(0, 1)).mul(255).round().div(255)
    return Scene(input=photo, albedo=to_encoded(albedo), shading=to_encoded(light))


def _albedo(size: Size, generator: np.random.Generator, settings: SceneSettings, photos: Sequence[Tensor]) -> Tensor:
    """(3, H, W), linear, 0.02…0.95."""
    if photos and generator.random() < settings.photo:
        return _flattened(photos[int(generator.integers(len(photos)))], size, generator)
    least = generator.uniform(4, 16)
    fills = {"flat": 1.0}
    if generator.random() < settings.textured:
        fills = {"flat": 1.0, "noise": 2.0, "periodic": 1.0}
    kind = Chart(
        radius=(least, 1.2 * max(size)),
        alpha=float(generator.uniform(1.5, 3)),
        shapes={"disk": 1.0, "rectangle": 1.0, "polygon": 1.0},
        colours="natural" if photos and generator.random() < 0.6 else "uniform",
        fills=fills,
        fill_from=6.0,
        period=(4.0, 30.0),
        contrast=float(generator.uniform(0.1, 0.4)),
        supersample=2,
    )
    colours = to_linear(chart(kind, size, generator, photos=photos))
    grey = generator.uniform(0, 0.6)  # few things are as colourful as uniform colours
    colours = torch.lerp(colours, colours.mean(0, keepdim=True), float(grey))
    return 0.02 + colours.clamp(0, 1) * float(generator.uniform(0.6, 0.93))


def _flattened(photo: Tensor, size: Size, generator: np.random.Generator) -> Tensor:
    """A window of a photo with its local mean of light divided out, as far as that goes."""
    height, width = (min(side, wanted) for side, wanted in zip(photo.shape[1:], size, strict=True))
    top, left = (int(generator.integers(side - part + 1)) for side, part in zip(photo.shape[1:], (height, width), strict=True))
    window = to_linear(photo[:, top : top + height, left : left + width])
    if (height, width) != size:
        window = torch.nn.functional.interpolate(window[None], size=size, mode="bilinear")[0]
    light = _blurred(window.mean(0, keepdim=True).expand(3, -1, -1), 0.1 * min(size))
    flat = window / (light + 0.02)
    return 0.02 + (flat * float(generator.uniform(0.25, 0.5))).clamp(0, 0.93)


def _light(size: Size, generator: np.random.Generator, settings: SceneSettings) -> Tensor:
    """(3, H, W), linear, of any scale above 0: a key light with shadows, and the sky or another lamp."""
    key = _smooth(size, generator, generator.uniform(0.2, 0.9))
    if generator.random() < settings.folds:
        key = key * _folds(size, generator)
    if generator.random() < settings.planes:
        key = key * _planes(size, generator)
    fill = _smooth(size, generator, generator.uniform(0.1, 0.4)) * generator.uniform(0.1, 0.5)
    for _ in range(int(generator.integers(1, 4)) if generator.random() < settings.shadows else 0):
        key = key * (1 - generator.uniform(0.6, 1.0) * _shadow(size, generator))
    warmth = generator.uniform(0, 0.25) if generator.random() < settings.two_lights else 0.0
    return _tinted(key, warmth, generator) + _tinted(fill, -warmth, generator)


def _smooth(size: Size, generator: np.random.Generator, strength: float) -> Tensor:
    """The exponential of a few cosines of long period: (1, H, W)."""
    rows, columns = (torch.arange(side, dtype=torch.float32)[:, None] / max(size) for side in size)
    field = torch.zeros(size)
    for _ in range(3):
        along, across = generator.uniform(-1.2, 1.2, 2)
        phase = generator.uniform(0, 2 * np.pi)
        field += torch.cos(2 * np.pi * (float(along) * rows + float(across) * columns.T) + float(phase))
    return torch.exp(float(strength) * field / 2)[None]


def _folds(size: Size, generator: np.random.Generator) -> Tensor:
    """Lambert's law on a rough height field, with some light from everywhere: (1, H, W)."""
    side = 2 ** ceil(np.log2(max(size)))
    height = torch.from_numpy(noise_field(generator, generator.uniform(2.0, 2.8), side))[: size[0], : size[1]]
    height = _blurred(height.expand(3, -1, -1), generator.uniform(1, 3))[0] * float(generator.uniform(3, 12))
    down = torch.diff(height, dim=0, append=height[-1:])
    across = torch.diff(height, dim=1, append=height[:, -1:])
    turn, rise = generator.uniform(0, 2 * np.pi), generator.uniform(0.4, 1.2)
    lit = float(np.sin(rise)) - float(np.cos(rise)) * (float(np.cos(turn)) * across + float(np.sin(turn)) * down)
    return (lit / torch.sqrt(1 + down.square() + across.square())).clamp(min=0)[None] + 0.15


def _planes(size: Size, generator: np.random.Generator) -> Tensor:
    """Large facets, each turned another way to the light: (1, H, W), grey, edges sharp."""
    kind = Chart(radius=(0.2 * min(size), 1.5 * max(size)), alpha=2.0, shapes={"rectangle": 1.0, "polygon": 1.0}, supersample=2)
    facets = chart(kind, size, generator).mean(0, keepdim=True)
    return 0.35 + 0.65 * facets


def _shadow(size: Size, generator: np.random.Generator) -> Tensor:
    """Where something stands in the light, 0…1, with a penumbra: (1, H, W)."""
    kind = Chart(
        radius=(0.08 * min(size), 0.6 * max(size)),
        alpha=2.0,
        shapes={"disk": 1.0, "rectangle": 1.0, "polygon": 1.0},
    )
    things = (chart(kind, size, generator)[:1] > generator.uniform(0.55, 0.8)).float()
    return _blurred(things.expand(3, -1, -1), generator.uniform(0.4, 3.5))[:1]


def _highlights(size: Size, generator: np.random.Generator) -> Tensor:
    """A few small bright spots of white light: (1, H, W)."""
    rows, columns = (torch.arange(side, dtype=torch.float32) for side in size)
    total = torch.zeros(size)
    for _ in range(int(generator.integers(1, 5))):
        y, x = generator.random() * size[0], generator.random() * size[1]
        narrow, wide = generator.uniform(0.7, 4, 2)
        spot = torch.exp(-((rows[:, None] - y) ** 2) / (2 * narrow**2) - (columns - x) ** 2 / (2 * wide**2))
        total += float(generator.uniform(0.2, 1)) * spot
    return total[None]


def _tinted(light: Tensor, warmth: float, generator: np.random.Generator) -> Tensor:
    """Warm where ``warmth`` is above 0, cool below; some chance tint of ±4 % besides: (3, H, W)."""
    chance = generator.uniform(-0.04, 0.04, 3)
    gains = np.array([1 + warmth, 1.0, 1 - warmth]) * (1 + chance)
    return light * torch.tensor(gains, dtype=torch.float32)[:, None, None]


def _top(light: Tensor) -> float:
    """What nearly all of the light stays below."""
    return float(torch.quantile(light.amax(0).flatten(), 0.99))


def _blurred(image: Tensor, sigma: float) -> Tensor:
    return gaussian_blur(image, 2 * ceil(3 * sigma) + 1, float(sigma), border="replicate")
