"""Student and teacher: what is compared, what moves, and when the lessons end."""

import copy

import pytest
import torch

from limpid import catalogue
from limpid.checkpoints import file
from limpid.errors import SettingError, UnknownNameError
from procedure_samples import batch, procedure, term


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


def test_what_the_student_minimises_fades_with_the_lessons(teacher):
    fading, lasting = lessons(teacher, decay=(2, 6)), lessons(teacher)
    data = batch()
    first = float(fading.loss("network", data, 0).total)
    assert first == pytest.approx(float(sum(fading.loss("network", data, 0).parts.values())), rel=1e-5)
    totals = [float(fading.loss("network", data, epoch).total) for epoch in (2, 4, 6)]
    assert totals == pytest.approx([first, first / 2, 0], rel=1e-5, abs=1e-9)
    assert float(lasting.loss("network", data, 6).total) == pytest.approx(first, rel=1e-5)


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
