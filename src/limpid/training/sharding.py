"""Weights, gradients and moments shared out among the processes of a training (FSDP), and gathered where they are kept."""

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeGuard, cast

import torch
from torch import Tensor, nn

from limpid.errors import UsageError
from limpid.recipe.models import Recipe

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from lightning_fabric.strategies.model_parallel import ModelParallelStrategy
    from torch.distributed.device_mesh import DeviceMesh
    from torch.distributed.tensor import DTensor

_TORCH = (2, 9)  # what is used here is in PyTorch from then on, also on a CPU


def sharding_strategy(world: int) -> "ModelParallelStrategy":
    """What Fabric takes to share everything that is trained out among ``world`` processes (Zhao et al., arXiv:2304.11277)."""
    from lightning_fabric.strategies.model_parallel import ModelParallelStrategy

    return ModelParallelStrategy(parallelize_fn=_on_mesh, data_parallel_size=world, tensor_parallel_size=1)


def is_sharded(fabric: "Fabric") -> bool:
    """Whether each process holds a share of the weights only."""
    from lightning_fabric.strategies.model_parallel import ModelParallelStrategy

    return isinstance(fabric.strategy, ModelParallelStrategy)


def check_sharding(recipe: Recipe) -> None:
    """Raise UsageError for what a recipe cannot have together with ``train.strategy: fsdp``."""
    if recipe.train.strategy != "fsdp":
        return
    version = tuple(int(part) for part in torch.__version__.split(".")[:2])
    for wrong, why in (
        (version < _TORCH, f"needs PyTorch {_TORCH[0]}.{_TORCH[1]} or later, this is {torch.__version__}"),
        (recipe.train.compile, "does not go with train.compile; leave that out"),
        (recipe.train.precision == "float16", "does not go with float16; take train.precision=bfloat16"),
    ):
        if wrong:
            raise UsageError(f"train.strategy=fsdp {why}, or take --strategy ddp")


def shard(module: nn.Module, mesh: "DeviceMesh") -> nn.Module:
    """Share the trained parameters of a module out over a mesh of one dimension; returns it.

    They are gathered for a forward and for a backward pass, all at once, as parts of a network may use each other's weights; no
    forward leaves them gathered, as an optimiser could move them behind its back. Frozen ones and single numbers stay whole.
    """
    from torch.distributed.fsdp import fully_shard

    warnings.filterwarnings("ignore", message="FSDP2-wrapped module .* returned a view tensor")  # nobody writes into layers
    module.to(mesh.device_type)
    for parameter in module.parameters():
        parameter.data = parameter.data.contiguous()  # channels_last is not taken
    kept = {parameter for parameter in module.parameters() if not parameter.requires_grad or not parameter.ndim}
    fully_shard(module, mesh=mesh, reshard_after_forward=True, ignored_params=kept)
    return module


def _on_mesh(module: nn.Module, mesh: "DeviceMesh") -> nn.Module:
    return shard(module, mesh["data_parallel"])


def whole(tensor: Tensor) -> Tensor:
    """A tensor of which each process holds a share, gathered; another one as it is. All processes have to ask for it together."""
    return tensor.full_tensor().detach() if is_share(tensor) else tensor


def gathered(value: Any) -> Any:
    """The same for all tensors in dicts and lists; what was gathered is on the CPU."""
    if isinstance(value, Tensor):
        return whole(value).cpu() if is_share(value) else value
    if isinstance(value, dict):
        return {key: gathered(item) for key, item in value.items()}
    return [gathered(item) for item in value] if isinstance(value, list) else value


def shared_like(tensor: Tensor, like: Tensor) -> Tensor:
    """This process's share of a whole tensor where ``like`` is one; else the tensor."""
    if not is_share(like):
        return tensor
    from torch.distributed.tensor import distribute_tensor

    here = tensor.to(like.device)
    return cast(Tensor, distribute_tensor(here, like.device_mesh, like.placements, src_data_rank=None))


def clip_shares(parameters: Iterable[Tensor], limit: float) -> Tensor:
    """Shorten the gradient over all processes to a norm of ``limit``; returns the norm that it had, a scalar that is whole.

    Parameters of which each process holds a share and whole ones may stand beside each other.
    """
    moving = [parameter for parameter in parameters if parameter.grad is not None]
    kinds = [[one for one in moving if is_share(one) == shared] for shared in (True, False)]
    norms = [whole(nn.utils.get_total_norm([one.grad for one in kind if one.grad is not None])) for kind in kinds if kind]
    norm = torch.linalg.vector_norm(torch.stack(norms)) if norms else torch.zeros(())
    for kind in kinds:
        nn.utils.clip_grads_with_norm_(kind, limit, norm)
    return norm


def is_share(tensor: object) -> "TypeGuard[DTensor]":
    """Whether each process holds a share of a tensor; told by what it can, as its class takes a second to load."""
    return hasattr(tensor, "full_tensor")
