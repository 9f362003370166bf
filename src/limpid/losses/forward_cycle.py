"""Layers must compose the photo that they come from, by the law of the task."""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from limpid.catalogue import LossEntry
from limpid.errors import SettingError
from limpid.layers.batch import Batch
from limpid.layers.encoding import to_linear
from limpid.layers.task import Task
from limpid.layers.unpaired import Translation
from limpid.losses._kinds import UnpairedLoss

SATURATED = 0.99
"""Values of a photo from here on say only that there was at least so much light."""

FLOOR = 1e-3
"""Least linear light that the logarithm is taken of."""


def forward_cycle(
    photo: Tensor, layers: Mapping[str, Tensor], task: Task, *, log: bool = False, saturated: float | None = SATURATED
) -> Tensor:
    """Mean of |what the layers compose − I| where I is below ``saturated`` (None: everywhere); (B, 3, H, W) each. Returns a scalar.

    ``log``: |Σ log l − log I| of layers whose linear light is multiplied, floored at 1e-3, the paper's second form [P]. Masking
    is a choice of ours [X]. Raises SettingError for a logarithm of layers that add up, or a task without a law.
    """
    if log:
        if task.law is None or not task.exact:
            raise SettingError(f"the layers of the task {task.name} are not multiplied; leave `blend: log` out")
        light = [to_linear(layers[name]).clamp_min(FLOOR).log() for name in task.layers]
        error = (torch.stack(light).sum(0) - to_linear(photo).clamp_min(FLOOR).log()).abs()
    else:
        error = (task.compose(layers) - photo).abs()
    if saturated is None:
        return error.mean()
    return (error * (photo < saturated)).mean()


class ForwardCycle(UnpairedLoss):
    """``forward_cycle`` summed over all sets of layers of a photo; ``blend``: by the task's ``law``, or ``log``.

    ``saturated``: see ``forward_cycle``.
    """

    def __init__(self, *, blend: Literal["law", "log"] = "law", saturated: float | None = SATURATED) -> None:
        super().__init__()
        self.log, self.saturated = blend == "log", saturated

    def forward(self, translation: Translation, batch: Batch) -> Tensor:
        """Scalar loss of the photos and their layers."""
        made = translation.compositions
        values = [forward_cycle(batch.input, layers, batch.task, log=self.log, saturated=self.saturated) for layers in made]
        return torch.stack(values).sum()


ENTRY = LossEntry(build=ForwardCycle, takes="unpaired", source="Liu & Lu, AAAI 2020; Zhu et al., ICCV 2017 (CycleGAN)")
