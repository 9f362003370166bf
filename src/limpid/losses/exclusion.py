"""Edges of the two layers must not fall on the same places."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from limpid.catalogue import LossEntry
from limpid.errors import SettingError, ShapeError
from limpid.layers.batch import Batch
from limpid.layers.separation import Separation
from limpid.losses._check import check_pair
from limpid.losses._kinds import SceneLoss

FormName = Literal["image", "dsrnet", "hypercolumn"]


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a published code adds up: means over each image or the whole batch, sum or mean over images, both directions or half."""

    per_image: bool = True
    sum_images: bool = False
    half: bool = True


FORMS: dict[FormName, Form] = {
    "image": Form(),  # Zhang et al. with a batch of one, whatever the batch
    "dsrnet": Form(per_image=False),
    "hypercolumn": Form(sum_images=True, half=False),  # PINTO0309's port: twice the others for one image
}


def exclusion(
    transmission: Tensor, reflection: Tensor, *, levels: int = 3, form: FormName = "image", epsilon: float = 1e-6
) -> Tensor:
    """1/(2N) · Σ over N levels and over x, y of (mean(a²·b²) + ε)^¼, a = tanh(∇T / 2), b = tanh(α·∇R / 2).

    α = 2·mean|∇T| / (mean|∇R| + ε), which carries gradient and is found anew for each direction and level. Two (B, C, H, W), any
    range, sides at least 2^N; each further level halves the images by means of 2×2. ``form``: means over each image, whose
    values are then averaged (``image``, the same for any batch size); means over the whole batch (``dsrnet``); or the images are
    added up and the factor ½ left out (``hypercolumn``). Returns a scalar; ε^¼ for constant images. Raises ShapeError.
    Source: Zhang, Ng & Chen, CVPR 2018, arXiv:1806.05376, with their code's sigmoid, 2·σ(x) − 1 = tanh(x / 2), which has no ε;
    ``dsrnet``: Hu & Guo, ICCV 2023 (its bilinear halving is the mean of 2×2); ``hypercolumn``: PINTO0309/reflection-removal.
    """
    check_pair(transmission, reflection)
    if min(transmission.shape[-2:]) < 2**levels:
        height, width = transmission.shape[-2:]
        raise ShapeError(f"exclusion over {levels} levels needs sides of {2**levels} pixels; got {height}×{width}: crop larger")
    rule, overlaps = FORMS[form], []
    for level in range(levels):
        if level:
            transmission, reflection = F.avg_pool2d(transmission, 2), F.avg_pool2d(reflection, 2)
        for dim in (-2, -1):
            overlaps.append(_overlap(transmission.diff(dim=dim), reflection.diff(dim=dim), rule.per_image, epsilon))
    images = torch.stack(overlaps).sum(0) / (2 * levels if rule.half else levels)  # (B,), or (1,) for the whole batch
    return images.sum() if rule.sum_images else images.mean()


class Exclusion(SceneLoss):
    """``exclusion`` of the first two layers of the task; needs no truth. Raises SettingError."""

    def __init__(self, *, levels: int = 3, form: FormName = "image", epsilon: float = 1e-6) -> None:
        super().__init__()
        if levels < 1 or epsilon <= 0 or form not in FORMS:
            raise SettingError(
                f"exclusion takes levels ≥ 1, epsilon > 0 and a form of {', '.join(FORMS)}; got {levels}, {epsilon}, {form!r}"
            )
        self.levels, self.form, self.epsilon = levels, form, epsilon

    def forward(self, layers: Separation, batch: Batch) -> Tensor:
        """Scalar loss of the layers of a scene; of the batch only the task is looked at."""
        first, second = (layers.layer(name) for name in batch.task.layers[:2])
        return exclusion(first, second, levels=self.levels, form=self.form, epsilon=self.epsilon)


def _overlap(first: Tensor, second: Tensor, per_image: bool, epsilon: float) -> Tensor:
    """One direction at one level, differences (B, C, h, w): (B,), or (1,) over the whole batch."""
    dims = (1, 2, 3) if per_image else (0, 1, 2, 3)
    scale = 2 * first.abs().mean(dims, keepdim=True) / (second.abs().mean(dims, keepdim=True) + epsilon)
    product = torch.tanh(first / 2).square() * torch.tanh(scale * second / 2).square()  # tanh(x / 2) = 2·sigmoid(x) − 1
    return (product.mean(dims) + epsilon).pow(0.25).reshape(-1)


ENTRY = LossEntry(build=Exclusion, takes="scene", source="Zhang, Ng & Chen, CVPR 2018, arXiv:1806.05376")
