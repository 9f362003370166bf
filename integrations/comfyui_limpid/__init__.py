"""A ComfyUI node: take the reflection off pictures, both layers out; copy this folder below ComfyUI's custom_nodes.

limpid must be installed in the Python that runs ComfyUI (``pip install limpid``). Nothing of it is loaded before the node runs.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


@cache
def _separator(model: str, device: str) -> Any:
    import limpid

    return limpid.load(model, device=device)


class LimpidSeparate:
    """Pictures (B, H, W, C), 0…1 → transmission and reflection, (B, H, W, 3) each; alpha is left out."""

    RETURN_TYPES = ("IMAGE", "IMAGE")
    RETURN_NAMES = ("transmission", "reflection")
    FUNCTION = "separate"
    CATEGORY = "image/limpid"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, tuple[Any, ...]]]:  # noqa: N802 - ComfyUI's name
        """What ComfyUI asks for."""
        return {
            "required": {
                "image": ("IMAGE",),
                "strength": ("FLOAT", {"default": 1.0, "min": 0.0, "max": 1.0, "step": 0.05}),
            },
            "optional": {
                "model": ("STRING", {"default": "default"}),
                "device": (["auto", "cpu", "cuda", "mps"], {"default": "auto"}),
            },
        }

    def separate(self, image: Tensor, strength: float, model: str = "default", device: str = "auto") -> tuple[Tensor, Tensor]:
        """Separate one picture of the batch after the other."""
        import torch

        separator = _separator(model, device)
        found = [separator(picture[..., :3].permute(2, 0, 1).cpu(), strength=strength) for picture in image]
        first, second = (torch.stack([layers[name].permute(1, 2, 0) for layers in found]) for name in self.RETURN_NAMES)
        return first, second


NODE_CLASS_MAPPINGS = {"LimpidSeparate": LimpidSeparate}
NODE_DISPLAY_NAME_MAPPINGS = {"LimpidSeparate": "Remove reflection (limpid)"}
