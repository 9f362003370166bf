"""Folding norms changes nothing but the number of layers."""

import torch
from torch import nn

from limpid import create_model
from limpid.blocks.fuse_norms import fold_norms


def fill_norms(network):
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.2)


def test_folded_norms_give_the_same_maps():
    torch.manual_seed(0)
    backbone = create_model("hypercolumn", "tiny").backbone.double()
    fill_norms(backbone)
    photo = torch.rand(1, 3, 64, 96, dtype=torch.float64)
    before = backbone(photo)
    norms = sum(isinstance(module, nn.BatchNorm2d) for module in backbone.modules())
    assert fold_norms(backbone) == norms > 0
    assert not any(isinstance(module, nn.BatchNorm2d) for module in backbone.modules())
    after = backbone(photo)
    for tap, features in before.items():
        assert float((after[tap] - features).abs().max()) < 1e-9 * float(features.abs().max())
    assert not any(parameter.requires_grad for parameter in backbone.parameters())


def test_folding_keeps_the_layers_in_float32():
    torch.manual_seed(0)
    network = create_model("hypercolumn", "tiny").eval()
    fill_norms(network)
    photo = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        before = network(photo)
        assert fold_norms(network) == 42
        after = network(photo)
    for layer in before:
        assert float((after[layer] - before[layer]).abs().max()) < 1e-5 * float(before[layer].abs().max())


def test_norms_that_follow_nothing_or_need_the_photo_stay():
    for name in ("dsrnet", "nafnet", "usi3d", "errnet"):
        network = create_model(name, "tiny")
        keys = list(network.state_dict())
        assert fold_norms(network) == 0
        assert list(network.state_dict()) == keys
