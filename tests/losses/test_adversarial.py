"""Scores of the adversarial game, against binary cross-entropy as PyTorch has it and closed forms."""

import math

import pytest
import torch
import torch.nn.functional as F

from limpid.errors import SettingError
from limpid.losses.adversarial import FORMS, Adversarial, gradient_penalty


def logits(batch=3):
    generator = torch.Generator().manual_seed(4)
    return torch.randn(2, batch, 1, 5, 6, generator=generator, dtype=torch.float64).unbind()


def entropy(values, answer):
    return F.binary_cross_entropy_with_logits(values, torch.full_like(values, answer))


def expected(form, real, fake):
    """(discriminator, module) as in errnet_ibcln.md §2.3 and §3.3 and hypercolumn.md §2."""
    if form == "vanilla":
        return 0.5 * (entropy(real, 1) + entropy(fake, 0)), entropy(fake, 1)
    if form == "least_squares":
        return 0.5 * (F.mse_loss(real, torch.ones_like(real)) + fake.square().mean()), F.mse_loss(fake, torch.ones_like(fake))
    if form == "relativistic":
        return entropy(real - fake, 1), entropy(fake - real, 1)
    if form == "wasserstein":
        return fake.mean() - real.mean(), -fake.mean()
    above, below = real - fake.mean(0, keepdim=True), fake - real.mean(0, keepdim=True)
    return 0.5 * (entropy(above, 1) + entropy(below, 0)), 0.5 * (entropy(above, 0) + entropy(below, 1))


@pytest.mark.parametrize("form", FORMS)
def test_scores_are_those_of_the_specifications(form):
    game, (real, fake) = Adversarial(form=form), logits()
    discriminator, module = expected(form, real, fake)
    assert float(game.discriminator(real, fake)) == pytest.approx(float(discriminator), rel=1e-12)
    assert float(game.generator(real, fake)) == pytest.approx(float(module), rel=1e-12)


def test_an_undecided_discriminator():
    zero = torch.zeros(2, 1, 3, 3)
    for form in ("vanilla", "relativistic", "relativistic_average"):
        game = Adversarial(form=form)
        assert float(game.discriminator(zero, zero)) == pytest.approx(math.log(2))
        assert float(game.generator(zero, zero)) == pytest.approx(math.log(2))
    assert float(Adversarial(form="least_squares").discriminator(zero, zero)) == 0.5
    assert float(Adversarial(form="least_squares").generator(zero, zero)) == 1


def test_with_one_image_the_average_is_the_other_image():
    real, fake = logits(batch=1)
    average, plain = Adversarial(form="relativistic_average"), Adversarial(form="relativistic")
    assert float(average.discriminator(real, fake)) == pytest.approx(float(plain.discriminator(real, fake)))
    assert float(average.generator(real, fake)) == pytest.approx(float(plain.generator(real, fake)))


@pytest.mark.parametrize("form", FORMS)
def test_a_player_that_does_not_compare_does_not_look_at_the_truth(form):
    game, (real, fake) = Adversarial(form=form), logits()
    assert (float(game.generator(real, fake)) != float(game.generator(real + 1, fake))) is game.compares


def test_huge_logits_stay_finite():
    huge = torch.full((1, 1), 1e4, requires_grad=True)
    for form in FORMS:
        value = Adversarial(form=form).discriminator(-huge, huge)
        value.backward()
        assert bool(torch.isfinite(value))
        assert bool(torch.isfinite(huge.grad).all())


def test_unknown_forms_are_refused():
    with pytest.raises(SettingError, match="relativistic_average, wasserstein; got 'hinge'"):
        Adversarial(form="hinge")


def test_the_penalty_on_gradients_is_that_of_a_slope_one_knows():
    real, fake = torch.zeros(4, 3, 2, 2), torch.ones(4, 3, 2, 2)
    value = gradient_penalty(lambda images: 2 * images.flatten(1).sum(1), real, fake)  # ‖∇‖ = 2·√12
    assert float(value) == pytest.approx((2 * math.sqrt(12) - 1) ** 2, rel=1e-6)
    weight = torch.ones((), requires_grad=True)
    gradient_penalty(lambda images: weight * images.square().flatten(1).sum(1), real, fake).backward()
    assert float(weight.grad) != 0
    assert [Adversarial(form=form).penalty for form in ("wasserstein", "vanilla")] == [10.0, 0.0]
    assert Adversarial(form="wasserstein", penalty=1.0).penalty == 1.0
