"""Keys and shapes of a network that is not allocated, to compare with those of a published file."""

from collections.abc import Mapping

import torch

from limpid import catalogue
from limpid.catalogue import Settings
from limpid.errors import SettingError

Shapes = Mapping[str, tuple[int, ...]]
"""Key of a state dict → shape of its tensor."""


def shapes_of(model: str, settings: Settings) -> dict[str, tuple[int, ...]]:
    """Keys and shapes of our network ``model``; empty when no network has these settings, as they come from foreign files.

    Raises MissingExtraError when the network needs a library that is not installed.
    """
    try:
        with torch.device("meta"):
            network = catalogue.find("models", model).build(**settings)
    except (SettingError, RuntimeError, ValueError, ZeroDivisionError):
        return {}
    return {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
