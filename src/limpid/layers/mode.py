"""States that a network is in for a while, and left as it was found."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from limpid.layers.network import LayerNetwork


@contextmanager
def answering(network: LayerNetwork, residue: bool) -> Iterator[None]:
    """Compute a learnt residual only where it is wanted while the block runs."""
    before, network.answers_residual = network.answers_residual, residue
    try:
        yield
    finally:
        network.answers_residual = before


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode while the block runs; afterwards every module is in the mode that it was in."""
    training = [module for module in network.modules() if module.training]
    network.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True
