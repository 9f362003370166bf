"""Several photos of one size together with the layers that they should be split into: what losses look at."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, Self

import torch
from torch import Tensor

from limpid.layers.task import Task

Kind = Literal["synthetic", "aligned", "unaligned", "unpaired"]
"""How a pair came to be: blended or degraded by us, photographed, photographed with a shift between the two shots, or not at all.

The layers of an unpaired photo are samples of what such layers look like and belong to other photos.
"""

KINDS: tuple[Kind, ...] = ("synthetic", "aligned", "unaligned", "unpaired")


@dataclass(frozen=True, kw_only=True)
class Batch:
    """B photos and what is known of their layers.

    ``task``: what is to be made of them. ``input``: (B, 3, H, W), 0…1, sRGB-encoded. ``truth``: name of each of the task's layers
    → (B, 3, H, W), zeros where nobody knows it; ``known``: the same name → (B,), bool, on the CPU. ``kinds`` and ``names``: one
    per photo. ``gain``: (B,), what the transmission was multiplied by in linear light when it was mixed, 1 where nobody did.
    ``hint``: (B, 1, H, W), 1 where a person saw the layer that is to be taken off, 0 elsewhere.
    ``sources``: what the recipe calls the source of each photo, empty where nobody said.
    """

    task: Task
    input: Tensor
    truth: Mapping[str, Tensor]
    known: Mapping[str, Tensor]
    kinds: tuple[Kind, ...]
    gain: Tensor
    names: tuple[str, ...]
    hint: Tensor | None = None
    sources: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.kinds)

    @property
    def seen(self) -> Tensor:
        """What a network is given: the input, with the hint as a fourth channel where there is one."""
        return self.input if self.hint is None else torch.cat([self.input, self.hint], dim=1)

    def to(self, device: torch.device | str) -> Self:
        """The same batch on another device; ``known`` stays, as what it decides is decided on the CPU, without waiting.

        Photos in pinned memory are on their way when this returns.
        """
        return replace(
            self,
            input=self.input.to(device, non_blocking=True),
            truth={name: layer.to(device, non_blocking=True) for name, layer in self.truth.items()},
            gain=self.gain.to(device, non_blocking=True),
            hint=None if self.hint is None else self.hint.to(device, non_blocking=True),
        )

    def select(self, mask: Tensor) -> Self:
        """The photos where ``mask``, (B,), bool, is true; the batch itself when it is true everywhere."""
        chosen = mask.tolist()
        if all(chosen):
            return self
        return replace(
            self,
            input=self.input[mask],
            truth={name: layer[mask] for name, layer in self.truth.items()},
            known={name: known[mask] for name, known in self.known.items()},
            kinds=tuple(kind for kind, take in zip(self.kinds, chosen, strict=True) if take),
            gain=self.gain[mask],
            hint=None if self.hint is None else self.hint[mask],
            names=tuple(name for name, take in zip(self.names, chosen, strict=True) if take),
            sources=tuple(name for name, take in zip(self.sources, chosen, strict=True) if take) if self.sources else (),
        )

    def suited(self, kinds: tuple[Kind, ...], layers: tuple[str, ...], sources: tuple[str, ...] = ()) -> Tensor:
        """Which photos are of one of ``kinds``, have all of ``layers`` known and come from one of ``sources`` (none: from any).

        (B,), bool, on the CPU.
        """
        mask = torch.tensor([kind in kinds for kind in self.kinds])
        if sources:
            mask = mask & torch.tensor([source in sources for source in self.sources or [""] * len(self)])
        for layer in layers:
            mask = mask & self.known[layer] if layer in self.known else torch.zeros_like(mask)
        return mask
