"""Pairs blended on the fly from folders of photos."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import numpy as np
import torch
from torch import Tensor

from limpid.catalogue import Nested, SourceEntry
from limpid.data.augment import Augment, Parameters
from limpid.data.concat import check_same_names, paths_of
from limpid.data.hints import draw_hint
from limpid.data.photo_folders import Roots, photos_of
from limpid.data.sizes import Sizes, sizes_of
from limpid.errors import DataError, SettingError
from limpid.layers.pair import Pair
from limpid.physics.degradation import Degradation, degrade
from limpid.physics.formation import Formation, Mixture
from limpid.physics.seeds import generator

Thing = TypeVar("Thing")

_TRIES = 100  # draws in a row that may be rejected
_TWICE = 1 / 3  # share of the scenes under one condition that come under a second one


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


class MixedPairs:
    """A ``Source`` of pairs blended on the fly from ``transmissions`` and ``reflections``, (H, W, 3) uint8 photos.

    ``partner``: ``halves`` splits one list in two, from the second epoch on after shuffling it (Fan et al., ICCV 2017; Wei et al.,
    CVPR 2019: 15,287 photos are 7,643 pairs); ``same`` takes the photo of the same place in ``reflections`` (Zhang et al., CVPR
    2018); ``random`` any photo of ``reflections`` (Li et al., CVPR 2020), of one list any other one. ``mixtures``: formation
    models with weights; ``no_reflection``: share of items whose input is the transmission; ``reject``: pairs to draw again.
    ``conditions``: ways to photograph a scene (depth of field, fog, …), with weights, of which a ``conditioned`` share of the
    transmissions goes through one, and of these a third through a second one, before they are blended or left without a
    reflection. ``hints``: share of the blends that come with a rough mask of where the reflection is. ``degrade``: degradations
    that a ``degraded`` share of the inputs goes through in this order, as in a camera; layers stay.
    Photos of one size are augmented alike, as published, unless in windows, which each photo has of its own. Raises DataError when
    the photos do not suffice, SettingError when lists and partners do not agree.
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
        no_reflection: float = 0.0,
        reject: Reject | None = None,
        conditions: Sequence[tuple[Degradation, float]] = (),
        conditioned: float = 0.0,
        hints: float = 0.0,
        degrade: Sequence[Degradation] = (),
        degraded: float = 0.0,
    ) -> None:
        if partner != "random" and (reflections is None) != (partner == "halves"):
            raise SettingError("blends take one list of photos with partner 'halves', two with 'same', either with 'random'")
        if not mixtures or min(weight for _, weight in mixtures) < 0 or not sum(weight for _, weight in mixtures):
            raise SettingError("blends need at least one of `mixtures`, with weights that are not negative and not all 0")
        self.augment, self.seed, self.partner, self.no_reflection, self.reject = augment, seed, partner, no_reflection, reject
        self.degrade, self.degraded = degrade, degraded
        self.transmissions = transmissions
        self.reflections = transmissions if reflections is None else reflections
        self.alone = reflections is None
        if partner == "same" and len(transmissions) != len(self.reflections):
            lengths = f"{len(transmissions)} and {len(self.reflections)}"
            raise DataError(f"photos of the same place need two lists of one length; got {lengths}")
        if not len(self) or len(self.reflections) < 1 + self.alone:
            raise DataError(f"blending needs at least two photos; got {len(transmissions)} and {len(self.reflections)}")
        self.formations, self.chances = _weighted(mixtures)
        self.conditions, self.condition_chances = _weighted(conditions)
        self.conditioned = conditioned if conditions else 0.0
        self.hints = hints

    def __len__(self) -> int:
        return len(self.transmissions) // 2 if self.partner == "halves" else len(self.transmissions)

    def files(self) -> list[Path]:
        """The photos, where they lie on disk."""
        return paths_of(self.transmissions) + ([] if self.alone else paths_of(self.reflections))

    def sizes(self) -> Sizes:
        """Sizes of the transmissions, which the reflections are brought to."""
        return sizes_of(self.augment, paths_of(self.transmissions))

    def pair(self, place: int, epoch: int, draw: np.random.Generator) -> Pair:
        """Pair number ``place`` of ``epoch``; a rejected one is replaced by a random one, and so on.

        Raises DataError when 100 in a row are rejected.
        """
        for _ in range(_TRIES):
            pair = self._blend(*self._partners(place, epoch, draw), self.augment.at(epoch), draw)
            if pair is not None:
                return pair
            place = int(draw.integers(len(self)))
        raise DataError(f"{_TRIES} blends in a row were rejected as too dark; look at the photos or loosen `reject`")

    def _partners(self, place: int, epoch: int, draw: np.random.Generator) -> tuple[int, int]:
        if self.partner == "random" and self.alone:
            return place, (place + int(draw.integers(1, len(self.reflections)))) % len(self.reflections)
        if self.partner == "random":
            return place, int(draw.integers(len(self.reflections)))
        if self.partner == "same":
            return place, place
        if epoch == 0:
            return place, place + len(self)
        order = _shuffled(self.seed, epoch, len(self.transmissions))
        return int(order[place]), int(order[place + len(self)])

    def _blend(self, first: int, second: int, augment: Augment, draw: np.random.Generator) -> Pair | None:
        behind, mirrored = self.transmissions[first], self.reflections[second]
        parameters = augment.draw(draw, (behind.shape[0], behind.shape[1]))
        transmission = self._photographed(augment.apply(behind, parameters), draw)
        if draw.random() < self.no_reflection:
            nothing = torch.zeros_like(transmission)
            name = f"{first} no reflection"
            seen = self._seen(transmission, draw)
            layers = {"transmission": transmission, "reflection": nothing}
            return Pair(input=seen, layers=layers, name=name, kind="synthetic")
        reflection = _mirrored(mirrored, behind, augment, parameters, draw)
        if self.reject is not None and self.reject.layers(transmission, reflection):
            return None
        formation = self.formations[draw.choice(len(self.formations), p=self.chances)]
        mixture = formation.apply(transmission, reflection, formation.draw(draw, (transmission.shape[1], transmission.shape[2])))
        if self.reject is not None and self.reject.blend(mixture):
            return None
        hint = draw_hint(mixture.input, mixture.transmission, draw) if self.hints and draw.random() < self.hints else None
        return Pair(
            input=self._seen(mixture.input, draw),
            layers={"transmission": mixture.transmission, "reflection": mixture.reflection},
            name=f"{first}+{second} {type(formation).__name__.lower()}",
            kind="synthetic",
            gain=mixture.gain,
            hint=hint,
        )

    def _photographed(self, scene: Tensor, draw: np.random.Generator) -> Tensor:
        """The scene under conditions that make its photo hard to tell from one through glass, perhaps; within 0…1."""
        if not self.conditioned or draw.random() >= self.conditioned:
            return scene
        for _ in range(1 + int(draw.random() < _TWICE)):
            condition = self.conditions[draw.choice(len(self.conditions), p=self.condition_chances)]
            scene = condition.apply(scene, condition.draw(draw, (scene.shape[1], scene.shape[2]))).image.clamp(0, 1)
        return scene

    def _seen(self, photo: Tensor, draw: np.random.Generator) -> Tensor:
        """The photo as a camera keeps it: perhaps degraded, within 0…1."""
        if not self.degrade or draw.random() >= self.degraded:
            return photo
        size = (photo.shape[1], photo.shape[2])
        return degrade(photo, [(degradation, degradation.draw(draw, size)) for degradation in self.degrade]).image.clamp(0, 1)


def _mirrored(photo: np.ndarray, behind: np.ndarray, augment: Augment, parameters: Parameters, draw: np.random.Generator) -> Tensor:
    """The second photo at the size of the first one's layer, which ``parameters`` gave."""
    size = (photo.shape[0], photo.shape[1])
    if augment.window is not None or (photo.shape != behind.shape and augment.crop is not None):
        parameters = augment.draw(draw, size)
    elif photo.shape != behind.shape:  # as published: stretched to the size of T
        parameters = {**parameters, "box": [0.0, 0.0, float(size[1]), float(size[0])]}
    return augment.apply(photo, parameters)


def _weighted(things: Sequence[tuple[Thing, float]]) -> tuple[list[Thing], np.ndarray]:
    weights = np.array([weight for _, weight in things], dtype=float)
    return [thing for thing, _ in things], weights / max(weights.sum(), 1e-9)


@lru_cache(maxsize=4)
def _shuffled(seed: int, epoch: int, count: int) -> np.ndarray:
    return generator(seed, epoch, "halves").permutation(count)


def mixture(
    *,
    transmission: Roots,
    mixtures: Annotated[Sequence[tuple[Formation, float]], Nested(kind="mixtures", weighted=True)],
    seed: int,
    augment: Augment | None = None,
    reflection: Roots | None = None,
    partner: Literal["halves", "same", "random"] = "halves",
    no_reflection: float = 0.0,
    reject: Reject | None = None,
    conditions: Annotated[Sequence[tuple[Degradation, float]], Nested(kind="degradations", weighted=True)] = (),
    conditioned: float = 0.0,
    hints: float = 0.0,
    degrade: Annotated[Sequence[Degradation], Nested(kind="degradations")] = (),
    degraded: float = 0.0,
    keep: bool = False,
) -> MixedPairs:
    """Photos of ``transmission`` behind glass that mirrors those of ``reflection``; the other settings are those of ``MixedPairs``.

    Without ``augment`` photos stay whole, and a reflection is stretched to the size of its transmission. ``keep``: hold what
    was decoded in memory, once per worker. Partners of the ``same`` place must have the same stem. Raises DataError.
    """
    behind = photos_of(transmission, keep=keep)
    mirrored = None if reflection is None else photos_of(reflection, keep=keep)
    if partner == "same" and mirrored is not None:
        check_same_names(behind, mirrored)
    return MixedPairs(
        behind,
        mirrored,
        mixtures=mixtures,
        augment=augment or Augment(flip=0.0),
        seed=seed,
        partner=partner,
        no_reflection=no_reflection,
        reject=reject,
        conditions=conditions,
        conditioned=conditioned,
        hints=hints,
        degrade=degrade,
        degraded=degraded,
    )


ENTRY = SourceEntry(
    build=mixture, tasks=("reflection",), source="Fan et al., ICCV 2017; Zhang et al., CVPR 2018; Li et al., CVPR 2020"
)
