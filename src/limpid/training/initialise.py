"""Starting a network from somebody's weights instead of from random numbers."""

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from limpid.checkpoints import file
from limpid.errors import UnrecognisedError, WeightsError
from limpid.layers.network import LayerNetwork
from limpid.weights.reader import read_tensors, refuse_unfit


def initialise_from(network: LayerNetwork, path: Path) -> list[str]:
    """Load a checkpoint, ours or a published one, into ``network``; returns the names that it did not hold and that stay new.

    A checkpoint of another network that is one part of this one starts that part, and so does a published file of a backbone,
    whatever stands before its names. Parts that the network says to copy begin as those that they follow. Otherwise only what the
    network says may start new. Raises WeightsError when anything else is missing, left over, or of another shape.
    """
    held, stem, says = _held(network, path)
    wanted = network.state_dict()
    for part, model in network.starts_as.items():
        if not any(name.startswith(f"{part}.") for name in held):
            held |= {f"{part}{name.removeprefix(model)}": tensor for name, tensor in held.items() if name.startswith(f"{model}.")}
    new = [name for name in wanted if name not in held and (stem or name.split(".")[0] in network.may_start_new)]
    try:
        network.load_state_dict({**{name: wanted[name] for name in new}, **held}, strict=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise WeightsError(f"{path} holds {says}, which does not fit this recipe: {reason}") from error
    return new


def _held(network: LayerNetwork, path: Path) -> tuple[dict[str, Tensor], str, str]:
    """What a file holds under names of the network; the part that it is, with a dot, or nothing; and what to call it."""
    try:
        checkpoint = file.read(path)
    except UnrecognisedError:
        tensors = read_tensors(path)
        for part, module in network.named_children():
            found = _under_any_prefix(module.state_dict(), tensors)
            if found:
                refuse_unfit(str(path), found)
                return {f"{part}.{name}": tensor.float() for name, tensor in found.items()}, f"{part}.", f"the part {part}"
        raise
    shapes = _shapes(checkpoint.tensors)
    stem = next((f"{name}." for name, part in network.named_children() if _shapes(part.state_dict()) == shapes), "")
    held = {f"{stem}{name}": tensor.float() for name, tensor in checkpoint.tensors.items()}
    return held, stem, f"{checkpoint.model} with settings {dict(checkpoint.settings)}"


def _under_any_prefix(wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """All of ``wanted`` where a file has it, of the same shapes, behind one prefix; else nothing."""
    first, shapes = next(iter(wanted), ""), _shapes(wanted)
    for prefix in {name.removesuffix(first) for name in tensors if name.endswith(first)}:
        found = {name: tensors[f"{prefix}{name}"] for name in wanted if f"{prefix}{name}" in tensors}
        if _shapes(found) == shapes:
            return found
    return {}


def _shapes(tensors: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}
