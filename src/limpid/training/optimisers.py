"""Optimisers of recipes, built so that what a recipe says is what happens: a weight decay that is really applied, and to what."""

from collections.abc import Collection, Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from limpid.layers.network import LayerNetwork
from limpid.recipe.models import Optimiser, Sgd


def exempt_from_decay(network: nn.Module) -> tuple[str, ...]:
    """Parts of the names of parameters that a network wants weight decay to leave alone; none of a discriminator's."""
    return network.no_weight_decay if isinstance(network, LayerNetwork) else ()


def build(options: Optimiser, named: Iterable[tuple[str, nn.Parameter]], *, exempt: Collection[str] = ()) -> Optimizer:
    """Adam, AdamW or SGD over the parameters that are trained.

    ``decay`` acts on matrices and kernels; vectors (biases, norms, scales) and parameters with a part of ``exempt`` in their name
    are left alone, as is usual (Loshchilov & Hutter, ICLR 2019, arXiv:1711.05101).
    """
    trained = [(name, parameter) for name, parameter in named if parameter.requires_grad]
    if isinstance(options, Sgd):
        return torch.optim.SGD(_groups(trained, options.decay, exempt), lr=_first(options), momentum=options.momentum)
    kind = torch.optim.AdamW if options.name == "adamw" else torch.optim.Adam
    fused = all(parameter.is_cuda for _, parameter in trained)  # hundreds of small tensors in one kernel
    return kind(_groups(trained, options.decay, exempt), lr=_first(options), betas=options.betas, fused=fused or None)


def _first(options: Optimiser) -> float:
    return options.rate_at(0)


def _groups(trained: list[tuple[str, nn.Parameter]], decay: float, exempt: Collection[str]) -> list[dict[str, Any]]:
    decayed = [parameter for name, parameter in trained if _decays(name, parameter, exempt)]
    spared = [parameter for name, parameter in trained if not _decays(name, parameter, exempt)]
    groups = [{"params": decayed, "weight_decay": decay}, {"params": spared, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]


def _decays(name: str, parameter: nn.Parameter, exempt: Collection[str]) -> bool:
    extended = sum(side > 1 for side in parameter.shape) > 1
    return extended and not any(part in exempt for part in name.split("."))
