"""What a network is to minimise, to the number, with the plain supervised procedure."""

import pytest

from limpid.errors import SettingError
from limpid.layers.separation import Separation
from procedure_samples import batch, procedure, term


def test_the_total_is_the_weighted_sum_over_layers_that_are_known():
    both = term("l1", 2.0, layers={"transmission": 1.0, "reflection": 0.5})
    value = procedure("supervised", [both]).loss("network", batch(), 0)
    data = batch()
    expected = (0.5 * data.input - data.truth["transmission"]).abs().mean()
    other = (0.25 * data.input - data.truth["reflection"]).abs().mean()
    assert float(value.parts["l1"]) == pytest.approx(float(expected + 0.5 * other), rel=1e-6)
    assert float(value.total.detach()) == pytest.approx(2 * float(value.parts["l1"]), rel=1e-6)
    half = procedure("supervised", [both]).loss("network", batch(("synthetic", "aligned"), [True, False]), 0)
    data = batch(("synthetic", "aligned"))
    expected = (0.5 * data.input - data.truth["transmission"]).abs().mean()
    other = (0.25 * data.input - data.truth["reflection"]).abs().mean((1, 2, 3))[0] / 2
    assert float(half.parts["l1"]) == pytest.approx(float(expected + 0.5 * other), rel=1e-6)


def test_terms_speak_of_their_kinds_of_pairs_alone():
    only = term("l1", kinds=("unaligned",))
    value = procedure("supervised", [only]).loss("network", batch(("synthetic", "aligned")), 0)
    assert float(value.total) == 0.0
    value = procedure("supervised", [only]).loss("network", batch(("synthetic", "unaligned")), 0)
    data = batch(("synthetic", "unaligned"))
    expected = (0.5 * data.input - data.truth["transmission"])[1].abs().mean() / 2
    assert float(value.parts["l1"]) == pytest.approx(float(expected), rel=1e-6)


def test_a_term_of_weight_zero_is_not_computed():
    late = term("l1", lambda epoch: float(epoch >= 2))
    assert procedure("supervised", [late]).loss("network", batch(), 1).parts == {}
    assert set(procedure("supervised", [late]).loss("network", batch(), 2).parts) == {"l1"}


def test_steps_weigh_intermediate_answers_in_place_of_the_layer():
    data = batch()
    answers = {f"transmission_{turn}": turn * data.input for turn in (1, 2)}
    layers = Separation({"transmission": 9 * data.input}, steps=answers)
    errors = [float((turn * data.input - data.truth["transmission"]).abs().mean()) for turn in (1, 2, 9)]
    assert float(term("l1", steps=(0.25, 1.0)).value(layers, data)) == pytest.approx(0.25 * errors[0] + errors[1], rel=1e-6)
    assert float(term("l1", steps=(7.0, 0.25, 1.0)).value(layers, data)) == pytest.approx(0.25 * errors[0] + errors[1], rel=1e-6)
    alone = Separation({"transmission": 9 * data.input})  # as networks answer outside training
    assert float(term("l1", steps=(0.25, 1.0)).value(alone, data)) == pytest.approx(errors[2], rel=1e-6)
    with pytest.raises(SettingError, match="2 steps, the loss l1 has weights for 1"):
        term("l1", steps=(1.0,)).value(layers, data)
