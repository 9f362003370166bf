"""ERRNet's published files (Wei et al., CVPR 2019): our keys already; VGG-19 is not among them."""

from collections.abc import Mapping
from inspect import signature

from limpid import catalogue
from limpid.backbones.vgg19 import FIRSTS, layers
from limpid.catalogue import Entry, Settings
from limpid.checkpoints.convert._converter import Converter
from limpid.checkpoints.convert._shapes import shapes_of

_SQUEEZE = "res_module.0.se_layer.fc.0.weight"
_JOIN = "pyramid_module.bottleneck.weight"


class ErrnetConverter(Converter):
    """Recognises ERRNet of any width and depth with a hypercolumn of the first activations, or none."""

    model = "errnet"

    def recognise(self, shapes: Mapping[str, tuple[int, ...]]) -> Settings | None:
        """Settings that differ from the defaults, None for another architecture (BaseNet has neither attention nor pyramid)."""
        if _SQUEEZE not in shapes and _JOIN not in shapes:
            return None
        return read_settings(self.model, shapes)


def read_settings(model: str, shapes: Mapping[str, tuple[int, ...]]) -> Settings | None:
    """Settings of ERRNet or BaseNet read from shapes, checked by building the network on the meta device; None if it differs."""
    first = shapes.get("conv1.conv2d.weight", ())
    taps = _taps(first[1] - 3) if len(first) == 4 else None
    if taps is None or "deconv3.conv2d.weight" not in shapes:
        return None
    squeeze = shapes.get(_SQUEEZE)
    found: Settings = {
        "hypercolumn": taps,
        "width": first[0],
        "blocks": len([name for name in shapes if name.startswith("res_module.") and name.endswith(".conv1.conv2d.weight")]),
        "attention": squeeze[1] // max(squeeze[0], 1) if squeeze and len(squeeze) == 2 else None,
        "pyramid": _JOIN in shapes,
    }
    defaults = signature(catalogue.find("models", model).build).parameters
    settings = {name: value for name, value in found.items() if value != defaults[name].default}
    expected = shapes_of(model, settings)
    published = {name: shape for name, shape in expected.items() if not name.startswith("backbone.")}
    return settings if dict(shapes) in (published, expected) else None


def _taps(channels: int) -> tuple[str, ...] | None:
    """The first taps whose channels sum up to the given number; None when there are none."""
    widths = [layers()[tap][1] for tap in FIRSTS]
    return next((FIRSTS[:count] for count in range(len(FIRSTS) + 1) if sum(widths[:count]) == channels), None)


ENTRY = Entry(build=ErrnetConverter, source="Vandermode/ERRNet, state dict `icnn`; specification errnet_ibcln §2.1")
