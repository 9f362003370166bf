"""The smallest network of two layers, batches and terms for tests of objectives, procedures and steps."""

import torch
from torch import nn

from limpid import catalogue
from limpid.layers.batch import Batch
from limpid.layers.network import LayerNetwork
from limpid.layers.separation import Separation
from limpid.layers.task import TASKS
from limpid.training.objective import Objective, Term
from limpid.training.procedure import FabricModule


class Scaled(LayerNetwork):
    """T = a·I, R = b·I: the smallest network with two layers."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Parameter(torch.tensor(0.5)), nn.Parameter(torch.tensor(0.25))

    def separate(self, mixed, recall=None):
        return Separation({"transmission": self.a * mixed, "reflection": self.b * mixed})


def batch(kinds=("synthetic",), known=None, *, side=32, seed=0):
    draw = torch.Generator().manual_seed(seed)
    count = len(kinds)
    photo, behind, mirrored = (torch.rand(count, 3, side, side, generator=draw) for _ in range(3))
    certain = torch.ones(count, dtype=torch.bool)
    return Batch(
        task=TASKS["reflection"],
        input=photo,
        truth={"transmission": behind, "reflection": mirrored},
        known={"transmission": certain, "reflection": certain if known is None else torch.tensor(known)},
        kinds=kinds,
        gain=torch.ones(count),
        names=("",) * count,
    )


def term(name, weight=1.0, *, layers=None, kinds=("synthetic", "aligned"), label=None, steps=(), **settings):
    entry = catalogue.find("losses", name)
    at = weight if callable(weight) else lambda epoch: weight
    layers = layers or ({"transmission": 1.0} if entry.takes == "layer" else {})
    return Term(
        loss=entry.build(**settings), takes=entry.takes, label=label or name, weight=at, layers=layers, kinds=kinds, steps=steps
    )


def procedure(name, terms, network=None, **settings):
    torch.manual_seed(0)
    module = FabricModule(network or Scaled())
    return catalogue.find("procedures", name).build(network=module, objective=Objective(terms), **settings)
