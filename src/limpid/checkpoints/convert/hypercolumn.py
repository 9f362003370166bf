"""Files of PINTO0309/reflection-removal: the hypercolumn network with its backbone under ``feature_extractor``."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from limpid.backbones._dinov3 import to_timm
from limpid.backbones.vgg19 import SLICES
from limpid.catalogue import Entry, Setting, Settings
from limpid.checkpoints.convert._converter import Converter
from limpid.checkpoints.convert._shapes import shapes_of

_SLICES = ("conv1_2", "conv2_2", "conv3_2", "conv4_2", "conv5_2")  # what the port calls the taps that are SLICES
_RENAMES = (
    (r"^feature_extractor\.slice\d\.", "backbone.features."),
    (r"^feature_extractor\.(mean|std)$", r"backbone.\1"),
    (r"^feature_extractor\.model\.(_model\.)?", "backbone.model."),
    (r"^feature_extractor\._distributed_reduction_layers\.", "reducers."),
    (r"^feature_extractor\._distributed_post\.", "projector."),
    *((rf"^reducers\.{said}\.", f"reducers.{meant}.") for said, meant in zip(_SLICES, SLICES, strict=True)),
)
_MODEL = "backbone.model."
_VITS = {192: "dinov3_vitt", 384: "dinov3_vits16", 768: "dinov3_vitb16"}


class HypercolumnConverter(Converter):
    """Recognises all six backbones, the three variants and any reduction; our own keys pass as well."""

    model = "hypercolumn"

    def recognise(self, shapes: Mapping[str, tuple[int, ...]]) -> Settings | None:
        """Backbone and the settings that differ from the defaults, None for another architecture."""
        if "conv9.norm.w0" not in shapes or len(shapes.get("conv_last.weight", ())) != 4:
            return None
        blank = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
        ours = {name: tuple(tensor.shape) for name, tensor in self.convert(blank).items()}
        settings = _settings(ours)
        if settings is None or ours != shapes_of(self.model, settings):
            return None
        published = str(settings["backbone"]).startswith("dinov3") and any(name.startswith("feature_extractor.") for name in shapes)
        return {**settings, "stretch_padding": True} if published else settings

    def convert(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Published keys → ours."""
        renamed: dict[str, Tensor] = {}
        for name, tensor in tensors.items():
            for pattern, replacement in _RENAMES:
                name = re.sub(pattern, replacement, name)
            renamed[name] = tensor
        model = {name.removeprefix(_MODEL): tensor for name, tensor in renamed.items() if name.startswith(_MODEL)}
        if "cls_token" not in model:
            return renamed
        masked = any(name.endswith(".attn.qkv.bias_mask") for name in model)
        others = {name: tensor for name, tensor in renamed.items() if not name.startswith(_MODEL)}
        return {**others, **{f"{_MODEL}{name}": tensor for name, tensor in to_timm(model, full_bias=not masked).items()}}


def _settings(ours: Mapping[str, tuple[int, ...]]) -> Settings | None:
    """Settings that shapes under our keys speak of, unchecked; None when there is no backbone that we know."""
    backbone = _backbone(ours)
    if backbone is None:
        return None
    settings: dict[str, Setting] = {"backbone": backbone}
    if "residual_scales.0" in ours:
        settings["variant"] = "residual_skips"
    if "rir_group_scales.0" in ours:
        settings["variant"] = "residual_in_residual_skips"
    if "output_skip_scale" in ours and "variant" in settings:
        settings["output_skip_scale"] = 1.0
    reducers = [shape[0] for name, shape in ours.items() if name.startswith("reducers.") and name.endswith(".weight") and shape]
    if len(reducers) == (5 if backbone == "vgg19" else 4):
        settings["reduction"] = tuple(reducers)
    width = ours["conv_last.weight"][1]
    return settings if width == 64 else {**settings, "width": width}


def _backbone(ours: Mapping[str, tuple[int, ...]]) -> str | None:
    if "backbone.features.0.weight" in ours:
        return "vgg19"
    if f"{_MODEL}stem.stem1.conv.weight" in ours:
        return "hgnetv2"
    token = ours.get(f"{_MODEL}cls_token", (0,))
    name = _VITS.get(token[-1]) if token else None
    return "dinov3_vits16plus" if name == "dinov3_vits16" and f"{_MODEL}blocks.0.mlp.fc1_g.weight" in ours else name


ENTRY = Entry(build=HypercolumnConverter, source="PINTO0309/reflection-removal (MIT); specification hypercolumn §1.6 and §1.8")
