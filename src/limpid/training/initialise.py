"""Starting a network from somebody's weights instead of from random numbers."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from limpid.checkpoints import file
from limpid.errors import WeightsError
from limpid.layers.network import LayerNetwork


def initialise_from(network: LayerNetwork, path: Path) -> list[str]:
    """Load a checkpoint, ours or a published one, into ``network``; returns the names that it did not hold and that stay new.

    A checkpoint of another network that is one part of this one starts that part. Otherwise only what the network says may start
    new. Raises WeightsError when anything else is missing, left over, or of another shape.
    """
    checkpoint = file.read(path)
    stem = next(
        (f"{name}." for name, part in network.named_children() if _shapes(part.state_dict()) == _shapes(checkpoint.tensors)), ""
    )
    held = {f"{stem}{name}": tensor.float() for name, tensor in checkpoint.tensors.items()}
    wanted = network.state_dict()
    new = [name for name in wanted if name not in held and (stem or name.split(".")[0] in network.may_start_new)]
    try:
        network.load_state_dict({**{name: wanted[name] for name in new}, **held}, strict=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise WeightsError(
            f"{path} holds {checkpoint.model} with settings {dict(checkpoint.settings)}, which does not fit this recipe: {reason}"
        ) from error
    return new


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}
