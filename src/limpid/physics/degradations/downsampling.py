"""Loss of resolution: each pixel of the smaller photo is the mean of the area it covers."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from limpid.catalogue import Entry
from limpid.physics.degradation import Degraded, check_photo
from limpid.physics.formation import Parameters, check_range


@dataclass(frozen=True, kw_only=True)
class Downsampling:
    """Area averages by a ``factor``, then bicubic enlargement to the first size, unless ``small`` is asked for.

    ``factor``: range, 1 and up, drawn uniformly; the small sides are rounded, so a factor that does not divide them still
    averages exact areas. With ``small`` the image is left small and the target whole. Both are centred alike (no shift).
    Source: the area average of an ideal square pixel.
    """

    factor: tuple[float, float] = (1.0, 4.0)
    small: bool = False

    def __post_init__(self) -> None:
        check_range("downsampling.factor", self.factor, low=1.0)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw the factor and find the small size for a photo of ``size``."""
        factor = float(generator.uniform(*self.factor))
        return {"size": [max(1, round(side / factor)) for side in size], "small": self.small}

    def apply(self, image: Tensor, parameters: Parameters) -> Degraded:
        """Reduce a (3, H, W) photo, 0…1, encoded; raises ShapeError for another shape."""
        check_photo(image)
        height, width = image.shape[1:]
        rows, columns = parameters["size"]
        pixels = image.permute(1, 2, 0).contiguous().numpy()
        reduced = cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA)
        if not parameters["small"]:
            reduced = cv2.resize(reduced, (width, height), interpolation=cv2.INTER_CUBIC)
        coarse = torch.tensor(reduced).permute(2, 0, 1).contiguous()
        return Degraded(image=coarse, target=image, parameters=parameters)


ENTRY = Entry(build=Downsampling, source="area average of a square pixel, by OpenCV")
