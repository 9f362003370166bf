"""Scores of layers whose order is undefined, as those of methods that know nothing of photos: by the better permutation."""

from collections.abc import Callable, Sequence
from itertools import permutations

from torch import Tensor

from limpid.errors import ShapeError


def best_permutation(
    estimates: Sequence[Tensor], truths: Sequence[Tensor], measure: Callable[[Tensor, Tensor], float], *, higher: bool = True
) -> tuple[float, tuple[int, ...]]:
    """Mean of ``measure`` over the layers in their best order, and that order: which estimate stands for each truth.

    (3, H, W) each, as many estimates as truths. ``higher``: whether a larger value is better. Never use it where the domains name
    the layers: it flatters. Raises ShapeError when the numbers differ. Source: Gandelsman et al., CVPR 2019 (Double-DIP), as scored
    there.
    """
    if len(estimates) != len(truths):
        raise ShapeError(f"each layer needs an estimate; got {len(estimates)} for {len(truths)}")
    table = [[measure(estimate, truth) for truth in truths] for estimate in estimates]
    scored = [
        (sum(table[one][place] for place, one in enumerate(order)) / len(truths), order)
        for order in permutations(range(len(truths)))
    ]
    return max(scored) if higher else min(scored)
