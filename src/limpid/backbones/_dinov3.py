"""DINOv3 vision transformers with patches of 16 pixels (Siméoni et al., 2025, arXiv:2508.10104), built by timm.

Four blocks are tapped, evenly spaced: 0, 4, 7 and 11. A tap is the residual stream after that block, before any final norm,
without its prefix tokens. Weights arrive in one of three layouts: Meta's (``storage_tokens``, ``ls1.gamma``), timm's, or that of
the tiny distilled network of DEIMv2 (Huang et al., 2025, arXiv:2509.20787), which has no registers, layer scale or final norm.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from limpid.backbones._backbone import Backbone, Home, add_statistics, normalise, pad_to_multiple
from limpid.blocks._torchvision import mend
from limpid.errors import MissingExtraError, WeightsError
from limpid.weights.fetch import Remote

PATCH = 16
BLOCKS = (0, 4, 7, 11)
META_PAGE = "https://ai.meta.com/resources/models-and-libraries/dinov3-downloads"
DEIM_PAGE = "https://github.com/Intellindust-AI-Lab/DEIMv2 (model zoo)"

_RENAMES = (
    (r"^storage_tokens$", "reg_token"),
    (r"\.ls([12])\.gamma$", r".gamma_\1"),
    (r"\.mlp\.w1\.", ".mlp.fc1_g."),
    (r"\.mlp\.w2\.", ".mlp.fc1_x."),
    (r"\.mlp\.w3\.", ".mlp.fc2."),
    (r"^rope_embed\.periods$", "rope.periods"),
)


class Dinov3(Backbone):
    """Taps ``block_0``, ``block_4``, ``block_7`` and ``block_11``, all at stride 16.

    ``architecture``: name of timm's constructor; ``settings``: keyword arguments for it; ``home``: where weights come from. The
    photo is normalised by the ImageNet statistics, then reflected at the right and bottom to a multiple of 16; sides exceed 8.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, *, architecture: str, home: Home, settings: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.home = home  # one class serves four published networks
        self.model = build(architecture, settings or {})
        self.channels = {f"block_{index}": self.model.embed_dim for index in BLOCKS}
        add_statistics(self)
        self.freeze()

    def stages(self, photo: Tensor) -> Iterator[tuple[str, Tensor]]:
        """The four taps, (B, D, ⌈H/16⌉, ⌈W/16⌉)."""
        image = pad_to_multiple(normalise(photo, self), PATCH)
        tokens, grid = self._embed(image)
        for index, block in enumerate(self.model.blocks):
            tokens = block(tokens, rope=grid)
            if index in BLOCKS:
                yield f"block_{index}", self._map(tokens, image)

    def final(self, photo: Tensor) -> Tensor:
        """Patch tokens after the last norm (after the last block where there is none) as a map, for losses and distillation."""
        image = pad_to_multiple(normalise(photo, self), PATCH)
        tokens, grid = self._embed(image)
        for block in self.model.blocks:
            tokens = block(tokens, rope=grid)
        return self._map(self.model.norm(tokens), image)

    def covered(self, height: int, width: int) -> tuple[int, int]:
        """Sides rounded up to patches."""
        return height + -height % PATCH, width + -width % PATCH

    def rename(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Meta's, timm's or DEIMv2's keys → ours (timm's under ``model.``)."""
        return {f"model.{name}": tensor for name, tensor in to_timm(strip(tensors), full_bias=not self._masks_bias).items()}

    @property
    def _masks_bias(self) -> bool:
        return hasattr(self.model.blocks[0].attn, "q_bias")

    def _embed(self, image: Tensor) -> tuple[Tensor, Tensor]:
        tokens, grid = self.model._pos_embed(self.model.patch_embed(image))
        return self.model.norm_pre(tokens), grid

    def _map(self, tokens: Tensor, image: Tensor) -> Tensor:
        rows, columns = image.shape[-2] // PATCH, image.shape[-1] // PATCH
        patches = tokens[:, self.model.num_prefix_tokens :]  # (B, N, D)
        return patches.transpose(1, 2).reshape(len(tokens), -1, rows, columns)


def build(architecture: str, settings: Mapping[str, Any]) -> Any:
    """Network of timm without head; its rotary periods are stored with the weights, as published files hold rounded ones.

    Raises MissingExtraError without timm.
    """
    mend()
    try:
        from timm.models import eva
    except ImportError as error:
        raise MissingExtraError("timm", "backbones", f"the backbone {architecture}") from error
    model = getattr(eva, architecture)(num_classes=0, **settings)
    model.rope.register_buffer("periods", model.rope.periods, persistent=True)
    return model


def strip(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Keys without the prefixes of a detector (``backbone.dinov3._model.``); what lies beside the backbone is dropped."""
    for prefix in ("backbone.dinov3._model.", "backbone.dinov3.", "dinov3._model.", "_model."):
        if any(name.startswith(prefix) for name in tensors):
            return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    return dict(tensors)


def to_timm(tensors: Mapping[str, Tensor], *, full_bias: bool) -> dict[str, Tensor]:
    """Keys of Meta's or DEIMv2's layout → timm's; timm's pass through.

    ``full_bias``: the attention keeps the bias of its keys (DEIMv2); else it is masked and must be so in the file.
    Raises WeightsError when a mask lets the bias of the keys through.
    """
    renamed: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name == "mask_token" or name.endswith(".bias_mask"):
            continue
        if name.endswith(".attn.qkv.bias") and not full_bias and tensor.ndim == 1:
            parts = _masked(name, tensor, tensors.get(f"{name}_mask"))
            stem = name.removesuffix("qkv.bias")
            renamed[f"{stem}q_bias"], renamed[f"{stem}v_bias"] = parts
            continue
        for pattern, replacement in _RENAMES:
            name = re.sub(pattern, replacement, name)
        renamed[name] = tensor
    return renamed


def _masked(name: str, bias: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """Bias of queries and of values."""
    third = bias.shape[0] // 3
    if mask is not None and not bias.is_meta:
        bias = bias * mask
        if bool(torch.any(bias[third : 2 * third] != 0)):
            raise WeightsError(f"{name} adds a bias to the keys; the published DINOv3 networks mask it")
    return bias[:third], bias[2 * third :]


def meta_home(file: str, timm_name: str) -> Home:
    """Home of one of Meta's networks: their file by hand (it is gated), timm's copy by download."""
    name = f"{timm_name}.lvd1689m"
    remote = Remote(name=f"{name}.safetensors", url=f"https://huggingface.co/timm/{name}/resolve/main/model.safetensors")
    return Home(files=(file, remote.name), page=f"{META_PAGE} or {remote.url}", remote=remote)
