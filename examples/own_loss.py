"""A loss of your own in one file, and a training with it: ``python examples/own_loss.py [STEPS]``.

Recipes find it by name once a package declares it: ``[project.entry-points."limpid.losses"]`` with ``own_loss = "own_loss:ENTRY"``.
"""

import sys

import torch
from torch import Tensor, nn

import limpid
from limpid import catalogue
from limpid.catalogue import LossEntry
from limpid.data.collate import collate
from limpid.data.stream import Stream
from limpid.layers.task import TASKS
from limpid.losses._check import check_pair


class EdgeWeighted(nn.Module):
    """Mean of |x − y|·(1 + w·|∇y|): what is wrong along edges counts more; ``weight`` w, at least 0."""

    def __init__(self, *, weight: float = 5.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, estimate: Tensor, target: Tensor) -> Tensor:
        """Scalar loss of two (B, C, H, W) tensors."""
        check_pair(estimate, target)
        down, across = torch.gradient(target, dim=(2, 3))
        return ((estimate - target).abs() * (1 + self.weight * (down.abs() + across.abs()))).mean()


ENTRY = LossEntry(build=EdgeWeighted, takes="layer", source="the example own_loss.py")


def train(steps: int = 200) -> list[float]:
    """Teach a small network to take the noise out of dead leaves; the loss of every step."""
    torch.manual_seed(0)
    noise = catalogue.find("degradations", "gaussian_noise").build(sigma=(25.0, 25.0))
    leaves = catalogue.find("sources", "leaves").build(degradations=[noise], size=(48, 48))
    stream = Stream([(leaves, 1.0)], epochs=1, seed=0, length=8 * steps)
    network, loss = limpid.create_model("stacked", "tiny", width=16), ENTRY.build()
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3)
    values = []
    for step in range(steps):
        batch = collate([stream[8 * step + place] for place in range(8)], TASKS["denoise"])
        value = loss(network(batch.input).restored, batch.truth["restored"])
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        values.append(value.item())
    return values


if __name__ == "__main__":
    values = train(*map(int, sys.argv[1:2]))
    print(f"loss {values[0]:.4f} at first, {values[-1]:.4f} after {len(values)} steps")
