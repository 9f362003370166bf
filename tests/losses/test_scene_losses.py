"""Losses of a whole scene, against the values that the published code gives and closed forms."""

import pytest
import torch
import torch.nn.functional as F

from limpid.errors import SettingError, ShapeError, UnknownNameError
from limpid.layers.batch import Batch
from limpid.layers.encoding import to_encoded, to_linear
from limpid.layers.separation import Separation, steps_of
from limpid.layers.task import TASKS
from limpid.losses.exclusion import Exclusion, exclusion
from limpid.losses.ibcln_multiscale import IbclnMultiscale
from limpid.losses.ibcln_residual import IbclnResidual
from limpid.losses.perceptual import Perceptual
from limpid.losses.ragnet_masks import RagnetMasks, ragnet_masks
from limpid.losses.reconstruction import Reconstruction, reconstruction
from limpid.losses.step_mse import StepMse
from limpid.models.ibcln import Ibcln
from limpid.models.ragnet import Ragnet


def image(*size, seed=0, batch=2):
    return torch.rand(batch, 3, *(size or (16, 16)), generator=torch.Generator().manual_seed(seed))


def batch_of(photo, transmission, gain=(1.0, 1.0)):
    return Batch(
        task=TASKS["reflection"],
        input=photo,
        truth={"transmission": transmission},
        known={"transmission": torch.ones(len(photo), dtype=torch.bool)},
        kinds=("synthetic",) * len(photo),
        gain=torch.tensor(gain[: len(photo)]),
        names=("",) * len(photo),
    )


def wiring():
    """P, Q and W of the golden values in dsrnet_mamba.md §7, float64."""
    c, i, j = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in (3, 16, 16)), indexing="ij")
    planes = (((7 * c + 3 * i + 5 * j) % 11) / 10, ((5 * c + 2 * i + 3 * j) % 7) / 6, ((2 * c + i + j) % 5) / 4)
    return [plane[None] for plane in planes]


def cascade(steps=3, *, seed=0):
    layers = {f"{name}_{t}": image(seed=seed + 10 * t + place) for t in range(1, steps + 1) for place, name in enumerate("TR")}
    named = {name.replace("T_", "transmission_").replace("R_", "reflection_"): layer for name, layer in layers.items()}
    last = {name: named[f"{name}_{steps}"] for name in ("transmission", "reflection")}
    return Separation(last, steps=named | {"transmission_half": image(8, 8), "transmission_quarter": image(4, 4)})


@pytest.mark.parametrize("form", ["image", "dsrnet"])
def test_exclusion_gives_the_values_of_dsrnets_code(form):
    first, second, _ = wiring()
    assert float(exclusion(first, second, form=form)) == pytest.approx(0.1577289813, abs=1e-9)
    assert float(exclusion(second, first, form=form)) == pytest.approx(0.1705406361, abs=1e-9)


def by_hand(first, second, *, levels=3, epsilon=1e-6, sigmoid=torch.sigmoid):
    """PINTO0309's form: images by themselves, sums over the batch and over both directions, divided by the levels."""
    total = 0.0
    for one, other in zip(first, second, strict=True):
        for level in range(levels):
            small = [F.interpolate(x[None], scale_factor=0.5**level, mode="area")[0] for x in (one, other)]
            for axis in (1, 2):
                d, e = (torch.diff(x, dim=axis) for x in small)
                alpha = 2 * d.abs().mean() / (e.abs().mean() + epsilon)
                product = ((2 * sigmoid(d) - 1) * (2 * sigmoid(alpha * e) - 1)) ** 2
                total = total + (product.mean() + epsilon) ** 0.25
    return total / levels


def test_exclusion_in_the_form_of_the_hypercolumn_port_adds_up_images_and_directions():
    first, second = image(24, 32, seed=1).double(), image(24, 32, seed=2).double()
    expected = float(by_hand(first, second))
    assert float(exclusion(first, second, form="hypercolumn")) == pytest.approx(expected)
    assert float(exclusion(first, second)) == pytest.approx(expected / 4)  # two images, two directions
    flat = torch.zeros(1, 3, 8, 8, dtype=torch.float64)
    assert float(exclusion(flat, flat, form="hypercolumn")) == pytest.approx(0.0632, abs=5e-5)  # hypercolumn.md §3


def test_only_the_image_form_does_not_depend_on_the_batch():
    first, second = image(seed=1), image(seed=2) * torch.tensor([0.1, 1.0]).reshape(2, 1, 1, 1)
    for form, invariant in (("image", True), ("dsrnet", False), ("hypercolumn", False)):
        alone = [float(exclusion(first[k : k + 1], second[k : k + 1], form=form)) for k in range(2)]
        assert (float(exclusion(first, second, form=form)) == pytest.approx(sum(alone) / 2, rel=1e-5)) is invariant, form


def test_the_form_of_dsrnet_takes_the_batch_for_one_image():
    first, second = image(seed=1).double(), image(seed=2).double()
    joined = [layer.reshape(1, 6, 16, 16) for layer in (first, second)]  # the same means
    assert float(exclusion(first, second, form="dsrnet")) == pytest.approx(float(exclusion(*joined)), rel=1e-12)


@pytest.mark.parametrize("form", ["image", "dsrnet", "hypercolumn"])
def test_the_level_rule_carries_gradient(form):
    layers = [layer.double().requires_grad_() for layer in (image(8, 8, seed=1), image(8, 8, seed=2))]
    assert torch.autograd.gradcheck(lambda first, second: exclusion(first, second, form=form), layers)


def test_bilinear_halving_is_the_mean_of_four_pixels_also_for_odd_sides():
    photo = image(19, 25)
    assert torch.allclose(F.interpolate(photo, scale_factor=0.5, mode="bilinear"), F.avg_pool2d(photo, 2), atol=1e-6)


def test_exclusion_rewards_edges_in_different_places_and_its_slope_is_finite_everywhere():
    edges = torch.zeros(1, 3, 16, 16)
    edges[..., :8] = 1
    assert float(exclusion(edges, edges.roll(3, -1))) < float(exclusion(edges, edges)) / 2
    for second in (edges, torch.zeros_like(edges)):
        first, other = edges.clone().requires_grad_(), second.clone().requires_grad_()
        exclusion(first, other).backward()
        assert bool(torch.isfinite(first.grad).all())
        assert bool(torch.isfinite(other.grad).all())


def test_exclusion_says_what_it_cannot_do():
    with pytest.raises(ShapeError, match="3 levels needs sides of 8 pixels; got 7×20"):
        exclusion(image(7, 20), image(7, 20))
    with pytest.raises(ShapeError, match="one shape"):
        exclusion(image(8, 8), image(8, 9))
    with pytest.raises(SettingError, match="image, dsrnet, hypercolumn"):
        Exclusion(form="zhang")


def test_reconstruction_is_the_value_of_dsrnets_code_and_takes_the_residual_when_there_is_one():
    first, second, third = wiring()
    every = {"transmission": first, "reflection": second, "residual": third}
    assert float(reconstruction(first, every, TASKS["reflection"])) == pytest.approx(0.9995659722, abs=1e-9)
    batch = batch_of(first, first)
    layers = {"transmission": first, "reflection": second}
    assert float(Reconstruction()(Separation(layers), batch)) == pytest.approx(float(second.abs().mean()))
    assert float(Reconstruction()(Separation({**layers, "residual": -second}), batch)) == pytest.approx(0)
    product = reconstruction(first, {"albedo": second, "shading": third}, TASKS["intrinsic"])
    assert float(product) == pytest.approx(float((to_encoded(to_linear(second) * to_linear(third)) - first).abs().mean()))
    with pytest.raises(SettingError, match="deblur \\(restored\\) do not compose"):
        reconstruction(first, {"restored": first}, TASKS["deblur"])


def test_step_mse_adds_up_the_turns_in_order():
    layers, truth = cascade(11), image(seed=99)
    expected = sum(F.mse_loss(layers.steps[f"transmission_{t}"], truth) for t in range(1, 12))
    assert float(StepMse()(layers, batch_of(truth, truth))) == pytest.approx(float(expected))
    plain = Separation({"restored": truth + 0.1})
    one = Batch(task=TASKS["denoise"], input=truth, truth={"restored": truth}, known={}, kinds=(), gain=torch.ones(2), names=())
    assert float(StepMse(layer="restored")(plain, one)) == pytest.approx(0.01, rel=1e-4)
    assert StepMse(layer="restored").needs == ("restored",)


def test_turns_come_in_the_order_of_their_numbers():
    turns = {f"transmission_{number}": torch.full((1, 3, 2, 2), float(number)) for number in (10, 2, 1)}
    layers = Separation({"transmission": torch.zeros(1, 3, 2, 2)}, steps=turns | {"transmission_half": torch.zeros(1, 3, 1, 1)})
    assert [float(turn.mean()) for turn in steps_of(layers, "transmission")] == [1, 2, 10]
    with pytest.raises(UnknownNameError, match="did you mean 'transmission'"):
        steps_of(layers, "transmision")


@pytest.mark.parametrize(("rounded", "gains"), [(True, (0.9, 0.8)), (False, (0.87, 0.841))])
def test_the_residual_losses_of_ibcln_as_in_the_specification(rounded, gains):
    layers, photo, truth = cascade(), image(seed=50), image(seed=51)
    batch = batch_of(photo, truth, (0.87, 0.841))
    gain, expected = torch.tensor(gains).reshape(2, 1, 1, 1), 0.0
    for t in (1, 2, 3):
        seen, mirrored = layers.steps[f"transmission_{t}"] ** 2.2, layers.steps[f"reflection_{t}"] ** 2.2
        expected += 3 * F.mse_loss(photo**2.2, gain * seen + mirrored) + 5 * F.mse_loss(mirrored + gain * truth**2.2, photo**2.2)
    value = IbclnResidual(mixture=3, reflection=5, rounded=rounded)(layers, batch)
    assert float(value) == pytest.approx(float(expected), rel=1e-5)


def test_the_residual_losses_vanish_for_a_mixture_in_linear_light_and_bear_values_below_zero():
    truth, mirrored = image(seed=1), 0.4 * image(seed=2)
    photo = (0.9 * truth**2.2 + mirrored**2.2) ** (1 / 2.2)
    layers = Separation({"transmission": truth, "reflection": mirrored})
    batch = batch_of(photo, truth, (0.9, 0.9))
    assert float(IbclnResidual()(layers, batch)) == pytest.approx(0, abs=1e-12)
    below = (truth - 2).requires_grad_()
    value = IbclnResidual()(Separation({"transmission": below, "reflection": mirrored}), batch)
    value.backward()
    assert bool(torch.isfinite(value))
    assert bool(torch.isfinite(below.grad).all())


def test_the_multiscale_loss_compares_three_sizes():
    torch.manual_seed(0)
    loss, layers, truth = IbclnMultiscale(), cascade(), image(seed=60)
    single = Perceptual(preset="ibcln")
    single.load_state_dict(loss.perceptual.state_dict())
    half = truth.reshape(2, 3, 8, 2, 8, 2).mean((3, 5))
    quarter = truth.reshape(2, 3, 4, 4, 4, 4).mean((3, 5))
    expected = single(layers.transmission, truth) + 0.8 * single(layers.steps["transmission_half"], half)
    expected = expected + 0.6 * single(layers.steps["transmission_quarter"], quarter)
    assert float(loss(layers, batch_of(truth, truth))) == pytest.approx(float(expected), rel=1e-5)


def test_the_losses_of_ibcln_fit_its_network():
    torch.manual_seed(0)
    network, photo = Ibcln(width=4).train(), image(32, 32)
    batch, layers = batch_of(photo, image(32, 32, seed=1), (0.8, 1.0)), network(photo)
    total = StepMse()(layers, batch) + IbclnResidual()(layers, batch) + IbclnMultiscale()(layers, batch)
    total.backward()
    idle = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    assert {name.rsplit(".", 2)[0] for name in idle} == {"G_R.outframe1", "G_R.outframe2"}  # no loss asks for small reflections
    slopes = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    assert all(bool(torch.isfinite(slope).all()) for slope in slopes)
    assert all(float(slope.abs().sum()) > 0 for slope in slopes)
    with pytest.raises(UnknownNameError, match="transmission_half"):
        IbclnMultiscale()(network.eval()(photo), batch)


def test_masks_are_taught_where_the_reflection_is_nearly_black_or_strong_and_nowhere_else():
    reflection = torch.full((1, 3, 4, 4), 0.2)
    reflection[0, :, 0, 0] = 0.0  # one dark pixel, and one of its four places at half the size
    reflection[0, 0, 3, 2:] = 1.0  # red alone: grey of 0.2 + 0.8 * 0.299; two pixels, one place
    full, half = torch.full((1, 2, 4, 4), 0.25), torch.full((1, 4, 2, 2), 0.5)
    full[0, 0, 0, 0], full[0, 1, 3, 3] = (
        1.0,
        0.9,
    )  # dark: trusted; bright: the decoder's half is free
    at_full = 0.75 / 32 + 2 * 0.25 / 16
    at_half = 4 * 0.5 / 16 + 2 * 0.5 / 8
    assert float(ragnet_masks([full], reflection)) == pytest.approx(at_full)
    assert float(ragnet_masks([full, half], reflection)) == pytest.approx(at_full + at_half)
    assert float(ragnet_masks([full], reflection, dark=0.0, bright=0.5)) == 0
    assert float(ragnet_masks([full], reflection.flip(1), bright=0.2 + 0.8 * 0.2)) == pytest.approx(0.75 / 32)  # blue weighs 0.114


def test_a_place_may_be_dark_and_bright_at_once():
    reflection = torch.zeros(1, 3, 2, 2)
    reflection[..., 0, 0] = 1.0
    small = ragnet_masks([torch.zeros(1, 2, 2, 2), torch.full((1, 2, 1, 1), 0.3)], reflection)
    assert float(small) == pytest.approx(3 * 1 / 4 + 0.7 + 0.3)


def test_masks_of_another_size_or_of_another_network_are_refused():
    with pytest.raises(ShapeError, match=r"got \(2, 1, 8, 8\) and \(2, 1, 16, 16\)"):
        ragnet_masks([torch.zeros(2, 2, 8, 8)], image())
    batch = batch_of(image(), image())
    batch.truth["reflection"] = image(seed=1)
    with pytest.raises(UnknownNameError, match="mask"):
        RagnetMasks()(cascade(), batch)


def test_the_masks_of_ragnet_are_there_in_training_alone_and_learn():
    torch.manual_seed(0)
    network, photo = Ragnet(shrink=16).train(), image(37, 50)
    batch = batch_of(photo, photo)
    batch.truth["reflection"] = image(37, 50, seed=1) ** 6  # dark and bright places
    layers = network(photo)
    assert [tuple(mask.shape[1:]) for mask in steps_of(layers, "mask")] == [(8, 37, 50), (16, 18, 25), (32, 9, 12), (64, 4, 6)]
    assert all(0 <= float(mask.detach().min()) <= float(mask.detach().max()) <= 1 for mask in layers.steps.values())
    RagnetMasks()(layers, batch).backward()
    for stage in (network.GT_state.upy1, network.GT_state.upy2, network.GT_state.upy3, network.GT_state.upy4):
        assert float(stage.mask_gene.mask_conv1.weight.grad.abs().sum()) > 0
    assert not network.eval()(photo).steps
