"""What Compare live shows: a picture degraded as the sliders say, what networks make of it, and how near they come to the truth."""

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import cv2
import numpy as np
import torch
from torch import Tensor

from limpid import catalogue
from limpid._version import __version__
from limpid.catalogue import Settings
from limpid.data.decode import size
from limpid.data.manifest import FileRecord
from limpid.data.options import SynthesisOptions
from limpid.data.photographs import Photographs
from limpid.data.provenance import maker, settled
from limpid.data.synthesise import plan
from limpid.errors import DataError
from limpid.files import sha256
from limpid.image.contact_sheet import side_by_side
from limpid.metrics.lpips_alex import ENTRY as LPIPS
from limpid.metrics.lpips_alex import Alex
from limpid.metrics.psnr import psnr
from limpid.metrics.ssim import ssim
from limpid.physics.degradation import degrade
from limpid.physics.degradations.motion_blur import MotionBlur, kernel_of
from limpid.physics.formation import Parameters
from limpid.physics.leaves.chart import chart
from limpid.physics.seeds import generator
from limpid.recipe.settings import built
from limpid.runtime.separator import Separator
from limpid.weights.fetch import cache_folder

Layout = Literal["degraded + restored", "+ truth", "+ kernel", "2 × 2"]
_NOISE_SEED = 42
_REMEMBERED = 24  # results of networks
_LEAST = 7  # side in pixels that SSIM needs


@dataclass(frozen=True, kw_only=True)
class Leaves:
    """Dead leaves: ``side`` in pixels, ``seed`` (−1: a new one each time), ``count`` of leaves (−1: until all is covered).

    ``anisotropy``, ``angle``: how much, and along which direction in degrees, the chart is stretched.
    """

    side: int = 256
    seed: int = 0
    count: int = -1
    alpha: float = 3.0
    radius: tuple[float, float] = (2.0, 200.0)
    shape: str = "disk"
    colours: str = "uniform"
    background: float = 0.5
    anisotropy: float = 1.0
    angle: float = 0.0
    supersample: int = 1

    @property
    def settings(self) -> Settings:
        """Those of ``Chart``; lengths are given in pixels of the picture and are canvas pixels there."""
        exact = self.count < 0
        radius = [max(1.0, length) * self.supersample for length in sorted(self.radius)]
        settings: dict[str, Any] = {"law": "stationary" if exact else "published", "alpha": self.alpha, "radius": radius}
        settings |= {"shapes": {self.shape: 1.0}, "colours": self.colours, "supersample": self.supersample}
        return settings if exact else {**settings, "count": self.count, "background": [self.background] * 3}


@dataclass(frozen=True, kw_only=True)
class Degrading:
    """The degradations in their order: a reflection, Gaussian blur, camera shake, noise, JPEG.

    ``half_sizes``: of the Gaussian kernel, rows and columns; ``shake``: class and number of a kernel, None for none; ``sigma`` on
    the scale 0…255; ``quality`` of JPEG, 100 for none; ``mixture``: name, None for none, with ``settings`` and ``seed``.
    """

    sigma: float = 0.0
    half_sizes: tuple[int, int] = (0, 0)
    shake: tuple[str, int] | None = None
    quality: int = 100
    mixture: str | None = None
    settings: Settings = field(default_factory=dict)
    seed: int = 0

    def steps(self) -> list[dict[str, Any]]:
        """Degradations with their parameters, as ``limpid synthesise`` remembers them."""
        found: list[tuple[str, Parameters]] = []
        if any(self.half_sizes):
            found.append(("gaussian_blur", {"half_sizes": list(self.half_sizes)}))
        if self.shake is not None:
            found.append(("motion_blur", shake(*self.shake)))
        if self.sigma:
            found.append(("gaussian_noise", {"sigma": self.sigma, "seed": _NOISE_SEED}))
        if self.quality < 100:
            found.append(("jpeg", {"quality": self.quality, "sampling": "4:2:0"}))
        return [{"degradation": name, "parameters": dict(parameters)} for name, parameters in found]

    def texts(self) -> list[str]:
        """The same for ``limpid evaluate --degrade``, as far as it goes: shake and noise."""
        noise = f"sigma={self.sigma:g}" if self.sigma else ""
        if self.shake is not None:
            return [":".join(filter(None, [f"blur:kernels={self.shake[0]}.{self.shake[1]}", noise]))]
        return [f"noise:{noise}"] if noise else []


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One picture: ``degraded`` and ``truth``, (3, H, W); ``kernel``: of the shake, to be looked at."""

    degraded: Tensor
    truth: Tensor
    kernel: Tensor | None


def shake(kind: str, number: int) -> Parameters:
    """The kernel that ``limpid evaluate --degrade blur:kernels=KIND.NUMBER`` blurs with."""
    return MotionBlur(classes=(kind,)).draw(generator(0, "evaluate", "kernel", kind, number), (0, 0))


def leaves(wish: Leaves, photos: Sequence[Tensor] = ()) -> Tensor:
    """The chart, (3, side, side). Raises SettingError."""
    seed = int(np.random.default_rng().integers(2**31)) if wish.seed < 0 else wish.seed
    drawn = chart(settled("leaves", wish.settings), (wish.side, wish.side), generator(seed, 0, "chart"), photos=photos)
    return drawn if wish.anisotropy == 1 else _stretched(drawn, wish.anisotropy, wish.angle)


def scene(truth: Tensor, wish: Degrading, mirrored: Tensor | None = None) -> Scene:
    """Degrade a picture (3, H, W); ``mirrored``: what the glass mirrors, of the same size."""
    degraded = truth
    if wish.mixture is not None and mirrored is not None:
        formation = built("mixtures", wish.mixture, wish.settings)
        drawn = formation.draw(generator(wish.seed, "pair"), truth.shape[1:])
        mixed = formation.apply(truth, mirrored, drawn)
        degraded, truth = mixed.input, mixed.transmission
    steps = [(catalogue.find("degradations", step["degradation"]).build(), step["parameters"]) for step in wish.steps()]
    if not steps:
        return Scene(degraded=degraded, truth=truth, kernel=None)
    done = degrade(degraded, steps)
    down, across = ((before - after) // 2 for before, after in zip(truth.shape[1:], done.target.shape[1:], strict=True))
    cropped = truth[:, down : truth.shape[1] - down, across : truth.shape[2] - across]
    return Scene(degraded=done.image, truth=cropped, kernel=None if wish.shake is None else _thumbnail(shake(*wish.shake)))


class Results:
    """What networks made of pictures lately, so that a slider of the view costs nothing."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int], Tensor] = OrderedDict()

    def of(self, separator: Separator, degraded: Tensor) -> Tensor:
        """The primary layer (3, H, W) of a picture, 0…1."""
        photo = degraded.clamp(0, 1)
        key = (f"{separator.name} {separator.sha256}", hash(photo.numpy().tobytes()))
        if key not in self._kept:
            self._kept[key] = separator(photo, resolution="full")[separator.task.primary]
            while len(self._kept) > _REMEMBERED:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


def scores(estimate: Tensor, truth: Tensor, *, lpips: bool = False) -> dict[str, float]:
    """PSNR in dB, SSIM and, where asked for, LPIPS of two pictures (3, H, W)."""
    found = {"PSNR": psnr(estimate, truth)}
    if min(truth.shape[1:]) >= _LEAST:
        found["SSIM"] = ssim(estimate, truth)
    if lpips and min(truth.shape[1:]) >= Alex.smallest:
        found["LPIPS"] = LPIPS.build()(estimate, truth)
    return found


def has_lpips() -> bool:
    """Whether the weights of LPIPS are on this machine; they are not fetched for this."""
    home = Alex.home
    return any((cache_folder() / name).is_file() for name in home.files)


def crop(picture: Tensor, centre: tuple[float, float], side: int) -> Tensor:
    """A square of ``side`` pixels at most around ``centre`` (row and column, 0…1), wholly inside the picture."""
    height, width = picture.shape[1:]
    tall, wide = min(side, height), min(side, width)
    top, left = (
        int(min(max(0, place * length - part / 2), length - part))
        for place, length, part in zip(centre, (height, width), (tall, wide), strict=True)
    )
    return picture[:, top : top + tall, left : left + wide]


def compose(pictures: Mapping[str, Tensor], across: int) -> Tensor:
    """Pictures (3, H, W) of one size under their captions, ``across`` in a row, enlarged by whole pixels, as one picture."""
    height = next(iter(pictures.values())).shape[1]
    scale = max(1, 384 // height)
    large = {name: _enlarged(picture, scale) for name, picture in pictures.items()}
    names = list(large)
    rows = [side_by_side({name: large[name] for name in names[at : at + across]}) for at in range(0, len(names), across)]
    widest = max(row.shape[2] for row in rows)
    padded = [torch.nn.functional.pad(row, (0, widest - row.shape[2]), value=1.0) for row in rows]
    return torch.cat(padded, dim=1)


def panels(scene: Scene, results: Mapping[str, Tensor], layout: Layout) -> tuple[dict[str, Tensor], int]:
    """Caption → picture of a layout, and how many stand in a row."""
    shown = {"degraded": scene.degraded.clamp(0, 1), **results}
    if layout == "degraded + restored":
        return shown, len(shown)
    shown["truth"] = scene.truth
    if layout == "+ truth":
        return shown, len(shown)
    kernel = torch.zeros(3, 1, 1) if scene.kernel is None else scene.kernel
    shown["kernel"] = _fitted(kernel, scene.truth.shape[1:])
    return shown, len(shown) if layout == "+ kernel" else 2


def state(wish: Leaves | str, degrading: Degrading, models: Sequence[str], folder: Path | None = None) -> str:
    """Everything that was set, as JSON: ``limpid evaluate --degrade FILE`` reads its ``degrade``, and for leaves it is a manifest.

    ``wish``: leaves, or what the photo is called.
    """
    content: dict[str, Any] = {"limpid": __version__, "models": list(models), "degrade": degrading.texts()}
    content["steps"] = degrading.steps()
    if degrading.mixture is not None:
        content["mixture"] = {"name": degrading.mixture, "settings": dict(degrading.settings), "seed": degrading.seed}
    if isinstance(wish, str):
        content["photo"] = wish
    elif wish.anisotropy == 1 and wish.seed >= 0:
        content |= _manifest(wish, degrading, folder)
    else:
        content["leaves"] = {name: value for name, value in vars(wish).items()}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _manifest(wish: Leaves, degrading: Degrading, folder: Path | None) -> dict[str, Any]:
    """What ``limpid synthesise --from`` makes the same picture of."""
    names = tuple(step["degradation"] for step in degrading.steps())
    options = SynthesisOptions(
        kind="leaves", out=Path("leaves"), size=(wish.side, wish.side), settings=wish.settings, source=folder, degradations=names
    )
    origin, photos, _ = plan(options)
    drawn: dict[str, Any] = {"seed": wish.seed, "index": 0}
    if names:
        drawn["steps"] = degrading.steps()
    origin.items["0000"] = drawn
    with TemporaryDirectory() as name:
        for _ in maker(origin, photos).write(origin.items, Path(name)):
            pass
        paths = [path for path in sorted(Path(name).rglob("*")) if path.is_file()]
        files = {path.relative_to(name).as_posix(): asdict(_record(path)) for path in paths}
    return {"format": 1, "set": "leaves", "variant": "", "count": 1, "files": files, "origin": asdict(origin)}


def _record(path: Path) -> FileRecord:
    return FileRecord(size=size(path), sha256=sha256(path))


def _thumbnail(parameters: Parameters) -> Tensor:
    kernel = kernel_of(parameters)
    return torch.from_numpy(kernel / kernel.max()).float().expand(3, -1, -1)


def _enlarged(picture: Tensor, scale: int) -> Tensor:
    return picture.repeat_interleave(scale, 1).repeat_interleave(scale, 2)


def _fitted(picture: Tensor, size: Sequence[int]) -> Tensor:
    """A small picture enlarged by whole pixels in the middle of a black one of ``size``."""
    scale = max(1, min(side // own for side, own in zip(size, picture.shape[1:], strict=True)))
    large = _enlarged(picture, scale)[:, : size[0], : size[1]]
    canvas = torch.zeros(3, *size)
    top, left = ((side - own) // 2 for side, own in zip(size, large.shape[1:], strict=True))
    canvas[:, top : top + large.shape[1], left : left + large.shape[2]] = large
    return canvas


def _stretched(picture: Tensor, anisotropy: float, angle: float) -> Tensor:
    """Stretched by √anisotropy along ``angle`` degrees and squeezed across it, about the middle; borders are mirrored."""
    turn = np.deg2rad(angle)
    axes = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = axes @ np.diag([anisotropy**-0.5, anisotropy**0.5]) @ axes.T  # from the result back to the chart
    middle = (np.array(picture.shape[:0:-1]) - 1) / 2
    shift = middle - matrix @ middle
    pixels = picture.permute(1, 2, 0).numpy()
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(
        pixels, np.column_stack([matrix, shift]), pixels.shape[1::-1], flags=flags, borderMode=cv2.BORDER_REFLECT_101
    )
    return torch.from_numpy(warped).permute(2, 0, 1).contiguous()


def photo_in(folder: Path, place: int) -> tuple[str, Tensor]:
    """Name and pixels (3, H, W) of a photo of a folder, by its place, counted round and round. Raises DataError and PhotoError."""
    photos = Photographs(folder)
    if not len(photos):
        raise DataError("the folder holds no photo")
    place %= len(photos)
    return photos.names[place], photos[place]
