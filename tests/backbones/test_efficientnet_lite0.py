"""EfficientNet-Lite0 against timm's, from a file in the layout of the package that its weights come from."""

import pytest
import torch

from limpid import catalogue
from limpid.backbones.efficientnet_lite0 import UNITS
from limpid.blocks._torchvision import mend

mend()
timm = pytest.importorskip("timm")


def published(network):
    """timm's tensors under the names of the published file, whose order is the same."""
    names = ["_conv_stem.weight", *norm("_bn0")]
    for place, plan in enumerate(UNITS):
        for part in ("expand", "depthwise", "project") if plan.expansion > 1 else ("depthwise", "project"):
            number = {"expand": 0, "depthwise": 1, "project": 2}[part]
            names += [f"_blocks.{place}._{part}_conv.weight", *norm(f"_blocks.{place}._bn{number}")]
    return dict(zip(names, network.state_dict().values(), strict=False))


def norm(name):
    return [f"{name}.{part}" for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")]


@pytest.mark.parametrize("size", [(64, 96), (96, 64)])
def test_its_taps_are_those_of_timm(tmp_path, size):
    torch.manual_seed(0)
    other = timm.create_model("tf_efficientnet_lite0", features_only=True, out_indices=(0, 1, 2, 3)).eval()
    for name, tensor in other.state_dict().items():
        if name.endswith(("running_mean", "bias")):
            tensor += 0.1 * torch.randn_like(tensor)
    torch.save(published(other), tmp_path / "efficientnet-lite0-57934424.pth")
    ours = catalogue.find("backbones", "efficientnet_lite0").build()
    ours.fill(tmp_path)
    photo = torch.rand(1, 3, *size)
    with torch.no_grad():
        theirs = other(2 * photo - 1)
        for mine, expected in zip(ours(photo).values(), theirs, strict=True):
            torch.testing.assert_close(mine, expected, atol=1e-4, rtol=1e-4)
