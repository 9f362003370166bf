"""A student's layers must resemble those of its teacher."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from limpid.catalogue import LossEntry
from limpid.errors import ShapeError
from limpid.losses.l1 import l1


def pixel_distillation(student: Mapping[str, Tensor], teacher: Mapping[str, Tensor]) -> Tensor:
    """Mean over the layers common to both of mean|x − y|; layer → (B, 3, H, W). Returns a scalar.

    Nothing flows back to the teacher. Raises ShapeError when no layer is common or sizes differ.
    Source: PINTO0309/reflection-removal, after Hinton et al., 2015.
    """
    common = [layer for layer in student if layer in teacher]
    if not common:
        raise ShapeError(
            f"student ({', '.join(student)}) and teacher ({', '.join(teacher)}) have no layer in common; nothing to compare"
        )
    return torch.stack([l1(student[layer], teacher[layer].detach()) for layer in common]).mean()


class PixelDistillation(nn.Module):
    """``pixel_distillation`` as a module."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, student: Mapping[str, Tensor], teacher: Mapping[str, Tensor]) -> Tensor:
        """Scalar loss of the layers of both."""
        return pixel_distillation(student, teacher)


ENTRY = LossEntry(
    build=PixelDistillation, takes="teacher", source="Hinton et al., 2015, arXiv:1503.02531; PINTO0309/reflection-removal (MIT)"
)
