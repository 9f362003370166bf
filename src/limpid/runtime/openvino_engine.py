"""OpenVINO in place of PyTorch for our own networks on a CPU: the channel-first rewrite, compiled for each size of photo."""

import os
import warnings
from collections import OrderedDict
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from limpid._version import __version__
from limpid.errors import DeviceError, MissingExtraError, UnknownNameError
from limpid.layers.network import LayerNetwork
from limpid.layers.separation import Separation
from limpid.models.limpid import Limpid
from limpid.models.nafnet import NafNet
from limpid.runtime import backend_choice
from limpid.runtime.channel_first import channel_first
from limpid.runtime.memory import give_back
from limpid.weights.fetch import cache_folder

Backend = Literal["auto", "torch", "openvino"]

BACKENDS = ("auto", "torch", "openvino")

_HINTS = {"float32": "f32", "bfloat16": "bf16"}
_TRACED = 64  # pixels a side
_KEPT = 2  # compiled sizes: those of the preview and of the photo or its tiles


class Layers(nn.Module):
    """Photo → layers in their order, as tracers want answers."""

    def __init__(self, network: LayerNetwork, names: Sequence[str]) -> None:
        super().__init__()
        self.network, self.names = network, tuple(names)

    def forward(self, photo: Tensor) -> tuple[Tensor, ...]:
        """What the network answers."""
        layers = self.network(photo)
        return tuple(layers[name] for name in self.names)


class OpenVinoEngine:
    """What runs a network on padded photos (1, 3, H, W): called with one, it answers as the network in ``precision``.

    ``names``: its layers; ``sha256``: of its weights, by which the rewritten network is kept in the cache, None for no cache.
    The weights are those of the first call: who changes the network afterwards takes the engine off. Raises MissingExtraError
    without openvino.
    """

    def __init__(self, network: LayerNetwork, names: Sequence[str], precision: str, sha256: str | None) -> None:
        if find_spec("openvino") is None:
            raise MissingExtraError("openvino", "openvino", "--backend openvino")
        self.network, self.names, self.precision, self.sha256 = network, tuple(names), precision, sha256
        self._model: Any = None
        self._compiled: OrderedDict[tuple[int, int], Any] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        """For other processes, which compile for themselves."""
        return {**self.__dict__, "_model": None, "_compiled": OrderedDict()}

    def __call__(self, photo: Tensor) -> Separation:
        """Layers of each photo of a batch."""
        size = (photo.shape[-2], photo.shape[-1])
        found = [self._for(size)([one[None].float().contiguous().numpy()]) for one in photo]
        layers = (torch.cat([torch.from_numpy(answers[place].copy()) for answers in found]) for place in range(len(self.names)))
        return Separation(dict(zip(self.names, layers, strict=True)))

    def _for(self, size: tuple[int, int]) -> Any:
        """The network compiled for one size; a fixed one is a fifth faster than any."""
        import openvino

        if size not in self._compiled:
            model = self._read().clone()
            model.reshape([1, 3, *size])
            settings = {"INFERENCE_PRECISION_HINT": _HINTS[self.precision], "INFERENCE_NUM_THREADS": torch.get_num_threads()}
            if self.sha256 is not None:
                settings["CACHE_DIR"] = str(_folder())
            self._compiled[size] = openvino.Core().compile_model(model, "CPU", settings)
            while len(self._compiled) > _KEPT:
                self._compiled.popitem(last=False)
                give_back()
        self._compiled.move_to_end(size)
        return self._compiled[size]

    def _read(self) -> Any:
        """The rewritten network for any size, from the cache or translated now."""
        if self._model is None:
            import openvino

            kept = None if self.sha256 is None else _folder() / f"{self.sha256[:16]}-{openvino.__version__[:8]}-{__version__}.xml"
            if kept is not None and kept.is_file() and kept.with_suffix(".bin").is_file():
                self._model = openvino.Core().read_model(kept)
            else:
                self._model = self._translated()
                if kept is not None:
                    _keep(self._model, kept)
        return self._model

    def _translated(self) -> Any:
        import openvino

        with torch.inference_mode(False), torch.no_grad(), warnings.catch_warnings():  # tracers take its tensors for constants
            warnings.simplefilter("ignore")
            graph = Layers(channel_first(self.network), self.names).eval()
            model = openvino.convert_model(graph, example_input=(torch.rand(1, 3, _TRACED, _TRACED),))
            model.reshape([1, 3, -1, -1])
        return model


def choose_backend(wanted: str, network: LayerNetwork, device: torch.device, *, sha256: str | None = None) -> str:
    """``torch`` or ``openvino``; ``auto`` takes what ``limpid bench --save`` chose on this machine, else PyTorch.

    Raises UnknownNameError, and DeviceError for a network or device that OpenVINO is not used for.
    """
    if wanted not in BACKENDS:
        raise UnknownNameError("backend", wanted, BACKENDS)
    fits = device.type == "cpu" and _rewrites(network)
    if wanted == "openvino" and not fits:
        raise DeviceError("--backend openvino runs our own networks (limpid, and NAFNet on shuffled pixels) on a CPU; use torch")
    if wanted == "auto":
        return "openvino" if backend_choice.saved(sha256) == "openvino" and fits and find_spec("openvino") is not None else "torch"
    return wanted


def _rewrites(network: LayerNetwork) -> bool:
    """Whether the rewrite was measured on networks like this one: ours, without parts that see the whole photo."""
    plain = isinstance(network, Limpid) and network.joins is None  # a gate is asked by PyTorch, apart from the layers
    return plain or (isinstance(network, NafNet) and network.shuffle > 1 and not network.has_context and not network.grey)


def _folder() -> Path:
    return cache_folder() / "openvino"


def _keep(model: Any, path: Path) -> None:
    """Write the network beside the place and move it there, weights first, so that nobody reads half of it."""
    import openvino

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{os.getpid()}-{path.name}")
        openvino.save_model(model, partial, compress_to_fp16=False)
        os.replace(partial.with_suffix(".bin"), path.with_suffix(".bin"))
        os.replace(partial, path)
    except OSError:  # a cache that cannot be written is a slower start, not a fault
        return
