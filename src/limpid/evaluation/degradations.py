"""``--degrade``: how clean photos are degraded, the same for every model and every run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from limpid.data.preprocessing import centre_crop
from limpid.evaluation.results import Condition
from limpid.physics.degradation import new_seed
from limpid.physics.degradations.gaussian_blur import GaussianBlur
from limpid.physics.degradations.gaussian_noise import GaussianNoise
from limpid.physics.degradations.jpeg import Jpeg
from limpid.physics.degradations.motion_blur import MotionBlur
from limpid.physics.formation import Parameters
from limpid.physics.seeds import generator


@dataclass(frozen=True, kw_only=True)
class DegradationCondition:
    """One point of a curve: blur, then a centre crop, then noise, then 8 bits or a JPEG file where these are asked for.

    ``sigma``: of the noise / 255, or the range from which each photo draws its own; ``blur``: a kernel of camera shake by class and
    number, or by its place in ``file``; ``kernels``: SHA-256 of what ``file`` holds, so that a score is never remembered for other
    kernels under the same name; ``gauss``: deviation of a round Gaussian, pixels; ``clipped``: clipped and rounded to 8 bits, as a
    camera gives it; ``jpeg``: quality. ``crop``: width and height in pixels, None for the whole photo. ``conditions``: how tables
    name it. ``draw``: which of several draws of kernel and noise, None for the only one. ``seed``: of kernels and noise.
    """

    conditions: Mapping[str, Condition] = field(hash=False)
    sigma: float | tuple[float, float] | None = None
    blur: str | None = None
    file: Path | None = None
    kernels: str = ""
    gauss: float | None = None
    clipped: bool = False
    jpeg: int | None = None
    crop: tuple[int, int] | None = None
    draw: int | None = None
    seed: int = 0

    @property
    def says(self) -> str:
        """All that decides the result besides the photo, for the cache."""
        blur = f"blur {self.blur} of {self.kernels} gauss {self.gauss}"
        return f"sigma {self.sigma} {blur} clipped {self.clipped} jpeg {self.jpeg} crop {self.crop} seed {self.seed}"

    def named(self, item: str) -> str:
        """A photo's name under this draw: ``a``, or ``a@2`` for the third of several."""
        return item if self.draw is None else f"{item}@{self.draw}"

    def apply(self, clean: np.ndarray, item: str) -> tuple[Tensor, Tensor]:
        """(H, W, 3) uint8 → the degraded photo, neither clipped nor rounded unless asked, and the truth, (3, h, w), float32, 0…1.

        Noise depends on the seed and ``item`` alone, kernels on the seed alone. Raises DataError for a photo smaller than the crop
        and ShapeError for one smaller than the kernel.
        """
        if self.blur is None and self.gauss is None and self.crop is not None:
            clean = centre_crop(*self.crop)(clean)
        truth = torch.from_numpy(np.ascontiguousarray(clean.transpose(2, 0, 1))).float() / 255
        degraded, truth = self._blurred(truth)
        if self.sigma is not None:
            field = {"sigma": self._strength(self.sigma, item), "seed": new_seed(generator(self.seed, "evaluate", "noise", item))}
            degraded = GaussianNoise().apply(degraded, field).image
        if self.clipped:
            degraded = (degraded.clamp(0, 1) * 255).round() / 255
        if self.jpeg is not None:
            degraded = Jpeg().apply(degraded, {"quality": self.jpeg, "sampling": "4:2:0"}).image
        return degraded.contiguous(), truth.contiguous()

    def _blurred(self, truth: Tensor) -> tuple[Tensor, Tensor]:
        degraded = truth
        if self.blur is not None:
            made = MotionBlur().apply(truth, _kernel(self.blur, self.file, self.seed))
            degraded, truth = made.image, made.target
        if self.gauss is not None:
            degraded = GaussianBlur().apply(degraded, {"sigma": [self.gauss, self.gauss], "angle": 0.0}).image
        if self.crop is not None:
            degraded, truth = (_middle(photo, self.crop) for photo in (degraded, truth))
        return degraded, truth

    def _strength(self, sigma: float | tuple[float, float], item: str) -> float:
        if isinstance(sigma, float):
            return sigma
        return float(generator(self.seed, "evaluate", "sigma", item).uniform(*sigma))


def _kernel(name: str, file: Path | None, seed: int) -> Parameters:
    if file is not None:
        return {"kernel": "file", "path": str(file), "index": int(name), "rim": None, "linear": False}
    kind, _, number = name.partition(".")
    return MotionBlur(classes=(kind,)).draw(generator(seed, "evaluate", "kernel", kind, int(number or 0)), (0, 0))


def _middle(photo: Tensor, crop: tuple[int, int]) -> Tensor:
    cropped = centre_crop(*crop)(photo.permute(1, 2, 0).numpy())
    return torch.from_numpy(cropped).permute(2, 0, 1)
