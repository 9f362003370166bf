"""``--degrade``: how clean photos are degraded, the same for every model and every run."""

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from limpid.data.preprocessing import centre_crop
from limpid.errors import LimpidError, UnknownNameError, UsageError
from limpid.evaluation.results import Condition
from limpid.physics.degradation import new_seed
from limpid.physics.degradations.gaussian_noise import GaussianNoise
from limpid.physics.degradations.motion_blur import MotionBlur
from limpid.physics.formation import Parameters
from limpid.physics.kernel_files import read_kernels
from limpid.physics.motion import CLASSES
from limpid.physics.seeds import generator

_SYNTAX = "write --degrade noise:sigma=5,25,50 or --degrade blur:kernels=small,mild,big[:sigma=5][:file=kernels.mat]"
_KEYS = {"noise": {"sigma"}, "blur": {"kernels", "sigma", "file"}}


@dataclass(frozen=True, kw_only=True)
class DegradationCondition:
    """One point of a curve: blur by one kernel (``blur``: None for none), then a centre crop, then noise of ``sigma`` / 255.

    ``kernels``: SHA-256 of what ``file`` holds, so that a score is never remembered for other kernels under the same name.
    ``crop``: side in pixels, None for the whole photo. ``conditions``: how tables name it. ``seed``: of kernels and noise.
    """

    sigma: float | None
    blur: str | None
    file: Path | None
    crop: int | None
    conditions: Mapping[str, Condition] = field(hash=False)
    seed: int = 0
    kernels: str = ""

    @property
    def says(self) -> str:
        """All that decides the result besides the photo, for the cache."""
        return f"sigma {self.sigma} blur {self.blur} of {self.kernels} crop {self.crop} seed {self.seed}"

    def apply(self, clean: np.ndarray, item: str) -> tuple[Tensor, Tensor]:
        """(H, W, 3) uint8 → the degraded photo, neither clipped nor rounded, and the truth, (3, h, w), float32, 0…1.

        Noise depends on the seed and ``item`` alone, kernels on the seed alone. Raises DataError for a photo smaller than the crop
        and ShapeError for one smaller than the kernel.
        """
        if self.blur is None and self.crop is not None:
            clean = centre_crop(self.crop)(clean)
        truth = torch.from_numpy(np.ascontiguousarray(clean.transpose(2, 0, 1))).float() / 255
        degraded = truth
        if self.blur is not None:
            blurred = MotionBlur().apply(truth, _kernel(self.blur, self.file, self.seed))
            degraded, truth = blurred.image, blurred.target
            if self.crop is not None:
                degraded, truth = (_middle(photo, self.crop) for photo in (degraded, truth))
        if self.sigma is not None:
            field = {"sigma": self.sigma, "seed": new_seed(generator(self.seed, "evaluate", "noise", item))}
            degraded = GaussianNoise().apply(degraded, field).image
        return degraded.contiguous(), truth.contiguous()


def parse(texts: Sequence[str], crops: Sequence[int], seed: int = 0) -> list[DegradationCondition]:
    """Every combination of the strengths, kernels and ``crops`` that ``--degrade`` names, in their order.

    Raises UsageError or UnknownNameError for what cannot be read.
    """
    made = []
    for text in texts:
        kind, settings = _settings(text)
        sigmas = [_number(text, value) for value in settings.get("sigma", "").split(",") if value]
        kernels = [_kernel_name(value, settings) for value in settings.get("kernels", "").split(",") if value]
        if (kind == "noise" and not sigmas) or (kind == "blur" and not kernels):
            raise UsageError(f"--degrade {text} names no {'sigma' if kind == 'noise' else 'kernels'}; {_SYNTAX}")
        file = Path(settings["file"]).expanduser() if "file" in settings else None
        held = "" if file is None else _contents(text, file, kernels)
        blurs: list[str | None] = [*kernels] or [None]
        sides: list[int | None] = [*crops] or [None]
        strengths: list[float | None] = [*sigmas] or [None]
        for blur, crop, sigma in itertools.product(blurs, sides, strengths):
            conditions: dict[str, Condition] = {} if blur is None else {"blur": blur}
            conditions |= {} if sigma is None else {"noise": sigma}
            conditions |= {} if crop is None or len(crops) == 1 else {"size": float(crop)}
            made.append(
                DegradationCondition(sigma=sigma, blur=blur, file=file, crop=crop, conditions=conditions, seed=seed, kernels=held)
            )
    return made


def _settings(text: str) -> tuple[str, dict[str, str]]:
    kind, *rest = text.split(":")
    if kind not in _KEYS:
        raise UnknownNameError("degradation", kind, _KEYS)
    settings = {}
    for part in rest:
        key, equals, value = part.partition("=")
        if key not in _KEYS[kind] or not equals:
            raise UsageError(f"--degrade {text}: {part!r} is not understood; {_SYNTAX}")
        settings[key] = value
    return kind, settings


def _number(text: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e4:
        raise UsageError(f"--degrade {text}: sigma {value!r} is no strength on the 0…255 scale; {_SYNTAX}")
    return number


def _kernel_name(value: str, settings: Mapping[str, str]) -> str:
    """A place in a file of kernels, or a class of camera shake with an optional number: ``mild`` is ``mild.0``."""
    name, _, number = value.partition(".")
    if "file" in settings:
        if not value.isdigit():
            raise UsageError(f"--degrade blur with a file takes the places of kernels in it, 0, 1, …; got {value!r}")
    elif name not in CLASSES or not (number or "0").isdigit():
        raise UnknownNameError("kernel", value, CLASSES)
    return value


def _kernel(name: str, file: Path | None, seed: int) -> Parameters:
    if file is not None:
        return {"kernel": "file", "path": str(file), "index": int(name), "rim": None, "linear": False}
    kind, _, number = name.partition(".")
    return MotionBlur(classes=(kind,)).draw(generator(seed, "evaluate", "kernel", kind, int(number or 0)), (0, 0))


def _contents(text: str, file: Path, places: Sequence[str]) -> str:
    """SHA-256 of the kernels of a set, as they are used. Raises UsageError when it cannot be read or has no such place."""
    try:
        kernels = read_kernels(file)
    except LimpidError as fault:
        raise UsageError(f"--degrade {text}: {fault}") from fault
    beyond = next((place for place in places if int(place) >= len(kernels)), None)
    if beyond is not None:
        raise UsageError(f"--degrade {text}: there is no kernel {beyond}; {file} holds {len(kernels)}, counted from 0")
    digest = hashlib.sha256()
    for kernel in kernels:
        digest.update(f"{kernel.shape}".encode() + np.ascontiguousarray(kernel).tobytes())
    return digest.hexdigest()


def _middle(photo: Tensor, side: int) -> Tensor:
    cropped = centre_crop(side)(photo.permute(1, 2, 0).numpy())
    return torch.from_numpy(cropped).permute(2, 0, 1)
