"""Styles of layers that a photo is split into must be distributed as those of samples are."""

from collections.abc import Mapping

import torch
from torch import Tensor

from limpid.catalogue import LossEntry
from limpid.errors import SettingError
from limpid.layers.batch import Batch
from limpid.layers.unpaired import Translation
from limpid.losses._kinds import UnpairedLoss


def style_divergence(codes: Mapping[str, tuple[Tensor, Tensor]]) -> Tensor:
    """Σ over layers of mean p·(log p − log q), q and p the softmax over channels of photo's and sample's style, (B, C) each.

    Mean over elements, as in the authors' code, whose target is a log-softmax by mistake; here it is a softmax. Returns a scalar.
    """
    each = [(sample.softmax(1) * (sample.log_softmax(1) - own.log_softmax(1))).mean() for own, sample in codes.values()]
    return torch.stack(each).sum()


class StyleDivergence(UnpairedLoss):
    """``style_divergence`` of the photos' and the samples' styles. Raises SettingError for a network without styles."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, translation: Translation, batch: Batch) -> Tensor:
        """Scalar loss of a translation's styles."""
        if not translation.codes:
            raise SettingError("this network splits no style; leave style_divergence out")
        return style_divergence(translation.codes)


ENTRY = LossEntry(build=StyleDivergence, takes="unpaired", source="Liu et al., CVPR 2020, arXiv:1911.09930; target of a fork")
