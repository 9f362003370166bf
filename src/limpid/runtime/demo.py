"""A mixture of two of scikit-image's photographs, its separation, and a sheet that shows both."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from skimage.data import astronaut, coffee
from torch import Tensor

from limpid import catalogue
from limpid.image.photo import quantise
from limpid.image.write import write
from limpid.metrics.psnr import psnr
from limpid.physics.formation import Mixture
from limpid.physics.seeds import generator
from limpid.runtime.load import load

_SIDE = 384
_CAPTION = 24  # pixels above each picture
_SEED = 4


@dataclass(frozen=True, kw_only=True)
class Shown:
    """Band-wise PSNR of input and transmission to the truth, dB, and the model's name."""

    before: float
    after: float
    model: str


def show(output: Path, model: str = "default") -> Shown:
    """Write the sheet ``output`` (input, transmission, reflection, truth) and return the scores."""
    separator = load(model)
    mixture = blend()
    layers = separator(mixture.input)
    sheet = compose(
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
    table, visitor = _square(coffee()), _square(astronaut())  # type: ignore[no-untyped-call]
    formation = catalogue.find("mixtures", "glass").build(brightness=(4.0, 9.0), defocus=(1.0, 3.0), uneven=1.0)
    parameters = formation.draw(generator(_SEED, "demo"), (_SIDE, _SIDE))
    mixture: Mixture = formation.apply(table, visitor, parameters)
    return mixture


def compose(pictures: dict[str, Tensor]) -> Tensor:
    """Pictures side by side under their names, as one (3, H, W) image."""
    width = sum(picture.shape[-1] for picture in pictures.values())
    height = next(iter(pictures.values())).shape[-2]
    sheet = Image.new("RGB", (width, height + _CAPTION), "white")
    pen, left = ImageDraw.Draw(sheet), 0
    for name, picture in pictures.items():
        sheet.paste(Image.fromarray(quantise(picture, np.uint8)), (left, _CAPTION))
        pen.text((left + 6, 5), name, fill="black", font_size=14)
        left += picture.shape[-1]
    return torch.from_numpy(np.asarray(sheet).copy()).permute(2, 0, 1).float() / 255


def _square(photo: np.ndarray) -> Tensor:
    """The central square of an (H, W, 3) uint8 photo as (3, 384, 384), 0…1."""
    side = min(photo.shape[:2])
    top, left = (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2
    square = Image.fromarray(photo[top : top + side, left : left + side]).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.asarray(square).copy()).permute(2, 0, 1).float() / 255
