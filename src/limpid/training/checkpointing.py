"""Less memory for more time: blocks whose activations are computed again in the backward pass (Chen et al., arXiv:1604.06174)."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from limpid.backbones._backbone import Backbone
from limpid.errors import UsageError

_LISTS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


def checkpoint_blocks(network: nn.Module) -> int:
    """Let the blocks of a network forget their activations in training; returns how many there are.

    A block is the outermost module within a list or sequence that holds others and something that learns. Those with batch norms,
    whose running means would see each photo twice, stay as they are. Numbers are those of training without. Raises UsageError for
    a network without such blocks.
    """
    found = list(_blocks(network))
    if not found:
        raise UsageError(f"train.checkpointing: {type(network).__name__.lower()} has no blocks to compute again; leave it out")
    for block in found:
        block.forward = _recomputed(block.forward)
    return len(found)


def _blocks(network: nn.Module, *, listed: bool = False) -> Iterator[nn.Module]:
    for module in network.children():
        if isinstance(module, Backbone):
            continue
        if listed and _is_block(module):
            yield module
        else:
            yield from _blocks(module, listed=isinstance(module, _LISTS))


def _is_block(module: nn.Module) -> bool:
    normed = any(isinstance(inner, nn.modules.batchnorm._BatchNorm) for inner in module.modules())
    learns = any(parameter.requires_grad for parameter in module.parameters())
    return any(True for _ in module.children()) and learns and not normed and not isinstance(module, nn.ModuleList | nn.ModuleDict)


def _recomputed(forward: Callable[..., Any]) -> Callable[..., Any]:
    def forward_again(*given: Any, **named: Any) -> Any:
        if not torch.is_grad_enabled():
            return forward(*given, **named)
        return checkpoint(forward, *given, use_reentrant=False, **named)

    return forward_again
