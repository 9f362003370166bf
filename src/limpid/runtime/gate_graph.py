"""The gate of our own network, "is there a reflection in this photo at all", as a small graph of its own inside its ONNX file.

Of its own, since it judges a preview of the photo without the rim that the network is padded with, and since tiles are not judged.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from limpid.backbones._backbone import pad_to_multiple
from limpid.checkpoints.onnx_file import OnnxAbout
from limpid.layers.network import LayerNetwork
from limpid.models.limpid import Limpid
from limpid.runtime.confidence import LEAST_JUDGED
from limpid.runtime.export_graph import MOST, Sizes, Whole, trace
from limpid.runtime.onnx_network import GATE_INPUTS, GATE_MULTIPLE, session_of
from limpid.runtime.parity import check_parity

OUTPUT = "presence"

_SIZES = Sizes(size=None, multiple=1, minimum=LEAST_JUDGED)


class Gate(Whole):
    """``GATE_INPUTS``: the mirrored photo, the photo and both layers, (1, 3, H, W) each → the probability (1,).

    Mirroring is left to who runs it, as graphs of any size grow long with it.
    """

    inputs = GATE_INPUTS
    network: Limpid

    def forward(self, mirrored: Tensor, photo: Tensor, transmission: Tensor, reflection: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        """What the gate answers."""
        assert self.network.gate is not None
        assert self.network.backbone is not None
        maps = list(self.network.backbone(mirrored).values())
        return (self.network.gate(maps, photo, transmission, reflection).sigmoid(),)

    def sample(self, batch: int, size: tuple[int, int], generator: torch.Generator) -> tuple[Tensor, ...]:
        """A random photo and layers that take up to a tenth off it."""
        (photo,) = super().sample(batch, size, generator)
        reflection = 0.1 * torch.rand(batch, 3, *size, generator=generator)
        return pad_to_multiple(photo, GATE_MULTIPLE), photo, photo - reflection, reflection

    def dynamic(self, names: Mapping[str, Tensor], sizes: Sizes) -> Any:
        """Sides of the photo and layers are free; those of the mirrored photo are multiples."""
        cells = [GATE_MULTIPLE * torch.export.Dim(name, min=2, max=MOST // GATE_MULTIPLE) for name in ("rows", "columns")]
        sides = [torch.export.Dim(name, min=sizes.minimum, max=MOST) for name in ("height", "width")]
        return (dict(enumerate(cells, 2)), *[dict(enumerate(sides, 2))] * (len(names) - 1))


def gate_of(network: LayerNetwork, about: OnnxAbout, opset: int) -> Any:
    """The gate as an ``onnx.ModelProto``, seen to answer as PyTorch at three sizes; None for a network without one.

    It takes one photo of any size and computes in float32, whatever the graph of the network does. Raises as ``trace`` and
    ``check_parity``.
    """
    if not isinstance(network, Limpid) or network.gate is None:
        return None
    graph = Gate(network).eval()
    model = trace(graph, (OUTPUT,), _SIZES, opset)
    judged = about.model_copy(update={"layers": (OUTPUT,), "batch": 1, "precision": "float32"})
    check_parity(graph, session_of(model.SerializeToString(), "the gate"), judged, _SIZES)
    return model
