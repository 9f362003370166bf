"""What a sensor adds: shot noise that grows with the light, and read noise that does not."""

from dataclasses import dataclass
from math import exp

import numpy as np
import torch
from torch import Tensor

from limpid.catalogue import Entry
from limpid.errors import SettingError
from limpid.layers.encoding import to_encoded, to_linear
from limpid.physics.degradation import Degraded, check_photo, new_seed
from limpid.physics.formation import Parameters, check_range
from limpid.physics.seeds import generator as seeded


@dataclass(frozen=True, kw_only=True)
class PoissonGaussian:
    """y = a·Poisson(x/a) + √b·n in linear light: variance a·x + b; encoded afterwards, not clipped.

    ``shot``: range of a, full scale per electron, drawn logarithm-uniformly; b follows from it: log b is normal with the mean
    ``slope``·log a + ``offset`` and the standard deviation ``scatter``, as between the ISO settings of one camera. Without
    ``linear`` the noise is added to the encoded values. Source: Brooks et al., CVPR 2019, arXiv:1811.11127, fitted to
    the Darmstadt noise data set.
    """

    shot: tuple[float, float] = (1e-4, 1.2e-2)
    slope: float = 2.18
    offset: float = 1.2
    scatter: float = 0.26
    linear: bool = True

    def __post_init__(self) -> None:
        check_range("poisson_gaussian.shot", self.shot, low=1e-9, high=1.0)
        if self.scatter < 0:
            raise SettingError(f"poisson_gaussian.scatter is a standard deviation, at least 0; got {self.scatter}")

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw both variances and the seed of the fields; the size of the photo plays no part."""
        shot = generator.uniform(*np.log(self.shot))
        read = generator.normal(self.slope * shot + self.offset, self.scatter)
        return {"shot": exp(shot), "read": exp(read), "linear": self.linear, "seed": new_seed(generator)}

    def apply(self, image: Tensor, parameters: Parameters) -> Degraded:
        """Add noise to a (3, H, W) photo, 0…1, encoded; raises ShapeError for another shape."""
        check_photo(image)
        light = (to_linear(image) if parameters["linear"] else image).clamp(min=0)
        draw = seeded(parameters["seed"], "noise")
        electrons = draw.poisson(light.double().numpy() / parameters["shot"])
        field = draw.standard_normal(tuple(image.shape), dtype=np.float32)
        noisy = torch.from_numpy(parameters["shot"] * electrons).to(image) + parameters["read"] ** 0.5 * torch.from_numpy(field)
        noisy = to_encoded(noisy) if parameters["linear"] else noisy
        return Degraded(image=noisy, target=image, parameters=parameters)


ENTRY = Entry(build=PoissonGaussian, source="Brooks et al., CVPR 2019, arXiv:1811.11127; Foi et al., TIP 2008")
