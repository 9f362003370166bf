"""The package's own network for intrinsic images: it looks at a small copy of the whole photo, finds the light, and divides it out.

On at most ``working`` pixels colour Retinex makes a first guess of the shading, and a U of NAFNet blocks (Chen et al., ECCV 2022,
arXiv:2204.04676), which sees photo and guess, adds what that gets wrong, in logarithms; with its first weights it adds nothing.
At full size the shading is that answer enlarged plus its share of the photo's finer detail (He & Sun, arXiv:1505.00996), and the
albedo is the photo over the shading in linear light, so that both compose the photo exactly whatever the network says.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.blocks.global_context import cuts_of
from limpid.blocks.naf_unet import NafUNet
from limpid.blocks.resize import cut, enlarge
from limpid.blocks.retinex import retinex_shading
from limpid.catalogue import ModelEntry
from limpid.layers.context import GlobalModule, Recall, recalled, tile_of
from limpid.layers.encoding import to_encoded, to_linear
from limpid.layers.network import LayerNetwork, Needs
from limpid.layers.separation import Separation

_MULTIPLE = 16
_DARK = 0.02  # linear light that is added before a logarithm is taken
_LUMA = (0.2126, 0.7152, 0.0722)  # of linear sRGB
_WINDOW, _EPSILON = 5, 0.01  # side in working pixels and regulariser (squared logarithm) of the guidance


class _Correction(NafUNet):
    """Photo and the first guess of its light → what to add to that."""

    channels = 4


class Light(GlobalModule):
    """Photo (B, 3, H, W), encoded → logarithms of its shading, how it follows the guide, and the guide, all at working size."""

    def __init__(self, *, width: int, encoder: tuple[int, ...], middle: int, decoder: tuple[int, ...], working: int) -> None:
        super().__init__()
        self.working = working
        self.unet = _Correction(width=width, encoder=encoder, middle=middle, decoder=decoder, shuffle=2)
        for parameter in self.unet.ending.parameters():
            nn.init.zeros_(parameter)

    def forward(self, photo: Tensor, recall: Recall | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """(B, 3, h, w) at most 0, (B, 3, h, w), (B, 1, h, w)."""
        shapes = [(3, None, None), (3, None, None), (1, None, None)]
        shading, slope, guide = recalled(recall, self, lambda: self._found(photo), shapes)
        return shading, slope, guide

    def _found(self, photo: Tensor) -> Iterator[Tensor]:
        small = _reduced(photo, self.working)
        guess = retinex_shading(small)
        seen = torch.cat((small * 2 - 1, guess), dim=1)
        brightness, warm, cool = self.unet.answer(self.unet.features(seen), small.dtype).chunk(3, dim=1)
        tint = torch.cat((warm, -(warm + cool) / 2, cool), dim=1)
        shading = (guess + brightness + 0.5 * torch.tanh(tint)).clamp(max=0)
        guide = logarithm(small)
        yield shading
        yield _slope(guide, shading)
        yield guide


class LightUNet(LayerNetwork):
    """Photo (B, 3, H, W), 0…1, encoded → albedo and shading, within 0…1, whose product in linear light is the photo; sides ≥ 16.

    ``width``: channels at half the working size, doubled at each of three further levels; ``encoder``, ``middle``, ``decoder``:
    blocks. ``working``: longest side that the network sees, pixels; smaller photos are seen as they are.
    """

    needs = Needs(multiple=_MULTIPLE, minimum=_MULTIPLE, tiling="discouraged")
    radius = 0  # but for the light, which a context holds

    def __init__(
        self,
        *,
        width: int = 24,
        encoder: tuple[int, ...] = (1, 1, 2),
        middle: int = 2,
        decoder: tuple[int, ...] = (1, 1, 1),
        working: int = 256,
    ) -> None:
        super().__init__()
        self.light = Light(width=width, encoder=encoder, middle=middle, decoder=decoder, working=working)

    def global_modules(self) -> dict[str, nn.Module]:
        """The light alone: what sees the whole photo lies within it."""
        return {"light": self.light}

    def separate(self, mixed: Tensor, recall: Recall | None = None) -> Separation:
        """(B, 3, H, W) → layers of the same shape."""
        shading, slope, guide = self.light(mixed, recall)
        if recall is not None or shading.shape[-2:] != mixed.shape[-2:]:
            detail = logarithm(mixed) - _fitted(guide, mixed, recall)
            shading = (_fitted(shading, mixed, recall) + _fitted(slope, mixed, recall) * detail).clamp(max=0)
        photo = to_linear(mixed)
        light = shading.exp().maximum(photo.clamp(max=1))  # albedo at most 1
        return Separation({"albedo": to_encoded(photo / light), "shading": to_encoded(light)})


def logarithm(photo: Tensor) -> Tensor:
    """Logarithm of the brightness of a photo (B, 3, H, W), encoded, plus a little: (B, 1, H, W)."""
    red, green, blue = to_linear(photo).chunk(3, dim=1)
    brightness: Tensor = _LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue
    return (brightness + _DARK).log()


def _reduced(photo: Tensor, working: int) -> Tensor:
    """The photo at most ``working`` pixels long, sides multiples of 16."""
    longest = max(photo.shape[-2:])
    if longest <= working:
        return photo
    size = [max(_MULTIPLE, round(side * working / longest / _MULTIPLE) * _MULTIPLE) for side in photo.shape[-2:]]
    return F.interpolate(photo, size=size, mode="bilinear", align_corners=False, antialias=True)


def _slope(guide: Tensor, shading: Tensor) -> Tensor:
    """Regression of the shading on the guide in each window, averaged over the window: (B, 3, h, w)."""

    def mean(image: Tensor) -> Tensor:
        return F.avg_pool2d(image, _WINDOW, 1, _WINDOW // 2, count_include_pad=False)

    centre = mean(guide)
    covariance = mean(guide * shading) - centre * mean(shading)
    return mean(covariance / (mean(guide * guide) - centre * centre + _EPSILON))


def _fitted(small: Tensor, photo: Tensor, recall: Recall | None) -> Tensor:
    """A map of the whole photo enlarged to the photo, or that part of it which the tile at hand covers."""
    tile, size = tile_of(recall), (photo.shape[-2], photo.shape[-1])
    if tile is None:
        return enlarge(small, size)
    rows, columns = cuts_of(tile, (small.shape[-2], small.shape[-1]), size, (tile.height, tile.width))
    return cut(small, rows, columns, "bilinear").to(small.dtype)


ENTRY = ModelEntry(
    build=LightUNet,
    source="limpid's own; blocks after Chen et al., ECCV 2022 (NAFNet), guidance after He & Sun, arXiv:1505.00996",
    licence="Apache-2.0",
    tasks=("intrinsic",),
    layers=("albedo", "shading"),
    sizes={"base": {}, "tiny": {"width": 4, "encoder": (1, 1, 1), "middle": 1, "working": 48}},
)
