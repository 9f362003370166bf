"""A student's maps must resemble those of its teacher, seen through a learnt change of channels."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.blocks.weight_init import kaiming_normal
from limpid.catalogue import LossEntry
from limpid.errors import SettingError, UnknownNameError


def feature_distillation(student: Mapping[str, Tensor], teacher: Mapping[str, Tensor]) -> Tensor:
    """Mean over layers of mean((f − g)²), f the student's map and g the teacher's; the layers are those of ``teacher``.

    Layer → (B, C, h, w), with the same C on both sides; a teacher's map of another size is resized bilinearly. Returns a scalar.
    Source: PINTO0309/reflection-removal, after Romero et al., ICLR 2015, arXiv:1412.6550.
    """
    return torch.stack([F.mse_loss(student[layer], _fit(wanted, student[layer])) for layer, wanted in teacher.items()]).mean()


class FeatureDistillation(nn.Module):
    """``feature_distillation`` with a trainable projector per layer: 1×1 convolution without bias, none where widths are equal.

    ``fit`` makes them, once the widths of both are known. The student's maps must depend on what it trains: from its frozen
    backbone, as in the published code, nothing but the projectors would learn. Raises UnknownNameError for a map that is missing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers: tuple[str, ...] = ()
        self.projectors = nn.ModuleDict()

    def fit(self, widths: Mapping[str, tuple[int, int]]) -> None:
        """Make projectors for layer → (channels of the student, channels of the teacher); raises SettingError without a layer."""
        if not widths:
            raise SettingError("feature distillation needs at least one layer that student and teacher share; got no widths")
        self.layers = tuple(widths)
        self.projectors = nn.ModuleDict(
            {_key(layer): nn.Conv2d(theirs, ours, 1, bias=False) for layer, (ours, theirs) in widths.items() if ours != theirs}
        )
        for weight in self.projectors.parameters():
            kaiming_normal(weight, slope=0.2)

    def forward(self, student: Mapping[str, Tensor], teacher: Mapping[str, Tensor]) -> Tensor:
        """Scalar loss of the maps of both; nothing flows back to the teacher."""
        for layer in self.layers:
            for maps, whose in ((student, "student"), (teacher, "teacher")):
                if layer not in maps:
                    raise UnknownNameError(f"map of the {whose}", layer, maps)
        return feature_distillation(student, {layer: self._projected(layer, teacher[layer]) for layer in self.layers})

    def _projected(self, layer: str, features: Tensor) -> Tensor:
        key, features = _key(layer), features.detach()
        projected: Tensor = self.projectors[key](features) if key in self.projectors else features
        return projected


def _key(layer: str) -> str:
    """Name of a projector: modules of modules have dots in their names, which PyTorch keeps for itself."""
    return layer.replace(".", "_")


def _fit(features: Tensor, like: Tensor) -> Tensor:
    if features.shape[-2:] == like.shape[-2:]:
        return features
    return F.interpolate(features, size=like.shape[-2:], mode="bilinear", align_corners=False)


ENTRY = LossEntry(
    build=FeatureDistillation,
    takes="teacher",
    source="Romero et al., ICLR 2015, arXiv:1412.6550; PINTO0309/reflection-removal (MIT)",
)
