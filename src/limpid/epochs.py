"""Values that change from epoch to epoch: ``0.5``, or ``{0: 0, 20: 0.01}``, which is 0 until epoch 20 begins."""

from collections.abc import Mapping

Weight = float | Mapping[int, float]
"""A number, or numbers from an epoch on; epochs count from 0."""


def at(weight: Weight, epoch: int) -> float:
    """The value in an epoch; before the first epoch that is listed, the value listed first."""
    if not isinstance(weight, Mapping):
        return weight
    return weight[max((start for start in weight if start <= epoch), default=min(weight))]
