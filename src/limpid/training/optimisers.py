"""Optimisers of recipes, built so that what a recipe says is what happens: a weight decay that is really applied, and to what."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from limpid.errors import UsageError
from limpid.layers.network import LayerNetwork
from limpid.recipe.models import Optimiser, Sgd
from limpid.training.sharding import is_share


def exempt_from_decay(network: nn.Module) -> tuple[str, ...]:
    """Parts of the names of parameters that a network wants weight decay to leave alone; none of a discriminator's."""
    return network.no_weight_decay if isinstance(network, LayerNetwork) else ()


def build(options: Optimiser, named: Iterable[tuple[str, nn.Parameter]], *, exempt: Collection[str] = ()) -> Optimizer:
    """Adam, AdamW or SGD over the parameters that are trained.

    ``decay`` acts on matrices and kernels; vectors (biases, norms, scales) and parameters with a part of ``exempt`` in their name
    are left alone, as is usual (Loshchilov & Hutter, ICLR 2019, arXiv:1711.05101). Each group of parameters has the ``factor`` on
    the rate that ``options.parts`` gives it. Raises UsageError for a part that holds nothing that learns.
    """
    trained = [(name, parameter) for name, parameter in named if parameter.requires_grad]
    if isinstance(options, Sgd):
        return torch.optim.SGD(_groups(trained, options, exempt), lr=_first(options), momentum=options.momentum)
    kind = torch.optim.AdamW if options.name == "adamw" else torch.optim.Adam
    mixed = len({is_share(parameter) for _, parameter in trained}) > 1  # which the fused one does not take
    fused = not mixed and all(parameter.is_cuda for _, parameter in trained)  # hundreds of small tensors in one kernel
    groups = _groups(trained, options, exempt)
    return kind(groups, lr=_first(options), betas=options.betas, fused=fused or None)


def _first(options: Optimiser) -> float:
    return options.rate_at(0)


def _groups(trained: list[tuple[str, nn.Parameter]], options: Optimiser, exempt: Collection[str]) -> list[dict[str, Any]]:
    """One group for each factor on the rate and each weight decay, in the order in which they turn up."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in trained:
        decay = options.decay if _decays(name, parameter, exempt) else 0.0
        groups.setdefault((_factor(name, options.parts), decay), []).append(parameter)
    for part in options.parts:
        if not any(_within(name, part) for name, _ in trained):
            parts = dict.fromkeys(name.split(".")[0] for name, _ in trained)
            raise UsageError(f"optimiser.parts names {part!r}, which holds nothing that learns; what does: {', '.join(parts)}")
    ordered = sorted(groups.items(), key=lambda item: (-item[0][0], -item[0][1]))
    return [{"params": found, "weight_decay": decay, "factor": factor} for (factor, decay), found in ordered]


def _factor(name: str, parts: Mapping[str, float]) -> float:
    """That of the longest part that holds a parameter; 1 outside of all."""
    found = [part for part in parts if _within(name, part)]
    return parts[max(found, key=len)] if found else 1.0


def _within(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}.")


def _decays(name: str, parameter: nn.Parameter, exempt: Collection[str]) -> bool:
    extended = sum(side > 1 for side in parameter.shape) > 1
    return extended and not any(part in exempt for part in name.split("."))
