"""Painted scenes without glass, of the kinds that networks take for reflections."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from limpid.errors import SettingError, UnknownNameError
from limpid.physics.scenes.fields import Size
from limpid.physics.scenes.plain import night, sky, snow, wall, water
from limpid.physics.scenes.printed import document, drawing, screen

SCENES: Mapping[str, Callable[[np.random.Generator, Size], np.ndarray]] = {
    "wall": wall,
    "document": document,
    "screen": screen,
    "drawing": drawing,
    "sky": sky,
    "snow": snow,
    "water": water,
    "night": night,
}
"""Kind → how it is painted."""


@dataclass(frozen=True, kw_only=True)
class Scenes:
    """Which ``kinds`` of scenes are painted, by turns. Raises UnknownNameError, and SettingError when there are none."""

    kinds: tuple[str, ...] = tuple(SCENES)

    def __post_init__(self) -> None:
        if not self.kinds:
            raise SettingError(f"scenes need at least one kind of {', '.join(SCENES)}")
        for kind in self.kinds:
            if kind not in SCENES:
                raise UnknownNameError("kind of scene", kind, SCENES)


def scene(kind: str, size: Size, generator: np.random.Generator) -> Tensor:
    """One painted scene; (3, H, W), float32, 0…1, encoded."""
    picture = np.clip(SCENES[kind](generator, size), 0, 1).astype(np.float32)
    return torch.from_numpy(picture).permute(2, 0, 1).contiguous()
