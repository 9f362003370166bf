"""Whether a photo shows a reflection at all: the probability, from pooled features of a backbone and what a network changed."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_HIDDEN = 48
_WINDOW = 31
"""Side in pixels of the squares over which a change is averaged before the largest one is taken, odd."""

_FLOOR = 1e-4
_STEPS = (4 / 255, 16 / 255, 48 / 255)
_CHANGES = 5 + len(_STEPS)


def pooled(maps: Sequence[Tensor]) -> Tensor:
    """Mean and standard deviation over places of every map (B, Cᵢ, Hᵢ, Wᵢ) → (B, 2·ΣCᵢ)."""
    statistics = [statistic for values in maps for statistic in (values.mean((2, 3)), values.std((2, 3)))]
    return torch.cat(statistics, dim=1)


def change_statistics(photo: Tensor, transmission: Tensor, reflection: Tensor) -> Tensor:
    """How much and how unevenly a network changed a photo; (B, 3, H, W) each → (B, 8), amounts as decimal logarithms."""
    taken = photo - transmission.clamp(0, 1)
    signed, change = taken.mean(1, keepdim=True), taken.abs().mean(1, keepdim=True)
    window = min(_WINDOW, *(side - 1 + side % 2 for side in change.shape[-2:]))
    local = F.avg_pool2d(change, window, stride=max(1, window // 2))
    amounts = (change.mean((1, 2, 3)), change.std((1, 2, 3)), local.amax((1, 2, 3)), reflection.abs().mean((1, 2, 3)))
    shares = [(change > step).float().mean((1, 2, 3)) for step in _STEPS]
    return torch.stack([*((amount + _FLOOR).log10() for amount in amounts), signed.mean((1, 2, 3)), *shares], dim=1)


class PresenceGate(nn.Module):
    """A small network on ``pooled`` maps and ``change_statistics`` → the logit (B,) of "there is a reflection in this photo".

    ``channels``: those of the maps. Linear probes on such features tell photos through glass from others (Alain & Bengio, ICLR 2017
    workshop, arXiv:1610.01644); one hidden layer and the network's own change make a gate of it. Inputs are standardised with
    running statistics, as in batch norm, and half of the hidden units are dropped in training.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        width = 2 * sum(channels) + _CHANGES
        self.norm = nn.BatchNorm1d(width, affine=False)
        self.hidden = nn.Linear(width, _HIDDEN)
        self.drop = nn.Dropout(0.5)
        self.answer = nn.Linear(_HIDDEN, 1)

    def forward(self, maps: Sequence[Tensor], photo: Tensor, transmission: Tensor, reflection: Tensor) -> Tensor:
        """Maps (B, Cᵢ, Hᵢ, Wᵢ) and (B, 3, H, W) three times → (B,). Nothing flows back into the layers."""
        known = torch.cat([pooled(maps), change_statistics(photo, transmission, reflection)], dim=1).detach()
        norm, many = self.norm, self.training and len(known) > 1  # one photo has no statistics of its own
        standard = F.batch_norm(known, norm.running_mean, norm.running_var, training=many, eps=norm.eps)
        logit: Tensor = self.answer(self.drop(F.relu(self.hidden(standard))))
        return logit[:, 0]
