"""How much of the disk a run will take, before it starts."""

from collections.abc import Iterable
from pathlib import Path

from torch import Tensor, nn

from limpid.training.store_file import DiskError, free, megabytes
from limpid.training.store_weights import published


def estimate(
    network: nn.Module,
    *,
    judge: nn.Module | None = None,
    moments: int = 2,
    average: bool = True,
    keep: int = 2,
    numbered: int = 0,
    replacing: bool = False,
) -> int:
    """Bytes that the weights of a run take on the disk: parameters × bytes × what is kept.

    ``moments``: numbers of the optimiser per trained parameter (Adam 2, SGD with momentum 1); ``average``: whether the state
    holds an average of the network; ``keep``, ``numbered``: files of the best and of numbered epochs, in float16;
    ``replacing``: while a file is replaced and the larger kind stands there twice. Networks on ``meta`` do as well.
    """
    last = sum(_bytes(_stored(player)) + moments * _bytes(_trained(player)) for player in (network, judge) if player is not None)
    last += average * _bytes(_stored(network))
    half = sum(2 * tensor.numel() if tensor.is_floating_point() else tensor.nbytes for tensor in _stored(network))
    return last + (keep + numbered) * half + replacing * max(last, half)


def check_room(folder: Path, wanted: int) -> None:
    """Raise DiskError unless the disk of ``folder`` takes ``wanted`` bytes in all, including what the run has written there."""
    mine = sum(path.stat().st_size for kind in ("*.pt", "*.safetensors") for path in folder.glob(kind))
    if free(folder) < wanted - mine:
        raise DiskError(
            f"the run needs {megabytes(wanted)} in {folder}, where {megabytes(free(folder))} are free and it holds"
            f" {megabytes(mine)}; make room, name another folder with --out, or lower log.keep or log.history"
        )


def _stored(network: nn.Module) -> list[Tensor]:
    """Parameters and buffers that a checkpoint holds, each once."""
    absent = published(network)
    named = (*network.named_parameters(), *network.named_buffers())
    return [tensor for name, tensor in named if not name.startswith(absent)]


def _trained(network: nn.Module) -> list[Tensor]:
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors)
