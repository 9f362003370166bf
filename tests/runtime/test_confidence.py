"""Do no harm: photos that hardly change come back as they were, and it is said."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from limpid import catalogue
from limpid.checkpoints import file
from limpid.cli.main import app
from limpid.errors import UsageError
from limpid.layers.network import LayerNetwork, Needs
from limpid.layers.separation import Separation
from limpid.layers.task import TASKS
from limpid.runtime.confidence import PREVIEW_SIDE, blend_small_changes, confidence_map, smoothstep
from limpid.runtime.separator import Separator
from network_samples import tiny

ENTRY = catalogue.find("models", "limpid")


class Darkening(LayerNetwork):
    """Takes ``amount`` off the left half of a photo and calls it the reflection."""

    needs = Needs(multiple=16, minimum=16)
    radius = 0

    def __init__(self, amount, *, local=None, whole=None):
        super().__init__()
        self.amount, self.local_confidence, self.whole_confidence = amount, local, whole

    def separate(self, mixed, recall=None):
        reflection = torch.zeros_like(mixed)
        reflection[..., : mixed.shape[-1] // 2] = self.amount
        return Separation({"transmission": mixed - reflection, "reflection": reflection})


def separator(amount, **limits):
    return Separator(Darkening(amount, **limits), TASKS["reflection"], name="darkening")


def photo(height=64, width=96):
    return 0.5 + 0.4 * torch.rand(3, height, width, generator=torch.Generator().manual_seed(0))


def test_belief_rises_smoothly_between_its_limits():
    values = smoothstep(torch.tensor([0.0, 0.01, 0.015, 0.02, 0.5]), (0.01, 0.02))
    assert values.tolist() == pytest.approx([0, 0, 0.5, 1, 1])
    assert (smoothstep(torch.linspace(0, 0.05, 99), (0.01, 0.02)).diff() >= 0).all()


def test_the_map_is_that_of_the_mean_change_around_a_pixel():
    image = photo(40, 50)
    changed = image.clone()
    changed[:, 20, 25] -= 0.3
    limits = (0.0, 1.0)
    expected = smoothstep(torch.tensor(0.3 / 31**2), limits)
    found = confidence_map(image, changed, limits)
    assert found.shape == (1, 40, 50)
    assert float(found[0, 20, 25]) == pytest.approx(float(expected), rel=1e-3)
    assert float(found[0, 20, 25 - 16]) == 0.0


def test_small_changes_are_taken_back_where_they_are():
    image = photo(64, 200)
    layers = {"transmission": image.clone(), "reflection": torch.zeros_like(image)}
    for columns, amount in ((slice(0, 60), 0.004), (slice(140, 200), 0.2)):
        layers["transmission"][..., columns] -= amount
        layers["reflection"][..., columns] = amount
    found = blend_small_changes(image, layers, (0.01, 0.02))
    assert torch.equal(found["transmission"][..., :40], image[..., :40])
    assert float(found["reflection"][..., :40].max()) == 0.0
    assert torch.allclose(found["transmission"][..., 160:], layers["transmission"][..., 160:])


@pytest.mark.parametrize(("amount", "believed"), [(0.02, 0.0), (0.06, 0.5), (0.3, 1.0)])
def test_a_photo_is_changed_as_far_as_the_network_is_believed(amount, believed):
    image = photo()
    layers = separator(amount, whole=(0.02, 0.04))(image)
    assert layers.confidence == pytest.approx(believed, abs=0.01)
    half = image.shape[-1] // 2
    assert torch.allclose(layers.transmission[..., :half], image[..., :half] - layers.confidence * amount, atol=1e-5)
    assert torch.allclose(layers.reflection[..., :half], torch.full((), layers.confidence * amount), atol=1e-5)
    total = layers.transmission + layers.reflection + layers.residual
    assert torch.allclose(total, image, atol=1e-5)


def test_large_photos_are_believed_as_a_glance_says():
    image = photo(600, 1400)
    assert separator(0.02, whole=(0.02, 0.04))(image, resolution="full").confidence == 0.0
    assert torch.equal(separator(0.02, whole=(0.02, 0.04))(image, resolution="full").transmission, image)
    assert separator(0.3, whole=(0.02, 0.04))(image).confidence == 1.0


def test_where_nothing_is_to_be_removed_the_network_sees_a_preview_alone(monkeypatch):
    made, seen = separator(0.02, whole=(0.02, 0.04)), []
    look = made.network.forward
    monkeypatch.setattr(made.network, "forward", lambda mixed, context=None: seen.append(tuple(mixed.shape[-2:])) or look(mixed))
    image = photo(600, 1400)
    layers = made(image, resolution="full", tile="off")
    assert torch.equal(layers.transmission, image)
    assert not layers.reflection.any()
    assert max(max(size) for size in seen) <= PREVIEW_SIDE


def test_a_small_photo_is_run_once_and_comes_out_as_if_it_were_run_twice(monkeypatch):
    made, seen = separator(0.3, whole=(0.02, 0.04)), []
    made.cost  # noqa: B018 -- measuring it runs the network too
    look, image = made.network.forward, photo()
    monkeypatch.setattr(made.network, "forward", lambda mixed, context=None: seen.append(mixed.shape) or look(mixed))
    layers = made(image)
    assert len(seen) == 1
    assert torch.equal(layers.transmission, made.run(image)["transmission"].clamp(0, 1))


def test_tiles_are_judged_as_the_whole_photo():
    torch.manual_seed(0)
    network = ENTRY.build(**catalogue.settings_of(ENTRY, "tiny"), local_confidence=(0.0, 0.4))
    for head in network.heads:
        torch.nn.init.normal_(head.weight, std=0.3)
    made = Separator(network, TASKS["reflection"], name="tiny")
    image = photo(480, 720)
    whole, tiled = (made(image, resolution="full", tile=tile).transmission for tile in ("off", "352"))
    assert not torch.allclose(whole, image, atol=1e-3)
    assert torch.allclose(whole, tiled, atol=1e-4)


class Gated(Darkening):
    """Darkening whose gate answers with ``probability``, and which heeds hints: it darkens only there."""

    hints = True

    def __init__(self, amount, probability, **limits):
        super().__init__(amount, **limits)
        self.probability, self.presence_limits = probability, (0.3, 0.7)

    def presence(self, photo, layers):
        assert photo.shape[1] == 3
        return torch.full((len(photo),), self.probability)

    def separate(self, mixed, recall=None):
        if mixed.shape[1] == 3:
            return super().separate(mixed)
        reflection = self.amount * mixed[:, 3:].expand(-1, 3, -1, -1)
        return Separation({"transmission": mixed[:, :3] - reflection, "reflection": reflection})


def gated(probability, **limits):
    return Separator(Gated(0.2, probability, **limits), TASKS["reflection"], name="gated")


@pytest.mark.parametrize(("probability", "believed"), [(0.1, 0.0), (0.5, 0.5), (0.9, 1.0)])
@pytest.mark.parametrize("size", [(64, 96), (600, 1400)])
def test_a_gate_says_how_far_the_network_is_followed(probability, believed, size):
    image = photo(*size)
    layers = gated(probability, whole=(0.02, 0.04))(image)
    assert layers.confidence == pytest.approx(probability)
    half = size[1] // 2
    assert float((image - layers.transmission)[..., : half - 8].mean()) == pytest.approx(0.2 * believed, abs=2e-3)
    assert torch.equal(gated(0.1)(image).transmission, image)


def test_photos_that_are_made_smaller_have_limits_of_their_own():
    network = gated(0.5)
    network.network.reduced_presence_limits = (0.6, 0.8)
    small, large = photo(64, 96), photo(600, 1400)
    assert not torch.equal(network(small).transmission, small)
    assert torch.equal(network(large).transmission, large)


@pytest.mark.parametrize("size", [(1, 1), (5, 40)])
def test_a_gate_judges_the_smallest_photos(size):
    network = tiny("limpid", gate=True)
    network.presence_limits = (0.0, 1e-6)
    layers = Separator(network, TASKS["reflection"], name="tiny")(torch.rand(3, *size))
    assert 0 < layers.confidence < 1
    assert layers.transmission.shape == (3, *size)


def test_the_gate_cannot_raise_what_the_change_denies():
    image = photo()
    assert torch.equal(gated(0.9, whole=(0.3, 0.4))(image).transmission, image)


def test_force_and_hints_override_the_gate(tmp_path):
    image = photo(64, 96)
    forced = gated(0.1, whole=(0.3, 0.4))(image, force=True)
    assert forced.confidence == pytest.approx(0.1)
    torch.testing.assert_close(forced.transmission[..., :48], image[..., :48] - 0.2)
    mask = np.zeros((64, 96), np.uint8)
    mask[:32] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    hinted = gated(0.1)(image, hint=tmp_path / "mask.png")
    torch.testing.assert_close(hinted.transmission[:, :32], image[:, :32] - 0.2)
    assert torch.equal(hinted.transmission[:, 32:], image[:, 32:])


def test_hints_reach_tiles_and_large_photos(tmp_path):
    image, mask = photo(600, 1400), np.zeros((600, 1400), np.uint8)
    mask[:300] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    for options in ({"resolution": "full", "tile": "352"}, {}):
        change = image - gated(0.9)(image, hint=tmp_path / "mask.png", **options).transmission
        assert float(change[:, :290].mean()) == pytest.approx(0.2, abs=2e-3)
        assert float(change[:, 310:].abs().mean()) < 2e-3


def test_a_hint_that_does_not_fit_is_refused(tmp_path):
    Image.new("L", (10, 12)).save(tmp_path / "mask.png")
    with pytest.raises(UsageError, match="the hint has 10x12 pixels, the photo 96x64"):
        gated(0.9)(photo(), hint=tmp_path / "mask.png")
    with pytest.raises(UsageError, match="darkening knows no hints"):
        separator(0.2)(photo(), hint=tmp_path / "mask.png")


def test_networks_without_limits_are_believed():
    image = photo()
    assert separator(0.001)(image).confidence == 1.0


def test_the_command_says_that_there_was_nothing_to_remove(tmp_path):
    torch.manual_seed(0)
    settings = {**catalogue.settings_of(ENTRY, "tiny"), "whole_confidence": (0.9, 0.95)}
    weights = tmp_path / "careful.safetensors"
    tensors = ENTRY.build(**settings).state_dict()
    file.save(weights, file.Checkpoint(model="limpid", settings=settings, tensors=tensors, notes={}))
    pixels = (255 * photo().permute(1, 2, 0).numpy()).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "clean.png")
    done = CliRunner().invoke(app, ["separate", str(tmp_path / "clean.png"), "-m", str(weights), "--json"])
    report = json.loads(done.stdout.splitlines()[0])
    assert (report["confidence"], report["nothing_to_remove"]) == (0.0, True)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "clean.transmission.png")), pixels)
    said = CliRunner().invoke(app, ["separate", str(tmp_path / "clean.png"), "-m", str(weights), "--overwrite"])
    assert "nothing to remove" in said.output
