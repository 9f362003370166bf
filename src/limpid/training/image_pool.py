"""Made images of past steps, so that a discriminator does not forget what it has learnt to see (Shrivastava et al., CVPR 2017)."""

from typing import Any

import torch
from torch import Tensor, nn

from limpid.errors import SettingError


class ImagePool(nn.Module):
    """The last ``size`` images, more or less: each new one is shown, or, half of the time, an old one that it replaces.

    50 is CycleGAN's; SILS has such a pool [C], of unknown size; 0 keeps none. Its images are part of the state of a run. Raises
    SettingError for a size below 0.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        if size < 0:
            raise SettingError(f"a pool holds 0 or more images; got {size}")
        self.size = size
        self.images: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W), detached → the same shape; draws by torch's own generator."""
        if not self.size:
            return images
        return torch.stack([self._shown(image) for image in images])

    def _shown(self, image: Tensor) -> Tensor:
        if len(self.images) < self.size:
            self.images.append(image.clone())
            return image
        if torch.rand(()) < 0.5:
            return image
        place = int(torch.randint(self.size, ()))
        shown, self.images[place] = self.images[place].to(image.device), image.clone()
        return shown

    def get_extra_state(self) -> Any:
        """The images by their place, for the state of a run."""
        return {str(place): image for place, image in enumerate(self.images)}

    def set_extra_state(self, state: Any) -> None:
        """Hold the images of a saved run."""
        self.images = list(state.values())
