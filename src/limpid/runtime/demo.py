"""A mixture of two of scikit-image's photographs, its separation, and a sheet that shows both."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage.data import astronaut, coffee
from torch import Tensor

from limpid import catalogue
from limpid.image.contact_sheet import side_by_side
from limpid.image.write import write
from limpid.metrics.psnr import psnr
from limpid.physics.formation import Mixture
from limpid.physics.seeds import generator
from limpid.runtime.load import load

_SIDE = 384
_SEED = 4


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Band-wise PSNR of input and transmission to the truth, dB, and the model's name."""

    before: float
    after: float
    model: str


def show(output: Path, model: str = "default", *, offline: bool = False) -> Shown:
    """Write the sheet ``output`` (input, transmission, reflection, truth) and return the scores; raises what ``load`` raises."""
    separator = load(model, offline=offline)
    mixture = blend()
    layers = separator(mixture.input)
    sheet = side_by_side(
        {
            "input": mixture.input,
            "transmission": layers["transmission"],
            "reflection": layers["reflection"],
            "truth": mixture.transmission,
        }
    )
    write(sheet, output, overwrite=True)
    return Shown(
        before=psnr(mixture.input, mixture.transmission),
        after=psnr(layers["transmission"], mixture.transmission),
        model=separator.name,
    )


def blend() -> Mixture:
    """A coffee table (CC0) behind a pane that mirrors an astronaut (NASA, public domain); 384×384, the same at every call."""
    table, visitor = square(coffee(), _SIDE), square(astronaut(), _SIDE)
    formation = catalogue.find("mixtures", "glass").build(brightness=(4.0, 9.0), defocus=(1.0, 3.0), uneven=1.0)
    parameters = formation.draw(generator(_SEED, "demo"), (_SIDE, _SIDE))
    mixture: Mixture = formation.apply(table, visitor, parameters)
    return mixture


def square(photo: np.ndarray, side: int) -> Tensor:
    """The central square of an (H, W, 3) uint8 photo as (3, side, side), 0…1."""
    least = min(photo.shape[:2])
    top, left = (photo.shape[0] - least) // 2, (photo.shape[1] - least) // 2
    cropped = Image.fromarray(photo[top : top + least, left : left + least])
    resized = cropped.resize((side, side), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.asarray(resized).copy()).permute(2, 0, 1).float() / 255
