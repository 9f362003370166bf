"""Learning rates as functions of step and epoch, so that a resumed run needs no memory of them (``plateau`` apart)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi


def cosine(step: int, total: int, *, warmup: int, floor: float) -> float:
    """Factor on the rate: linear up over ``warmup`` steps, then half a cosine down to ``floor`` at step ``total``.

    Source: Loshchilov & Hutter, ICLR 2017, arXiv:1608.03983, without restarts.
    """
    if step < warmup:
        return (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, total - warmup))
    return floor + (1 - floor) * 0.5 * (1 + cos(pi * progress))


def oscillating(step: int, *, half_period: int, floor: float) -> float:
    """Factor on the rate: down to ``floor`` in ``half_period`` steps and up again in as many, for ever.

    Source: mamba-reflection's code, which steps PyTorch's annealing (T_max 300) once per iteration.
    """
    return floor + (1 - floor) * 0.5 * (1 + cos(pi * step / half_period))


def steps_down(epoch: int, *, every: int | None, at: Sequence[int], factor: float) -> float:
    """Factor on the rate: ``factor`` once more after every ``every`` epochs, and from each epoch in ``at`` on.

    Source: PyTorch's StepLR and MultiStepLR; IBCLN's ``--lr_policy step``.
    """
    falls = (epoch // every if every else 0) + sum(epoch >= start for start in at)
    return factor**falls


def linear(step: int, total: int, *, warmup: int, steady: int, floor: float) -> float:
    """Factor on the rate: linear up over ``warmup`` steps, full until step ``steady``, linear down to ``floor`` at step ``total``.

    Source: Isola et al., CVPR 2017 (``--niter`` and ``--niter_decay``), there in steps of an epoch.
    """
    if step < warmup:
        return (step + 1) / warmup
    begin = max(warmup, steady)
    progress = min(1.0, max(0, step - begin) / max(1, total - begin))
    return 1 - (1 - floor) * progress


def restarting(step: int, *, period: int, growth: int, floor: float) -> float:
    """Factor on the rate: half a cosine down to ``floor`` over ``period`` steps, then from the top again, ``growth`` times as long.

    Source: Loshchilov & Hutter, ICLR 2017, arXiv:1608.03983.
    """
    while step >= period:
        step, period = step - period, period * growth
    return floor + (1 - floor) * 0.5 * (1 + cos(pi * step / period))


@dataclass
class Plateau:
    """Factor on the rate that falls by ``factor`` when the score has not risen for more than ``patience`` epochs.

    ``best``, ``waited``, ``value``: where it stands; they are part of a checkpoint. Source: PyTorch's ReduceLROnPlateau
    (mode of a score that rises), as the dead-leaves study uses it.
    """

    factor: float
    patience: int
    best: float = -float("inf")
    waited: int = 0
    value: float = 1.0

    def after(self, score: float) -> None:
        """Take note of the score of an epoch."""
        if score > self.best:
            self.best, self.waited = score, 0
            return
        self.waited += 1
        if self.waited > self.patience:
            self.value, self.waited = self.value * self.factor, 0
