"""Mean absolute differences of estimates from what they should be, summed over a row of them."""

import torch
from torch import Tensor

from limpid.errors import SettingError
from limpid.layers.unpaired import Compared, Translation


def summed(pairs: Compared) -> Tensor:
    """Σ mean|x − y| over pairs of tensors of one shape each, any shapes. Returns a scalar."""
    return torch.stack([(estimate - target).abs().mean() for estimate, target in pairs]).sum()


def required(translation: Translation, constraint: str) -> Compared:
    """The pairs of a constraint; raises SettingError when the network at hand has none."""
    if constraint not in translation.compared:
        held = ", ".join(translation.compared) or "none"
        raise SettingError(f"this network offers nothing for the constraint {constraint!r} (it has {held}); leave the loss out")
    return translation.compared[constraint]
