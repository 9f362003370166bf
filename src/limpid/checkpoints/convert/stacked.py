"""Files of rstor's stacked convolutions, which name the first and the last convolution up to four times each."""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from limpid.catalogue import Entry, Settings
from limpid.checkpoints.convert._converter import Converter
from limpid.checkpoints.convert._shapes import Shapes, shapes_of

_BLOCK = re.compile(r"conv_stack\.(\d+)\.conv1\.weight")


class StackedConverter(Converter):
    """Stacked convolutions of any width, depth and kernel."""

    model = "stacked"

    def recognise(self, shapes: Shapes) -> Settings | None:
        """Settings of the network that has exactly these keys and shapes, None when there is none."""
        layers = 2 + _blocks(shapes)
        first = next((key for key in shapes if _ours(key, layers) == "conv_stack.0.conv.weight"), "")
        if len(shapes.get(first, ())) != 4:
            return None
        settings = {
            "width": shapes[first][0],
            "layers": layers,
            "kernel": shapes[first][2],
            "bias": any(key.endswith(".bias") for key in shapes),
            "grey": shapes[first][1] == 1,
        }
        once: dict[str, tuple[int, ...]] = {}
        for key, shape in shapes.items():
            if once.setdefault(_ours(key, layers), shape) != shape:
                return None  # two names of one convolution disagree
        return settings if shapes_of(self.model, settings) == once else None

    def convert(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """One tensor for each convolution; of several names the last in order counts, as when PyTorch loads the file."""
        layers = 2 + _blocks(tensors)
        return {_ours(key, layers): tensors[key] for key in sorted(tensors)}


def _blocks(keys: Mapping[str, Any]) -> int:
    return sum(_BLOCK.fullmatch(key) is not None for key in keys)


def _ours(key: str, layers: int) -> str:
    """The one name of a convolution that is registered under several."""
    stacked = key.replace("conv_in_modality.", "conv_stack.0.").replace("conv_out_modality.", f"conv_stack.{layers - 1}.")
    return stacked.replace(".conv_non_lin.0.", ".conv.")


ENTRY = Entry(build=StackedConverter, source="Neveu et al., github.com/balthazarneveu/blind-deblurring-from-synthetic-data, 2024")
