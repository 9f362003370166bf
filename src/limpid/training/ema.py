"""Exponential moving average of a network's weights, which evaluates better than the weights themselves."""

from copy import deepcopy

import torch
from torch import Tensor, nn

from limpid.layers.network import LayerNetwork
from limpid.training.sharding import whole


class EMA:
    """w̄ ← k·w̄ + (1 − k)·w after every step n, with k = min(``decay``, (1 + n) / (10 + n)) so that the start is forgotten.

    Buffers are copied, frozen parameters shared with the network. ``decay`` 0: the network itself. ``apart``: always a copy of
    its own, which follows a network whole that is shared out among processes (``training.sharding``).
    Source: Polyak & Juditsky, SIAM J. Control Optim. 1992; the warm-up is TensorFlow's.
    """

    def __init__(self, network: LayerNetwork, decay: float, *, apart: bool = False) -> None:
        frozen = {id(parameter): parameter for parameter in network.parameters() if not parameter.requires_grad}
        self.decay = decay
        self.network: LayerNetwork = deepcopy(network, frozen) if decay or apart else network
        self._pairs = None if apart else self._matched(network)

    def _matched(self, network: nn.Module) -> tuple[list[Tensor], list[Tensor]]:
        pairs = [
            (mine, theirs)
            for mine, theirs in zip(self.network.parameters(), network.parameters(), strict=True)
            if theirs.requires_grad
        ]
        mine, theirs = zip(*pairs, strict=True)
        return list(mine), list(theirs)

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take in the weights that ``network`` has after ``step`` steps."""
        if self.network is network:
            return
        decay = min(self.decay, (1 + step) / (10 + step))
        if self._pairs is not None:
            torch._foreach_lerp_(*self._pairs, 1 - decay)
        else:  # one at a time, so that no more than one is whole beside the average
            for average, share in zip(*self._matched(network), strict=True):
                average.lerp_(whole(share), 1 - decay)
        for mine, theirs in zip(self.network.buffers(), network.buffers(), strict=True):
            mine.copy_(theirs)
