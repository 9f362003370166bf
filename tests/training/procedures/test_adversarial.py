"""Network and discriminator: who is optimised when, and who moves whom."""

from dataclasses import replace

import pytest

from limpid.errors import SettingError
from procedure_samples import batch, procedure, term


@pytest.mark.parametrize(("first", "expected"), [(True, ("discriminator", "network")), (False, ("network", "discriminator"))])
def test_the_discriminator_is_optimised_in_its_steps_once_its_term_has_a_weight(first, expected):
    terms = [term("l1"), term("adversarial", lambda epoch: 0.01 * (epoch >= 3), form="vanilla")]
    adversarial = procedure("adversarial", terms, discriminator="patch", discriminator_first=first, discriminator_every=2)
    assert adversarial.order(0, 2) == ("network",)
    assert [adversarial.order(step, 3) for step in (0, 1, 2)] == [expected, ("network",), expected]
    assert set(adversarial.loss("network", batch(), 2).parts) == {"l1"}
    assert set(adversarial.loss("network", batch(), 3).parts) == {"l1", "adversarial"}


@pytest.mark.parametrize("discriminator", ["conditional_patch", "patch", "errnet_vgg", "ragnet"])
def test_network_and_discriminator_move_themselves_alone(discriminator):
    adversarial = procedure("adversarial", [term("adversarial", form="least_squares")], discriminator=discriminator)
    adversarial.loss("network", batch(), 0).total.backward()
    assert all(parameter.grad is None for parameter in adversarial.networks["discriminator"].parameters())
    assert adversarial.networks["network"].network.a.grad is not None
    adversarial.networks["network"].zero_grad()
    adversarial.loss("discriminator", batch(), 0).total.backward()
    assert all(parameter.grad is not None for parameter in adversarial.networks["discriminator"].parameters())
    assert adversarial.networks["network"].network.a.grad is None


def test_a_discriminator_that_comes_second_sees_what_the_network_has_shown():
    adversarial = procedure("adversarial", [term("adversarial", form="vanilla")], discriminator="patch", discriminator_first=False)
    data = batch()
    adversarial.order(0, 0)
    adversarial.loss("network", data, 0)
    before = float(adversarial.loss("discriminator", data, 0).total)
    adversarial.networks["network"].network.a.data.fill_(-3.0)
    assert float(adversarial.loss("discriminator", data, 0).total) == before  # not computed anew
    adversarial.order(1, 0)
    assert float(adversarial.loss("discriminator", data, 0).total) != before


def test_of_several_fakes_the_one_that_is_told_best_counts():
    terms, data = [term("adversarial", form="relativistic_average")], batch()
    alone = [
        float(procedure("adversarial", terms, discriminator="patch", fakes=(name,)).loss("discriminator", data, 0).total)
        for name in ("transmission", "reflection")
    ]
    both = procedure("adversarial", terms, discriminator="patch", fakes=("transmission", "reflection"))
    assert alone[0] != alone[1]
    assert float(both.loss("discriminator", data, 0).total) == min(alone)
    with pytest.raises(SettingError, match="set discriminator_first: true"):
        procedure("adversarial", terms, discriminator="patch", discriminator_first=False, fakes=("reflection",))


def test_discriminators_take_their_settings_or_say_who_has_them():
    terms = [term("adversarial", form="vanilla")]
    small = procedure("adversarial", terms, discriminator="patch", discriminator_layers=1, discriminator_width=8)
    assert sum(one.numel() for one in small.networks["discriminator"].parameters()) < 5000
    with pytest.raises(SettingError, match="errnet_vgg has no norm to choose; patch, errnet_patch, pixel have"):
        procedure("adversarial", terms, discriminator="errnet_vgg", discriminator_norm="batch")


def test_a_term_of_other_sources_is_not_played_for():
    mine = batch()
    adversarial = procedure(
        "adversarial", [replace(term("adversarial", form="vanilla"), sources=("elsewhere",))], discriminator="patch"
    )
    assert float(adversarial.loss("network", mine, 0).total) == 0
