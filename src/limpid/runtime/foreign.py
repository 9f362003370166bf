"""Anybody's restoration network through the library spandrel: what none of our converters recognises is offered to it.

spandrel (MIT) tells dozens of architectures by the names in their state dicts. Those that give a photo of the same size back run
here as our own networks do. The file itself is read by our reader, so that nothing in it is executed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from torch import Tensor

from limpid.blocks._torchvision import mend
from limpid.checkpoints.unwrap import unwrap
from limpid.errors import UnrecognisedError, WeightsError
from limpid.layers.context import Recall
from limpid.layers.network import LayerNetwork, Needs, Tiling
from limpid.layers.separation import Separation
from limpid.weights import reader

TASKS = ("denoise", "deblur")
"""What such a network may be asked to do; its file does not say, so that the first is assumed."""

MODEL = "spandrel"
"""What messages and tables call the catalogue that these networks come from."""

_FAULTS = (RuntimeError, ValueError, LookupError, TypeError, AssertionError, ImportError)
"""What a library makes of a state dict that is nearly one that it knows."""

_TILING: Mapping[str, Tiling] = {"SUPPORTED": "harmless", "DISCOURAGED": "discouraged", "INTERNAL": "never"}


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """A network of spandrel, in our contract, and one line on what it is."""

    network: "ForeignNetwork"
    says: str


class ForeignNetwork(LayerNetwork):
    """Photo (B, 3, H, W), 0…1, encoded → Separation of ``restored``, which spandrel clamps; for use, not for training.

    ``descriptor``: what spandrel opened. A network of one channel sees each colour as a photo of its own.
    """

    def __init__(self, descriptor: Any) -> None:
        super().__init__()
        sizes = descriptor.size_requirements
        self.inner = descriptor.model
        self.answer = descriptor
        self.grey = descriptor.input_channels == 1
        self.needs = Needs(
            multiple=sizes.multiple_of or 1, minimum=max(1, sizes.minimum or 1), tiling=_TILING[descriptor.tiling.name]
        )
        self.source = f"{descriptor.architecture.name}, opened by spandrel (MIT)"

    def separate(self, mixed: Tensor, recall: Recall | None = None) -> Separation:
        """(B, C, H, W) → one layer of the same shape."""
        return Separation({"restored": self.answer(mixed)})


def open_foreign(path: Path, refusal: UnrecognisedError) -> Foreign:
    """What spandrel makes of a file that we do not know.

    Raises ``refusal``, our own word on the file, when spandrel does not know it either or is not installed, which is then added;
    WeightsError for a network that changes the size, has other channels, wants squares or a mask.
    """
    try:
        mend()
        spandrel = import_module("spandrel")
    except ImportError:
        hint = "the extra opens many restoration networks of others: pip install 'limpid[spandrel]'"
        raise UnrecognisedError(f"{refusal}; {hint}") from refusal
    tensors = dict(unwrap(path, reader.read(path).content).tensors)
    reader.refuse_unfit(str(path), tensors)
    try:
        found = spandrel.ModelLoader().load_from_state_dict(tensors)
    except spandrel.UnsupportedModelError:
        raise refusal from None
    except _FAULTS as error:
        reason = " ".join(str(error).split())[:200]
        raise WeightsError(f"{path} looks like a network of spandrel's, which cannot open it: {reason}") from error
    _refuse_unlike(path, found, whole=isinstance(found, spandrel.ImageModelDescriptor))
    return Foreign(network=_ready(found), says=f"is {found.architecture.name}, opened by spandrel")


def _ready(found: Any) -> ForeignNetwork:
    network = ForeignNetwork(found).float()
    network.requires_grad_(False).eval()
    return network


def _refuse_unlike(path: Path, found: Any, *, whole: bool) -> None:
    """Raise WeightsError for what is no photo → photo of the same size; ``whole``: whether the photo is all that it wants."""
    name = found.architecture.name
    channels = (found.input_channels, found.output_channels)
    if not whole:
        raise WeightsError(f"{path} is {name}, which wants more than a photo, such as a mask; it cannot be run here")
    if found.scale != 1:
        raise WeightsError(
            f"{path} is {name}, which makes photos {found.scale} times as large; only restoration at scale 1 runs here"
        )
    if channels not in ((3, 3), (1, 1)):
        raise WeightsError(f"{path} is {name} with {channels[0]} channels in and {channels[1]} out; expected 3 or 1 of both")
    if found.size_requirements.square:
        raise WeightsError(f"{path} is {name}, which takes squares alone; photos of any size run here")
