"""Who plays, which losses, in which order: the contract of each procedure, and that each of them learns."""

import copy

import pytest
import torch
from torch import nn

from limpid import catalogue
from limpid.checkpoints import file
from limpid.errors import SettingError, UnknownNameError
from limpid.layers.batch import Batch
from limpid.layers.network import LayerNetwork
from limpid.layers.separation import Separation
from limpid.layers.task import TASKS
from limpid.training.objective import Objective, Term
from limpid.training.procedure import FabricModule


class Scaled(LayerNetwork):
    """T = a·I, R = b·I: the smallest network with two layers."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Parameter(torch.tensor(0.5)), nn.Parameter(torch.tensor(0.25))

    def separate(self, mixed, recall=None):
        return Separation({"transmission": self.a * mixed, "reflection": self.b * mixed})


def batch(kinds=("synthetic",), known=None, *, side=32, seed=0):
    draw = torch.Generator().manual_seed(seed)
    count = len(kinds)
    photo, behind, mirrored = (torch.rand(count, 3, side, side, generator=draw) for _ in range(3))
    certain = torch.ones(count, dtype=torch.bool)
    return Batch(
        task=TASKS["reflection"],
        input=photo,
        truth={"transmission": behind, "reflection": mirrored},
        known={"transmission": certain, "reflection": certain if known is None else torch.tensor(known)},
        kinds=kinds,
        gain=torch.ones(count),
        names=("",) * count,
    )


def term(name, weight=1.0, *, layers=None, kinds=("synthetic", "aligned"), label=None, **settings):
    entry = catalogue.find("losses", name)
    at = weight if callable(weight) else lambda epoch: weight
    layers = layers or ({"transmission": 1.0} if entry.takes == "layer" else {})
    return Term(loss=entry.build(**settings), takes=entry.takes, label=label or name, weight=at, layers=layers, kinds=kinds)


def procedure(name, terms, network=None, **settings):
    torch.manual_seed(0)
    module = FabricModule(network or Scaled())
    return catalogue.find("procedures", name).build(network=module, objective=Objective(terms), **settings)


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


@pytest.mark.parametrize(("first", "expected"), [(True, ("discriminator", "network")), (False, ("network", "discriminator"))])
def test_the_discriminator_is_optimised_in_its_steps_once_its_term_has_a_weight(first, expected):
    terms = [term("l1"), term("adversarial", lambda epoch: 0.01 * (epoch >= 3), form="vanilla")]
    adversarial = procedure("adversarial", terms, discriminator="patch", discriminator_first=first, discriminator_every=2)
    assert adversarial.order(0, 2) == ("network",)
    assert [adversarial.order(step, 3) for step in (0, 1, 2)] == [expected, ("network",), expected]
    assert set(adversarial.loss("network", batch(), 2).parts) == {"l1"}
    assert set(adversarial.loss("network", batch(), 3).parts) == {"l1", "adversarial"}


@pytest.mark.parametrize("discriminator", ["conditional_patch", "patch", "errnet_vgg"])
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


def test_unaligned_pairs_are_not_compared_pixel_by_pixel():
    adversarial = term("adversarial", form="relativistic_average", kinds=("unaligned",))
    with pytest.raises(SettingError, match="l1: compares pixel by pixel"):
        procedure("unaligned", [term("l1", kinds=("unaligned", "aligned")), adversarial])
    deep = term("perceptual", kinds=("unaligned",), layers={"transmission": 1.0}, preset="errnet_unaligned")
    assert procedure("unaligned", [term("l1"), deep, adversarial]).needs_start


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """A hypercolumn network of width 8 as a file, and one like it of width 4."""
    entry = catalogue.find("models", "hypercolumn")
    settings = dict(catalogue.settings_of(entry, "tiny"))
    torch.manual_seed(5)
    network = entry.build(**settings)
    path = tmp_path_factory.mktemp("teacher") / "teacher.safetensors"
    file.save(path, file.Checkpoint(model="hypercolumn", settings=settings, tensors=network.state_dict(), notes={}))
    torch.manual_seed(6)
    return path, network, entry.build(**{**settings, "width": 4})


def lessons(teacher, **settings):
    path, _, student = teacher
    terms = [term("feature_distillation", label="feat_dist"), term("pixel_distillation", label="pix_dist")]
    return procedure("distillation", terms, copy.deepcopy(student), teacher=path, **settings)


def test_feature_distillation_reaches_what_the_student_trains(teacher):
    lesson = lessons(teacher)
    lesson.networks["network"].train()
    parts = lesson.objective.others("teacher")
    feature = next(one for one in parts if one.label == "feat_dist")
    lesson.terms = (feature,)
    lesson.loss("network", batch(), 0).total.backward()
    student = lesson.networks["network"].network
    assert student.conv1.conv.weight.grad.abs().sum() > 0
    assert len(student.reducers) == 4
    assert all(reducer.weight.grad is not None for reducer in student.reducers.values())
    assert set(feature.loss.projectors) == {"conv1", "conv4", "conv7", "conv9"}  # 8 channels against 4
    assert all(parameter.grad is None for parameter in lesson.teacher.parameters())


def test_the_value_of_a_lesson_is_that_of_the_two_networks(teacher):
    lesson = lessons(teacher)
    data = batch()
    with torch.no_grad():
        mine, theirs = lesson.networks["network"].network.train()(data.input), teacher[1].eval()(data.input)
    expected = torch.stack([(mine[name] - theirs[name]).abs().mean() for name in ("transmission", "reflection")]).mean()
    assert float(lesson.loss("network", data, 0).parts["pix_dist"]) == pytest.approx(float(expected), rel=1e-4)


def test_lessons_fade_after_the_warm_up(teacher):
    lesson = lessons(teacher, decay=(2, 6))
    assert [round(lesson.scale(epoch), 3) for epoch in (0, 2, 4, 6, 9)] == [1.0, 1.0, 0.5, 0.0, 0.0]


def test_modules_that_are_not_there_are_named(teacher):
    with pytest.raises(UnknownNameError, match="did you mean 'conv4'"):
        lessons(teacher, modules=("conv14",))
    with pytest.raises(SettingError, match="needs a pixel_distillation or feature_distillation"):
        procedure("distillation", [term("l1")], teacher=teacher[0])


def test_distillation_halves_the_distance_of_features(teacher):
    lesson = lessons(teacher)
    network = lesson.networks["network"].train()
    learnt = [*network.parameters(), *lesson.objective.parameters()]
    optimiser = torch.optim.Adam([parameter for parameter in learnt if parameter.requires_grad], lr=1e-2)
    data, values = batch(("synthetic",) * 2), []
    for _ in range(60):
        value = lesson.loss("network", data, 0)
        optimiser.zero_grad()
        value.total.backward()
        optimiser.step()
        values.append(float(value.parts["feat_dist"]))
    assert values[-1] < values[0] / 2
