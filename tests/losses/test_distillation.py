"""Distillation: what is compared, what learns and what does not."""

import pytest
import torch
import torch.nn.functional as F

from limpid.errors import SettingError, ShapeError, UnknownNameError
from limpid.losses.feature_distillation import FeatureDistillation
from limpid.losses.pixel_distillation import pixel_distillation


def maps(**sizes):
    generator = torch.Generator().manual_seed(7)
    return {name: torch.rand(2, *size, generator=generator) for name, size in sizes.items()}


def fitted(widths):
    loss = FeatureDistillation()
    loss.fit(widths)
    return loss


def test_feature_distillation_is_the_mean_over_layers_of_squares_after_projection():
    torch.manual_seed(0)
    student, teacher = maps(block_0=(3, 4, 4), final=(5, 2, 2)), maps(block_0=(7, 4, 4), final=(5, 4, 4))
    loss = fitted({"block_0": (3, 7), "final": (5, 5)})
    weight = loss.state_dict()["projectors.block_0.weight"]
    projected = torch.einsum("oi,bihw->bohw", weight[:, :, 0, 0], teacher["block_0"])
    smaller = F.avg_pool2d(teacher["final"], 2)  # bilinear to half the size
    expected = (F.mse_loss(student["block_0"], projected) + F.mse_loss(student["final"], smaller)) / 2
    assert float(loss(student, teacher)) == pytest.approx(float(expected), rel=1e-5)
    assert {name: tuple(tensor.shape) for name, tensor in loss.state_dict().items()} == {"projectors.block_0.weight": (3, 7, 1, 1)}


def test_student_and_projector_learn_and_the_teacher_does_not():
    student = {name: layer.requires_grad_() for name, layer in maps(a=(3, 4, 4)).items()}
    teacher = {name: layer.requires_grad_() for name, layer in maps(a=(6, 4, 4)).items()}
    loss = fitted({"a": (3, 6)})
    loss(student, teacher).backward()
    assert float(student["a"].grad.abs().sum()) > 0
    assert float(loss.projectors["a"].weight.grad.abs().sum()) > 0
    assert teacher["a"].grad is None


def test_the_projector_starts_with_the_published_spread():
    torch.manual_seed(0)
    weight = fitted({"a": (384, 768)}).projectors["a"].weight
    assert float(weight.std()) == pytest.approx((2 / 1.04 / 768) ** 0.5, rel=0.01)  # Kaiming, slope 0.2, fan in


def test_feature_distillation_says_what_is_missing():
    with pytest.raises(SettingError, match="at least one layer"):
        fitted({})
    loss = fitted({"block_11": (3, 3)})
    with pytest.raises(UnknownNameError, match="map of the teacher named 'block_11'; did you mean 'block_1'"):
        loss(maps(block_11=(3, 2, 2)), maps(block_1=(3, 2, 2)))


def test_pixel_distillation_is_the_mean_over_common_layers():
    student = maps(transmission=(3, 4, 4), reflection=(3, 4, 4), residual=(3, 4, 4))
    teacher = {"transmission": student["transmission"] + 0.25, "reflection": student["reflection"] - 0.75}
    assert float(pixel_distillation(student, teacher)) == pytest.approx(0.5)
    with pytest.raises(ShapeError, match="no layer in common"):
        pixel_distillation(student, maps(albedo=(3, 4, 4)))
