"""Unaligned fine-tuning: adversarial training that goes on with pairs whose two shots are shifted against each other.

Optimised: discriminator and network, as in ``adversarial``, from the first step on, the discriminator first. Losses: on unaligned
pairs only terms that bear a shift. A checkpoint to start from is required (``--init``).
"""

from torch import nn

from limpid.blocks.discriminators import Norm
from limpid.catalogue import Entry
from limpid.errors import SettingError
from limpid.training.objective import Objective
from limpid.training.procedures.adversarial import Adversarial, Discriminator

TOLERANT = ("Perceptual", "Contextual")
"""Losses that compare deep features or their distribution, not pixels of one place."""


class Unaligned(Adversarial):
    """ERRNet's second training, with its discriminator; raises SettingError for terms that compare pixels of unaligned pairs."""

    def __init__(
        self,
        *,
        network: nn.Module,
        objective: Objective,
        discriminator: Discriminator = "errnet_vgg",
        discriminator_layers: int | None = None,
        discriminator_norm: Norm | None = None,
        discriminator_width: int | None = None,
        discriminator_every: int = 1,
    ) -> None:
        super().__init__(
            network=network,
            objective=objective,
            discriminator=discriminator,
            discriminator_layers=discriminator_layers,
            discriminator_norm=discriminator_norm,
            discriminator_width=discriminator_width,
            discriminator_every=discriminator_every,
            needs_start=True,
        )
        strict = [
            term.label
            for term in objective.terms
            if "unaligned" in term.kinds and term.takes in ("layer", "scene") and type(term.loss).__name__ not in TOLERANT
        ]
        if strict:
            raise SettingError(
                f"{', '.join(strict)}: compares pixel by pixel, which unaligned pairs do not allow; leave them out of `only`"
            )


ENTRY = Entry(build=Unaligned, source="Wei et al., CVPR 2019, arXiv:1904.00637, section 3.3 and their code")
