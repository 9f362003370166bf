"""A network inside an ONNX file, run by ONNX Runtime: for the rest of the package a network like any other."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from limpid.backbones._backbone import pad_to_multiple
from limpid.checkpoints.onnx_file import EXTRA, OnnxAbout, OnnxFile
from limpid.errors import DeviceError, MissingExtraError, ShapeError, UnknownNameError, WeightsError
from limpid.image.size import crop, padded_size
from limpid.layers.context import Recall
from limpid.layers.network import LayerNetwork, Needs
from limpid.layers.separation import Separation
from limpid.models.deconvolution import followed
from limpid.physics.blind_deconvolution import sharpened
from limpid.progress import say

PROVIDERS: Mapping[str, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "webgpu": "WebGpuExecutionProvider",
}
"""Word on the command line → name in ONNX Runtime; each but the first comes with a build of ONNX Runtime of its own."""

GATE_MULTIPLE = 16
"""Sides of what the backbone of a gate sees: the photo mirrored at the right and bottom up to the next one."""

GATE_INPUTS = ("mirrored", "input", "transmission", "reflection")
"""What the gate in a file is fed: the photo mirrored to multiples of ``GATE_MULTIPLE``, the photo, its two layers."""

_PACKAGES = {
    "cuda": "onnxruntime-gpu",
    "tensorrt": "onnxruntime-gpu",
    "openvino": "onnxruntime-openvino",
    "directml": "onnxruntime-directml",
    "webgpu": "onnxruntime-webgpu",
}


class OnnxNetwork(LayerNetwork):
    """Photo (1, 3, H, W), 0…1, encoded → Separation, unclamped, of what an ``OnnxFile`` holds.

    A graph of one size gets smaller photos with their rim repeated, and is never fed larger ones. ``provider``: see ``PROVIDERS``.
    Raises like ``session_of``.
    """

    def __init__(self, file: OnnxFile, provider: str = "cpu") -> None:
        super().__init__()
        about = file.about
        self.about = about
        tiling = "never" if about.tiling == "discouraged" and about.radius is None and about.size is None else about.tiling
        self.needs = Needs(
            multiple=about.multiple,
            minimum=about.minimum,
            resize=about.resize,
            tiling=tiling,
            phase=about.phase,
        )
        self.radius = about.radius
        self.local_confidence, self.whole_confidence = about.local_confidence, about.whole_confidence
        self.presence_limits, self.reduced_presence_limits = about.presence_limits, about.reduced_presence_limits
        self.bytes_per_pixel = about.bytes_per_pixel
        self.fixed_size = about.size
        self._opened = (file, provider)
        self._session = session(file, provider)
        self._gate = _gate(file, provider)
        self._inputs = [value.name for value in self._session.get_inputs()]

    def __getstate__(self) -> dict[str, Any]:
        """For other processes: a session does not travel, the file does."""
        return {**self.__dict__, "_session": None, "_gate": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Open the file again."""
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._session = session(*self._opened)
        self._gate = _gate(*self._opened)

    def separate(self, mixed: Tensor, recall: Recall | None = None) -> Separation:
        """Layers of the same size; photos of a batch run one after another where the graph takes one."""
        return _joined([self._one(photo[None]) for photo in mixed])

    def stretched(self, layers: Separation, recall: Recall | None = None) -> Separation:
        """As the exported network does for ``to_unit_range``."""
        return layers.map(lambda layer: to_unit(layer, self.about))

    def presence(self, photo: Tensor, layers: Separation) -> Tensor | None:
        """Probability (B,), as the gate inside the file gives it; None for a file without one."""
        if self._gate is None:
            return None
        given = (pad_to_multiple(photo, GATE_MULTIPLE), photo, layers.transmission, layers.reflection)
        arrays = [tensor.float().contiguous().cpu().numpy() for tensor in given]
        feeds = [dict(zip(GATE_INPUTS, (array[[place]] for array in arrays), strict=True)) for place in range(len(photo))]
        return torch.from_numpy(np.concatenate([self._gate.run(None, feed)[0] for feed in feeds]))

    def _one(self, photo: Tensor) -> Separation:
        height, width = photo.shape[-2:]
        fed = photo if self.fixed_size is None else _grown(photo, self.fixed_size)
        if self.about.pads_to is not None and self.fixed_size is None:
            multiple, mode = self.about.pads_to
            rows, columns = padded_size(height, width, multiple)
            fed = F.pad(photo, (0, columns - width, 0, rows - height), mode=mode)
        feeds = {self._inputs[0]: fed}
        if not self.about.noise:
            answers = run(self._session, feeds, self.about)
        else:
            feeds[self._inputs[1]], shaken = sharpened(fed, torch.tensor(self.about.noise))
            answers = {name: followed(fed, layer, shaken) for name, layer in run(self._session, feeds, self.about).items()}
        if self.about.head is not None:
            answers = {
                name: F.interpolate(layer, size=fed.shape[-2:], mode="bilinear", align_corners=False)
                for name, layer in answers.items()
            }
        return Separation({name: crop(layer, height, width) for name, layer in answers.items()})


def run(session: Any, feeds: Mapping[str, Tensor], about: OnnxAbout) -> dict[str, Tensor]:
    """One call: tensors in, layers out, float32. A graph of N photos gets each one N times."""
    arrays = {
        name: tensor.detach().float().expand(about.batch, *tensor.shape[1:]).contiguous().cpu().numpy()
        for name, tensor in feeds.items()
    }
    found = session.run(list(about.layers), arrays)
    return {name: torch.from_numpy(layer)[:1].float() for name, layer in zip(about.layers, found, strict=True)}


def to_unit(layer: Tensor, about: OnnxAbout) -> Tensor:
    """A layer (B, 3, H, W) brought to 0…1 as ``answer_range`` says, each sample by itself."""
    if about.answer_range == "half":
        return (layer + 1) / 2
    if about.answer_range == "unit":
        return layer
    low, high = (bound[:, None, None, None] for bound in torch.aminmax(layer.flatten(1), dim=1))
    return (layer - low) / (high - low).clamp_min(1e-6)


def session(file: OnnxFile, provider: str = "cpu") -> Any:
    """ONNX Runtime's session of a file; see ``session_of``."""
    return session_of(file.content, str(file.path), provider)


def _gate(file: OnnxFile, provider: str) -> Any:
    return None if file.gate is None else session_of(file.gate, str(file.path), provider)


def session_of(content: bytes, label: str, provider: str = "cpu") -> Any:
    """ONNX Runtime's session of a graph on as many threads as PyTorch uses; ``label``: what messages call it.

    Says aloud when the runtime leaves the provider that was asked for and falls back to the CPU. Raises MissingExtraError,
    UnknownNameError and DeviceError for a provider that is not known or not in this build, and WeightsError for a broken graph.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError("onnxruntime", EXTRA, f"running {label}") from error
    names = _chosen(provider, onnxruntime.get_available_providers())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    try:
        made = onnxruntime.InferenceSession(content, options, providers=names)
    except faults() as error:
        raise WeightsError(f"{label} is refused by ONNX Runtime: {' '.join(str(error).split())[:200]}") from error
    if names[0] not in made.get_providers():
        say(f"warning: ONNX Runtime left {provider} for {made.get_providers()[0]}; its own message is above")
    return made


def faults() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises for graphs and inputs that it cannot take; its exceptions have no common base of their own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = (
        "EngineError",
        "EPFail",
        "Fail",
        "InvalidArgument",
        "InvalidGraph",
        "InvalidProtobuf",
        "NotImplemented",
        "RuntimeException",
    )
    return (*(getattr(state, name) for name in names), RuntimeError, ValueError)


def _chosen(provider: str, available: Sequence[str]) -> list[str]:
    """The provider and, after it, the CPU for what it cannot do."""
    if provider == "auto":
        provider = "cuda" if PROVIDERS["cuda"] in available and torch.cuda.is_available() else "cpu"
    if provider not in PROVIDERS:
        raise UnknownNameError("provider", provider, ("auto", *PROVIDERS))
    if PROVIDERS[provider] not in available:
        there = ", ".join(word for word, name in PROVIDERS.items() if name in available)
        remedy = f"; it comes with {_PACKAGES[provider]}" if provider in _PACKAGES else ""
        raise DeviceError(f"this ONNX Runtime has no provider {provider!r}, only {there}{remedy}")
    return list(dict.fromkeys((PROVIDERS[provider], PROVIDERS["cpu"])))


def _grown(photo: Tensor, size: tuple[int, int]) -> Tensor:
    height, width = photo.shape[-2:]
    if height > size[0] or width > size[1]:
        raise ShapeError(f"this graph takes {size[1]}×{size[0]} pixels; got {width}×{height}")
    return F.pad(photo, (0, size[1] - width, 0, size[0] - height), mode="replicate")


def _joined(photos: Sequence[Separation]) -> Separation:
    return photos[0] if len(photos) == 1 else Separation({name: torch.cat([one[name] for one in photos]) for name in photos[0]})
