"""The layers of one photo, by name."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from torch import Tensor

from limpid.errors import ShapeError, UnknownNameError
from limpid.layers.pixels import quantise


class Separation(Mapping[str, Tensor]):
    """Ordered mapping from layer name to tensor, with attribute access: ``separation.transmission``.

    Layers are RGB, float, ``(3, H, W)`` or ``(B, 3, H, W)``, sRGB-encoded, all of one shape; 0…1 once the runtime has
    clamped them, unbounded from a bare network. ``steps`` holds intermediate results outside the mapping; ``confidence``, 0…1,
    is how probable it is that there is something to remove.
    Raises ShapeError when the layers differ in shape or there are none.

    >>> import torch
    >>> layers = Separation({"transmission": torch.zeros(3, 2, 4), "reflection": torch.ones(3, 2, 4)}, confidence=0.5)
    >>> layers
    Separation(transmission, reflection: 3×2×4 torch.float32 on cpu)
    >>> layers.map(lambda layer: layer / 2).confidence, float(layers.reflection.mean()), layers.numpy("reflection").dtype.name
    (0.5, 1.0, 'uint8')
    """

    def __init__(self, layers: Mapping[str, Tensor], *, steps: Mapping[str, Tensor] | None = None, confidence: float = 1.0) -> None:
        shapes = {name: tuple(layer.shape) for name, layer in layers.items()}
        first = next(iter(shapes.values()), None)
        if first is None or any(shape != first for shape in shapes.values()):  # compared, not hashed: export has sizes of no value
            raise ShapeError(f"the layers of a separation must have one shape; got {shapes}")
        self._layers = dict(layers)
        self.steps: dict[str, Tensor] = dict(steps or {})
        self.confidence = confidence

    def __getitem__(self, name: str) -> Tensor:
        return self._layers[name]

    def __getattr__(self, name: str) -> Tensor:
        if name.startswith("_") or name not in self._layers:
            raise AttributeError(f"this separation has no layer {name!r}; it has {', '.join(self.__dict__.get('_layers', ()))}")
        return self._layers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)

    def __repr__(self) -> str:
        first = next(iter(self._layers.values()))
        return f"Separation({', '.join(self)}: {'×'.join(map(str, first.shape))} {first.dtype} on {first.device})"

    def layer(self, name: str) -> Tensor:
        """A layer or an intermediate step by name; raises UnknownNameError, with the nearest spelling."""
        if name in self._layers:
            return self._layers[name]
        if name in self.steps:
            return self.steps[name]
        raise UnknownNameError("layer", name, (*self._layers, *self.steps))

    def map(self, function: Callable[[Tensor], Tensor]) -> "Separation":
        """A new separation with ``function`` applied to every layer and every step."""
        return Separation(
            {name: function(layer) for name, layer in self._layers.items()},
            steps={name: function(step) for name, step in self.steps.items()},
            confidence=self.confidence,
        )

    def numpy(self, name: str) -> Any:
        """One layer as an ``(H, W, 3)`` uint8 array, clamped to 0…1 and rounded."""
        return quantise(self.layer(name), np.uint8)

    def pil(self, name: str) -> Any:
        """One layer as an 8-bit RGB ``PIL.Image.Image``."""
        from PIL import Image

        return Image.fromarray(self.numpy(name))

    def _repr_html_(self) -> str | None:
        """The first two layers under a slider, for notebooks; None for a batch, of which they show the text."""
        from limpid.layers.notebook import slider

        first = next(iter(self._layers.values()))
        return slider({name: self.pil(name) for name in list(self)[:2]}) if first.ndim == 3 else None

    def _repr_png_(self) -> bytes:
        """All layers side by side, for notebooks that show no HTML."""
        from io import BytesIO

        from PIL import Image

        buffer = BytesIO()
        Image.fromarray(np.concatenate([self.numpy(name) for name in self], axis=1)).save(buffer, "PNG")
        return buffer.getvalue()


def steps_of(layers: Separation, name: str) -> list[Tensor]:
    """``NAME_1``, ``NAME_2``, … in order, each (B, 3, H, W); the layer itself when the network makes it in one go.

    Raises UnknownNameError when there is no such layer.
    """
    stem = f"{name}_"
    numbers = sorted(
        int(step.removeprefix(stem)) for step in layers.steps if step.startswith(stem) and step.removeprefix(stem).isdigit()
    )
    return [layers.steps[f"{stem}{number}"] for number in numbers] or [layers.layer(name)]
