"""Random starts of weights that cost nothing where there are no numbers to fill."""

from collections.abc import Callable, Mapping
from typing import Literal

from torch import Tensor, nn

InitType = Literal["default", "normal", "xavier", "kaiming", "orthogonal"]


def kaiming_normal(weight: Tensor, *, slope: float = 0.0, mode: Literal["fan_in", "fan_out"] = "fan_in") -> None:
    """Fill a weight with normal deviates that keep the variance through a (leaky) ReLU of ``slope``, in place.

    On the meta device nothing is done: asking for it would load PyTorch's reference operators, which takes over a second.
    Source: He et al., ICCV 2015, arXiv:1502.01852.
    """
    if not weight.is_meta:
        nn.init.kaiming_normal_(weight, a=slope, mode=mode, nonlinearity="leaky_relu")


def fill(network: nn.Module, kind: InitType, gain: float) -> None:
    """Draw the trained weights of all convolutions and matrices anew; their biases become 0, norms of batches N(1, ``gain``) and 0.

    ``normal``: N(0, ``gain``); ``xavier``, ``orthogonal``: with this ``gain``; ``kaiming``: for ReLU, over the fan in; ``default``:
    nothing is touched. Source: the options ``--init_type`` and ``--init_gain`` of CycleGAN's code, which ERRNet, IBCLN and DSRNet
    share.
    """
    if kind == "default":
        return
    for module in network.modules():
        weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
        if not isinstance(weight, Tensor) or not weight.requires_grad:
            continue
        if isinstance(module, _EXTENDED):
            _FILLS[kind](weight, gain)
        elif isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.normal_(weight, 1.0, gain)
        else:
            continue
        if isinstance(bias, Tensor):
            nn.init.zeros_(bias)


_EXTENDED = (nn.modules.conv._ConvNd, nn.Linear)
_FILLS: Mapping[str, Callable[[Tensor, float], object]] = {
    "normal": lambda weight, gain: nn.init.normal_(weight, 0.0, gain),
    "xavier": lambda weight, gain: nn.init.xavier_normal_(weight, gain=gain),
    "kaiming": lambda weight, gain: nn.init.kaiming_normal_(weight, a=0, mode="fan_in"),
    "orthogonal": lambda weight, gain: nn.init.orthogonal_(weight, gain=gain),
}
