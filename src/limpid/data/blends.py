"""A training source that blends pairs of photos from folders, with the rules by which the field pairs and rejects them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from limpid.data.augment import Augment
from limpid.data.pair import Pair
from limpid.errors import DataError, SettingError
from limpid.physics.formation import Formation, Mixture
from limpid.physics.seeds import generator

_TRIES = 100  # draws in a row that may be rejected


@dataclass(frozen=True, kw_only=True)
class Reject:
    """Pairs that teach nothing are drawn again (Zhang, Ng & Chen, CVPR 2018, constants of their code).

    ``dim``: reject when this share of the mean of T exceeds the mean of R, before blending; ``layer``: when the maximum of T
    or R stays below it; ``input``: when that of the blend does. All on values 0…1.
    """

    dim: float = 0.5
    layer: float = 0.15
    input: float = 0.1

    def layers(self, transmission: Tensor, reflection: Tensor) -> bool:
        """Whether two layers, (3, H, W), are rejected before they are blended."""
        return bool(self.dim * transmission.mean() > reflection.mean())

    def blend(self, mixture: Mixture) -> bool:
        """Whether a blend is rejected."""
        return bool(min(mixture.transmission.max(), mixture.reflection.max()) < self.layer or mixture.input.max() < self.input)


class Blends:
    """Pairs blended on the fly from ``transmissions`` and ``reflections``, (H, W, 3) uint8 photos.

    ``partner``: ``halves`` splits one list in two, from the second epoch on after shuffling it (Fan et al., ICCV 2017; Wei et
    al., CVPR 2019: 15,287 photos are 7,643 pairs); ``same`` takes the photo of the same place in ``reflections`` (Zhang et
    al., CVPR 2018); ``random`` any photo of ``reflections`` (Li et al., CVPR 2020). ``mixtures``: formation models with
    weights; ``clean``: share of items whose input is the transmission; ``reject``: pairs to draw again.
    Raises DataError when the photos do not suffice.
    """

    def __init__(
        self,
        transmissions: Sequence[np.ndarray],
        reflections: Sequence[np.ndarray] | None = None,
        *,
        mixtures: Sequence[tuple[Formation, float]],
        augment: Augment,
        seed: int,
        partner: Literal["halves", "same", "random"] = "halves",
        clean: float = 0.0,
        reject: Reject | None = None,
    ) -> None:
        if (reflections is None) != (partner == "halves"):
            raise SettingError("blends take one list of photos with partner 'halves', and two with 'same' or 'random'")
        self.augment, self.seed, self.partner, self.clean, self.reject = augment, seed, partner, clean, reject
        self.transmissions = transmissions
        self.reflections = transmissions if reflections is None else reflections
        if partner == "same" and len(transmissions) != len(self.reflections):
            lengths = f"{len(transmissions)} and {len(self.reflections)}"
            raise DataError(f"photos of the same place need two lists of one length; got {lengths}")
        if not len(self) or not len(self.reflections):
            raise DataError(f"blending needs at least two photos; got {len(transmissions)} and {len(self.reflections)}")
        self.formations = [formation for formation, _ in mixtures]
        weights = np.array([weight for _, weight in mixtures], dtype=float)
        self.chances = weights / weights.sum()

    def __len__(self) -> int:
        return len(self.transmissions) // 2 if self.partner == "halves" else len(self.transmissions)

    def pair(self, place: int, epoch: int, draw: np.random.Generator) -> Pair:
        """Pair number ``place`` of ``epoch``; a rejected one is replaced by a random one, and so on.

        Raises DataError when 100 in a row are rejected.
        """
        for _ in range(_TRIES):
            pair = self._blend(*self._partners(place, epoch, draw), draw)
            if pair is not None:
                return pair
            place = int(draw.integers(len(self)))
        raise DataError(f"{_TRIES} blends in a row were rejected as too dark; look at the photos or loosen `reject`")

    def _partners(self, place: int, epoch: int, draw: np.random.Generator) -> tuple[int, int]:
        if self.partner == "random":
            return place, int(draw.integers(len(self.reflections)))
        if self.partner == "same":
            return place, place
        if epoch == 0:
            return place, place + len(self)
        order = generator(self.seed, epoch, "halves").permutation(len(self.transmissions))
        return int(order[place]), int(order[place + len(self)])

    def _blend(self, first: int, second: int, draw: np.random.Generator) -> Pair | None:
        behind, mirrored = self.transmissions[first], self.reflections[second]
        parameters = self.augment.draw(draw, (behind.shape[0], behind.shape[1]))
        transmission = self.augment.apply(behind, parameters)
        if draw.random() < self.clean:
            nothing = torch.zeros_like(transmission)
            return Pair(input=transmission, transmission=transmission, reflection=nothing, name=f"{first} clean")
        if mirrored.shape != behind.shape and self.augment.crop is None:  # as published: stretched to the size of T
            parameters = {**parameters, "box": [0.0, 0.0, float(mirrored.shape[1]), float(mirrored.shape[0])]}
        elif mirrored.shape != behind.shape:
            parameters = self.augment.draw(draw, (mirrored.shape[0], mirrored.shape[1]))
        reflection = self.augment.apply(mirrored, parameters)
        if self.reject is not None and self.reject.layers(transmission, reflection):
            return None
        formation = self.formations[draw.choice(len(self.formations), p=self.chances)]
        mixture = formation.apply(transmission, reflection, formation.draw(draw, (transmission.shape[1], transmission.shape[2])))
        if self.reject is not None and self.reject.blend(mixture):
            return None
        return Pair(
            input=mixture.input,
            transmission=mixture.transmission,
            reflection=mixture.reflection,
            name=f"{first}+{second} {type(formation).__name__.lower()}",
        )
