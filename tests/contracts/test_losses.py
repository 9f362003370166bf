"""Promises that every loss of the catalogue makes, tested before its author writes a test."""

from inspect import Parameter, signature

import pytest
import torch
from pydantic import TypeAdapter

from limpid import catalogue
from limpid.errors import ShapeError
from limpid.layers.batch import Batch
from limpid.layers.separation import Separation
from limpid.layers.task import TASKS
from limpid.layers.unpaired import Translation

SIDE = 32
SETTINGS = {
    "contextual": {"layers": {"relu1_1": 1.0, "relu2_1": 1.0}, "megabytes": 4},
    "ms_ssim": {"weights": (0.4, 0.6)},
    "code_reconstruction": {"of": "style"},
    "perceptual": {"layers": {"input": 1.0, "relu1_1": 1.0, "conv2_2": 0.5}},
}
"""What cannot be left to the defaults, or would take longer than a test should."""

LEAST = {"charbonnier": 1e-3}
"""Value for equal images, where it is not 0."""

BATCHED = {("adversarial", "relativistic_average")}
"""What looks at the whole batch by its nature."""


def names(takes):
    return [name for name in catalogue.names("losses") if catalogue.find("losses", name).takes == takes]


def built(name, **settings):
    torch.manual_seed(0)
    loss = catalogue.find("losses", name).build(**SETTINGS.get(name, {}), **settings)
    if name == "feature_distillation":
        loss.fit({"shallow": (3, 5), "deep": (3, 3)})
    return loss


def image(seed, *, batch=3, side=SIDE):
    return torch.rand(batch, 3, side, side, generator=torch.Generator().manual_seed(seed))


def scene(place=slice(None)):
    """A cascade of two turns whose layers carry gradient, and its batch."""
    layers = {name: image(seed)[place].requires_grad_() for seed, name in enumerate(("transmission", "reflection", "residual"))}
    steps = {f"{name}_{turn}": image(10 + turn)[place] for name in ("transmission", "reflection") for turn in (1, 2)}
    steps |= {"transmission_2": layers["transmission"], "reflection_2": layers["reflection"]}
    steps |= {"transmission_half": image(20, side=SIDE // 2)[place], "transmission_quarter": image(21, side=SIDE // 4)[place]}
    steps |= {"lost": image(22)[place][:, :1].requires_grad_(), "presence": image(23)[place][:, :1, :1, :1].requires_grad_()}
    steps |= {f"mask_{turn}": image(24, side=SIDE // turn)[place][:, :2].requires_grad_() for turn in (1, 2)}
    count = len(layers["transmission"])
    batch = Batch(
        task=TASKS["reflection"],
        input=image(30)[place],
        truth={name: image(31 + seed)[place] for seed, name in enumerate(("transmission", "reflection"))},
        known=dict.fromkeys(("transmission", "reflection"), torch.ones(count, dtype=torch.bool)),
        kinds=("synthetic",) * count,
        gain=torch.tensor([0.8, 0.9, 1.0])[place],
        names=("",) * count,
    )
    return Separation(layers, steps=steps), batch


def is_sound(value, *learning):
    """A finite scalar whose slopes are finite and not all zero."""
    value.backward()
    slopes = [tensor.grad for tensor in learning if tensor.grad is not None]
    return (
        value.shape == () and bool(torch.isfinite(value)) and all(bool(torch.isfinite(slope).all()) for slope in slopes) and slopes
    )


@pytest.mark.parametrize("name", catalogue.names("losses"))
def test_entry_and_settings_are_complete(name):
    entry = catalogue.find("losses", name)
    assert entry.source
    assert entry.takes in ("layer", "scene", "logits", "teacher", "unpaired")
    for setting in signature(entry.build).parameters.values():
        assert setting.kind is Parameter.KEYWORD_ONLY, setting
        assert TypeAdapter(setting.annotation)  # a recipe's settings are checked against it


@pytest.mark.parametrize("name", catalogue.names("losses"))
def test_nothing_is_drawn_and_nothing_kept(name):
    loss, entry = built(name), catalogue.find("losses", name)
    before = {key: tensor.clone() for key, tensor in loss.state_dict().items()}
    calls = {
        "layer": lambda: loss(image(1), image(2)),
        "scene": lambda: loss(*scene()),
        "logits": lambda: loss.discriminator(image(1), image(2)),
        "teacher": lambda: loss(*lesson(name)),
        "unpaired": lambda: loss(*translation()),
    }
    assert torch.equal(calls[entry.takes](), calls[entry.takes]())
    assert all(torch.equal(tensor, before[key]) for key, tensor in loss.state_dict().items())
    trained = [key for key, parameter in loss.named_parameters() if parameter.requires_grad]
    assert all(key.startswith("projectors.") for key in trained)


@pytest.mark.parametrize("name", names("layer"))
def test_a_layer_loss_is_least_for_equal_images_and_bears_values_out_of_range(name):
    loss, target = built(name), image(2)
    least, other = float(loss(target, target)), float(loss(image(1), target))
    assert other > least
    if name != "contextual":  # the weights of a softmax cannot all be 1
        assert least == pytest.approx(LEAST.get(name, 0), abs=1e-6)
    for estimate in (image(1) * 3 - 1, target.clone()):
        estimate.requires_grad_()
        assert is_sound(loss(estimate, target), estimate)
    estimate = image(1).requires_grad_()
    loss(estimate, target).backward()
    assert float(estimate.grad.abs().sum()) > 0


@pytest.mark.parametrize("name", names("layer"))
def test_a_layer_loss_stays_what_it_is_where_convolutions_run_in_bfloat16(name):
    loss, estimate, target = built(name), image(1).mul(0.1).add(image(2).mul(0.9)).requires_grad_(), image(2)
    exact = float(loss(estimate, target))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(estimate, target)
    assert float(value) == pytest.approx(exact, rel=0.05)
    assert is_sound(value, estimate)


@pytest.mark.parametrize("name", names("layer"))
def test_a_layer_loss_of_a_batch_is_the_mean_of_its_images(name):
    loss, estimate, target = built(name), image(1), image(2)
    alone = [float(loss(estimate[place : place + 1], target[place : place + 1])) for place in range(3)]
    assert float(loss(estimate, target)) == pytest.approx(sum(alone) / 3, rel=1e-5)


@pytest.mark.parametrize("name", names("layer"))
def test_a_layer_loss_refuses_images_of_different_shape(name):
    with pytest.raises(ShapeError, match=r"got \(3, 3, 32, 32\) and \(1, 3, 32, 32\)"):
        built(name)(image(1), image(2)[:1])


@pytest.mark.parametrize("name", names("scene"))
def test_a_scene_loss_is_the_mean_of_its_images_and_says_which_truth_it_needs(name):
    loss = built(name)
    assert set(loss.needs) <= {"transmission", "reflection"}
    alone = [float(loss(*scene(slice(place, place + 1)))) for place in range(3)]
    layers, batch = scene()
    value = loss(layers, batch)
    assert float(value) == pytest.approx(sum(alone) / 3, rel=1e-5)
    assert is_sound(value, *layers.values(), *(layers.steps[step] for step in ("lost", "presence", "mask_1", "mask_2")))
    blind = Batch(**{**vars(batch), "truth": {layer: batch.truth[layer] for layer in loss.needs}})
    assert float(loss(layers, blind)) == float(value)


def forms():
    return [(name, form) for name in names("logits") for form in signature_forms(name)]


def signature_forms(name):
    return signature(catalogue.find("losses", name).build).parameters["form"].annotation.__args__


@pytest.mark.parametrize(("name", "form"), forms())
def test_discriminator_and_generator_pull_in_opposite_directions(name, form):
    game, real, fake = built(name, form=form), image(1).requires_grad_(), image(2).requires_grad_()
    game.discriminator(real, fake).backward()
    assert bool((real.grad <= 0).all())  # less loss when truth looks more real
    assert bool((fake.grad >= 0).all())
    fake.grad = None
    assert is_sound(game.generator(real.detach(), fake), fake)
    assert bool((fake.grad <= 0).all())


@pytest.mark.parametrize(("name", "form"), forms())
def test_a_score_of_a_batch_is_the_mean_of_its_images(name, form):
    game, real, fake = built(name, form=form), image(1), image(2)
    for score in (game.discriminator, game.generator):
        alone = [float(score(real[place : place + 1], fake[place : place + 1])) for place in range(3)]
        assert (float(score(real, fake)) == pytest.approx(sum(alone) / 3, rel=1e-6)) is ((name, form) not in BATCHED)


def lesson(name, place=slice(None)):
    """Maps of a student and of its teacher, who has five channels in the shallow one where a projector takes care of it."""
    sides = {"shallow": SIDE, "deep": SIDE // 2}
    student, teacher = ({layer: image(seed, side=side)[place] for layer, side in sides.items()} for seed in (1, 2))
    if name == "feature_distillation":
        teacher["shallow"] = teacher["shallow"][:, [0, 1, 2, 0, 1]]
    return student, teacher


def translation(place=slice(None)):
    """Everything that a network may make of photos and of samples, with gradient, and the batch."""
    _, batch = scene(place)
    made = [image(40 + seed)[place].requires_grad_() for seed in range(6)]
    names = ("transmission", "reflection")
    pairs = [(made[0], image(50)[place]), (made[1], image(51)[place])]
    return Translation(
        layers=Separation(dict(zip(names, made, strict=False))),
        fakes={name: [layer] for name, layer in zip(names, made, strict=False)},
        compared=dict.fromkeys(("self", "backward", "style", "content", "cycle"), pairs),
        compositions=[dict(zip(names, made, strict=False)), dict(zip(names, made[2:4], strict=True))],
        features={name: made[2 * seed : 2 * seed + 2] for seed, name in enumerate(names)},
        again={name: made[4:6] for name in names},
        codes={name: (made[seed].mean((2, 3)), image(60)[place].mean((2, 3))) for seed, name in enumerate(names)},
    ), batch


@pytest.mark.parametrize("name", names("unpaired"))
def test_a_loss_without_pairs_is_the_mean_of_its_images_and_looks_at_no_truth(name):
    loss = built(name)
    alone = [float(loss(*translation(slice(place, place + 1))).detach()) for place in range(3)]
    made, batch = translation()
    value = loss(made, batch)
    assert float(value.detach()) == pytest.approx(sum(alone) / 3, rel=1e-4)
    blind = Batch(**{**vars(batch), "truth": {}})
    assert float(loss(made, blind).detach()) == float(value.detach())
    everything = [*made.layers.values(), *made.compositions[1].values(), *made.again["transmission"]]
    assert is_sound(value, *everything)


@pytest.mark.parametrize("name", names("teacher"))
def test_a_lesson_is_the_mean_of_its_images_and_leaves_the_teacher_alone(name):
    loss = built(name)
    alone = [float(loss(*lesson(name, slice(place, place + 1)))) for place in range(3)]
    student, teacher = lesson(name)
    for layer in (*student.values(), *teacher.values()):
        layer.requires_grad_()
    value = loss(student, teacher)
    assert float(value) == pytest.approx(sum(alone) / 3, rel=1e-5)
    assert is_sound(value, *student.values())
    assert all(layer.grad is None for layer in teacher.values())
