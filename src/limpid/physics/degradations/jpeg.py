"""JPEG compression and back, in memory."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import torch
from torch import Tensor

from limpid.catalogue import Entry
from limpid.physics.degradation import Degraded, check_photo
from limpid.physics.formation import Parameters, check_range

_SAMPLING = {
    "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
}


@dataclass(frozen=True, kw_only=True)
class Jpeg:
    """Clipped and rounded to 8 bits, compressed, decompressed.

    ``quality``: range of libjpeg's quality, both ends included, whole numbers 1…100 drawn evenly; ``sampling``: of the
    chroma. The bytes depend on the version of libjpeg. Source: ITU-T T.81, baseline, by OpenCV.
    """

    quality: tuple[int, int] = (30, 95)
    sampling: Literal["4:4:4", "4:2:2", "4:2:0"] = "4:2:0"

    def __post_init__(self) -> None:
        check_range("jpeg.quality", self.quality, low=1, high=100)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw the quality; the size of the photo plays no part."""
        return {"quality": int(generator.integers(self.quality[0], self.quality[1] + 1)), "sampling": self.sampling}

    def apply(self, image: Tensor, parameters: Parameters) -> Degraded:
        """Compress a (3, H, W) photo, 0…1, encoded; raises ShapeError for another shape."""
        check_photo(image)
        pixels = image.clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).numpy()
        settings = [cv2.IMWRITE_JPEG_QUALITY, parameters["quality"]]
        settings += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, _SAMPLING[parameters["sampling"]]]
        _, stream = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), settings)
        decoded = cv2.imdecode(stream, cv2.IMREAD_COLOR_RGB)
        compressed = torch.from_numpy(decoded).permute(2, 0, 1).to(image).div(255).contiguous()
        return Degraded(image=compressed, target=image, parameters=parameters)


ENTRY = Entry(build=Jpeg, source="ITU-T T.81 by OpenCV's libjpeg")
