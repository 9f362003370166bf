"""Random starts of weights that cost nothing where there are no numbers to fill."""

from typing import Literal

from torch import Tensor, nn


def kaiming_normal(weight: Tensor, *, slope: float = 0.0, mode: Literal["fan_in", "fan_out"] = "fan_in") -> None:
    """Fill a weight with normal deviates that keep the variance through a (leaky) ReLU of ``slope``, in place.

    On the meta device nothing is done: asking for it would load PyTorch's reference operators, which takes over a second.
    Source: He et al., ICCV 2015, arXiv:1502.01852.
    """
    if not weight.is_meta:
        nn.init.kaiming_normal_(weight, a=slope, mode=mode, nonlinearity="leaky_relu")
