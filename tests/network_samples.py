"""The smallest networks of the catalogue, with no branch asleep."""

import torch

from limpid import create_model


def tiny(name, **parts):
    torch.manual_seed(0)
    network = create_model(name, "tiny", **parts)
    for parameter in network.parameters():  # scales that start at 0 would hide whole branches
        if parameter.requires_grad:  # frozen backbones keep their scale
            parameter.data += 0.05 * torch.randn_like(parameter)
    return network
