"""A discriminator learns to tell truth from estimate, the network to be taken for truth; five ways to keep the score.

What the discriminator sees, an image alone or together with the photo (conditional), is the procedure's choice; here are logits
only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.catalogue import LossEntry
from limpid.errors import SettingError

FormName = Literal["vanilla", "least_squares", "relativistic", "relativistic_average", "wasserstein"]
Score = Callable[[Tensor, Tensor], Tensor]
"""Logits of truth and of estimates, (B, …) each → scalar."""


@dataclass(frozen=True, kw_only=True)
class Form:
    """What the discriminator minimises, what the network minimises, and whether the network's score looks at the truth as well."""

    discriminator: Score
    generator: Score
    compares: bool


def taken_for_real(logits: Tensor) -> Tensor:
    """Mean cross-entropy against the answer "real", −log σ(x); logits of any shape. Returns a scalar."""
    return F.softplus(-logits).mean()


def taken_for_fake(logits: Tensor) -> Tensor:
    """Mean cross-entropy against the answer "fake", −log(1 − σ(x)); logits of any shape. Returns a scalar."""
    return F.softplus(logits).mean()


def _above(logits: Tensor, others: Tensor) -> Tensor:
    """How much more real than the others on average over the batch, place by place."""
    return logits - others.mean(0, keepdim=True)


FORMS: Mapping[FormName, Form] = {
    # Goodfellow et al., NeurIPS 2014, in the form that does not saturate
    "vanilla": Form(
        discriminator=lambda real, fake: (taken_for_real(real) + taken_for_fake(fake)) / 2,
        generator=lambda real, fake: taken_for_real(fake),
        compares=False,
    ),
    # Mao et al., ICCV 2017: answers are 1 and 0
    "least_squares": Form(
        discriminator=lambda real, fake: ((real - 1).square().mean() + fake.square().mean()) / 2,
        generator=lambda real, fake: (fake - 1).square().mean(),
        compares=False,
    ),
    # Jolicoeur-Martineau, ICLR 2019: which of the two is more real; pairs belong together
    "relativistic": Form(
        discriminator=lambda real, fake: taken_for_real(real - fake),
        generator=lambda real, fake: taken_for_real(fake - real),
        compares=True,
    ),
    # the same against the average over the batch; with a batch of one equal to ``relativistic``
    "relativistic_average": Form(
        discriminator=lambda real, fake: (taken_for_real(_above(real, fake)) + taken_for_fake(_above(fake, real))) / 2,
        generator=lambda real, fake: (taken_for_fake(_above(real, fake)) + taken_for_real(_above(fake, real))) / 2,
        compares=True,
    ),
    # Arjovsky et al., ICML 2017: a distance that the discriminator estimates, kept honest by the penalty on its gradient
    "wasserstein": Form(
        discriminator=lambda real, fake: fake.mean() - real.mean(),
        generator=lambda real, fake: -fake.mean(),
        compares=False,
    ),
}


def gradient_penalty(discriminator: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """Mean of (‖∇D‖ − 1)² at random points between truth and estimates, (B, 3, H, W) each: a scalar that can be minimised.

    Source: Gulrajani et al., NeurIPS 2017, arXiv:1704.00028 (WGAN-GP). Draws by torch's own generator.
    """
    share = torch.rand(len(real), 1, 1, 1, device=real.device, dtype=real.dtype)
    between = (share * real + (1 - share) * fake).detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(discriminator(between).sum(), between, create_graph=True)
    penalty: Tensor = (slope.float().flatten(1).norm(dim=1) - 1).square().mean()
    return penalty


class Adversarial(nn.Module):
    """Both sides of the game by ``form``, from raw logits of truth and estimates, (B, …) each.

    ``compares``: whether ``generator`` looks at the logits of the truth; where not, they need not be computed and anything may be
    given. The average of ``relativistic_average`` runs over the batch, so it alone depends on the batch. ``penalty``: factor of
    ``gradient_penalty`` in what the discriminator minimises; None: 10 for ``wasserstein``, as its authors have it, else 0. Raises
    SettingError.
    """

    def __init__(self, *, form: FormName = "vanilla", penalty: float | None = None) -> None:
        super().__init__()
        if form not in FORMS:
            raise SettingError(f"the form of an adversarial loss is one of {', '.join(FORMS)}; got {form!r}")
        self.form = form
        self.penalty = (10.0 if form == "wasserstein" else 0.0) if penalty is None else penalty
        self.compares = FORMS[form].compares

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """What the discriminator minimises, a scalar; ``fake`` must come from detached estimates."""
        return FORMS[self.form].discriminator(real, fake)

    def generator(self, real: Tensor, fake: Tensor) -> Tensor:
        """What the network minimises, a scalar."""
        return FORMS[self.form].generator(real, fake)


ENTRY = LossEntry(
    build=Adversarial,
    takes="logits",
    source="Goodfellow et al., NeurIPS 2014; Mao et al., ICCV 2017; Jolicoeur-Martineau, ICLR 2019, arXiv:1807.00734;"
    " Gulrajani et al., NeurIPS 2017, arXiv:1704.00028",
)
