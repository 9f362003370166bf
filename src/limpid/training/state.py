"""Tensors of a run: which of a network's belong to a checkpoint, and how they come back."""

from collections.abc import Mapping

from torch import Tensor, nn

from limpid.errors import WeightsError
from limpid.training.store_weights import published


def weights_of(network: nn.Module) -> dict[str, Tensor]:
    """State dict without published backbones: those are filled from their own files again."""
    absent = published(network)
    return {name: tensor for name, tensor in network.state_dict().items() if not name.startswith(absent)}


def take_weights(network: nn.Module, tensors: Mapping[str, Tensor], what: str) -> None:
    """Load what ``weights_of`` gave, strictly; raises WeightsError that names the first difference."""
    try:
        network.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        raise WeightsError(f"the state of {what} does not fit this recipe: {' '.join(str(error).split())[:300]}") from error


def extras_of(losses: nn.Module) -> dict[str, Tensor]:
    """What losses themselves learn, such as projectors of a distillation; frozen backbones of perceptual terms are left out."""
    return {name: parameter.detach() for name, parameter in losses.named_parameters() if parameter.requires_grad}


def take_extras(losses: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Load what ``extras_of`` gave; raises WeightsError when names differ."""
    wanted = {name: parameter for name, parameter in losses.named_parameters() if parameter.requires_grad}
    if wanted.keys() != tensors.keys():
        raise WeightsError(f"the losses of this recipe learn {sorted(wanted)}, the state holds {sorted(tensors)}")
    for name, parameter in wanted.items():
        parameter.data.copy_(tensors[name])
