"""The shipped network on photos of every kind: sizes, tiles, strength, sums, depth, alpha."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

import limpid
from limpid import catalogue
from limpid.errors import DeviceError, NoRoomError, SettingError, UnknownNameError, WeightsError
from limpid.image.photo import Photo
from limpid.image.size import fit, shrink
from limpid.layers.task import TASKS
from limpid.runtime.cost import Cost
from limpid.runtime.device import choose_device, choose_precision, has_bfloat16
from limpid.runtime.options import SeparationOptions
from limpid.runtime.separator import LEAST_SIDE, WORKING_SIDE, Separator


@pytest.fixture(scope="module")
def separator():
    return limpid.load()


@pytest.fixture
def shipped():
    """A function that loads the shipped network in a precision; its cost is not measured, which takes longer than the tests."""

    def loaded(precision="float32"):
        made = limpid.load(precision=precision)
        made.cost = Cost(bytes_per_pixel=5000, seconds_per_pixel=1e-5)
        return made

    return loaded


def scene(width, height):
    return Image.fromarray(data.coffee()).resize((width, height), Image.Resampling.BICUBIC)


def behind_glass(width, height):
    """A scene with something to remove, so that the network has work in every tile."""
    mirrored = np.asarray(Image.fromarray(data.astronaut()).resize((width, height), Image.Resampling.BICUBIC), np.float32)
    blend = 0.7 * np.asarray(scene(width, height), np.float32) + 0.4 * mirrored
    return Image.fromarray(blend.clip(0, 255).astype(np.uint8))


BFLOAT16 = pytest.param("bfloat16", marks=pytest.mark.skipif(not has_bfloat16("cpu"), reason="auto means float32 on this machine"))


@pytest.mark.parametrize("precision", ["float32", BFLOAT16])
def test_tiles_do_not_show(shipped, precision):
    network = shipped(precision)
    network.network.mirrored = False  # the mean of two answers whose tiles lie alike
    photo = behind_glass(837, 821)
    assert network.plan((821, 837), SeparationOptions(resolution="full", tile="816")).tiles == 4
    whole, tiled = (network(photo, resolution="full", tile=tile) for tile in ("off", "816"))
    for layer in ("transmission", "reflection"):
        difference = (whole[layer] - tiled[layer]).abs()
        assert float((difference < 2 / 255).float().mean()) >= 0.999
        if precision == "float32":
            assert float(difference.max()) < 5 / 255


@pytest.mark.parametrize("upright", [False, True])
def test_tiles_that_see_all_that_layers_connect_are_exact(shipped, upright):
    network = shipped()
    network.network.radius = network.network.receptive_radius
    strip = behind_glass(1340, 900).crop((0, 300, 1340, 390))
    photo = strip.transpose(Image.Transpose.ROTATE_90) if upright else strip
    assert network.plan((photo.height, photo.width), SeparationOptions(resolution="full", tile="1312")).tiles == 2
    whole, tiled = (network(photo, resolution="full", tile=tile) for tile in ("off", "1312"))
    for layer in ("transmission", "reflection"):
        assert float(whole[layer].std()) > 0.01
        assert float((whole[layer] - tiled[layer]).abs().max()) < 1e-5  # 320 px of surroundings give 2e-3


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("resolution", "size"), [("auto", (1300, 210)), ("full", (400, 300))])
def test_the_layers_add_up_to_the_photo(separator, strength, resolution, size):
    photo = behind_glass(*size)
    mixed = limpid.read(photo).tensor()
    layers = separator(photo, strength=strength, resolution=resolution)
    assert list(layers) == ["transmission", "reflection", "residual"]
    total = layers.transmission + layers.reflection + layers.residual
    assert float((total - mixed).abs().max()) < 1e-6
    for name in ("transmission", "reflection"):
        assert float(layers[name].min()) >= 0
        assert float(layers[name].max()) <= 1
    assert float(layers.reflection.mean()) > 0.01  # a photo without a reflection would leave nothing to add up


def test_the_residual_is_negative_where_the_layers_hold_more_than_the_photo(separator):
    layers = separator(behind_glass(200, 150), strength=0.0)  # the reflection is told, and nothing taken off the photo
    assert float(layers.reflection.mean()) > 0.05
    assert torch.allclose(layers.residual, -layers.reflection, atol=1e-6)


def test_strength_goes_from_the_photo_to_the_answer(separator):
    photo = behind_glass(200, 150)
    mixed = limpid.read(photo).tensor()
    none, half, full = (separator(photo, strength=strength).transmission for strength in (0.0, 0.5, 1.0))
    assert torch.equal(none, mixed)
    assert torch.allclose(half, (mixed + full) / 2, atol=1e-6)
    assert not torch.equal(full, mixed)


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_strength_out_of_range(separator, strength):
    with pytest.raises(SettingError, match="0…1"):
        separator(scene(20, 20), strength=strength)


def test_unknown_resolution(separator):
    with pytest.raises(UnknownNameError, match="did you mean 'full'"):
        separator(scene(20, 20), resolution="ful")


def test_large_photos_are_rebuilt_and_small_ones_run_in_full(separator):
    assert separator.plan((600, 800), SeparationOptions()).working == (600, 800)
    assert max(separator.plan((4000, 6000), SeparationOptions()).working) == WORKING_SIDE
    assert separator.plan((4000, 6000), SeparationOptions(resolution="full")).working == (4000, 6000)


def test_rebuilding_keeps_what_the_network_said_of_the_reduced_photo(separator):
    photo = behind_glass(1340, 900).crop((0, 300, 1340, 500))
    mixed = limpid.read(photo).tensor()
    rebuilt = separator(photo)
    assert rebuilt.transmission.shape == mixed.shape
    small = replace(limpid.read(photo), pixels=shrink(limpid.read(photo).pixels, *fit(200, 1340, WORKING_SIDE)))
    said = separator(small, resolution="full")
    changed = (said.transmission - small.tensor()).abs().mean()
    for layer in ("transmission", "reflection"):
        reduced = torch.nn.functional.interpolate(rebuilt[layer][None], said[layer].shape[1:], mode="bilinear", antialias=True)[0]
        assert float((reduced - said[layer]).abs().mean()) < 0.2 * float(changed), layer
    assert torch.equal(separator(photo, strength=0.0).transmission, mixed)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_solid_photos_give_finite_layers(separator, value):
    layers = separator(torch.full((3, 40, 50), value))
    assert all(bool(torch.isfinite(layer).all()) for layer in layers.values())


def test_every_kind_of_source_gives_the_same_layers(separator, tmp_path):
    photo = scene(64, 48)
    photo.save(tmp_path / "photo.png")
    array = np.asarray(photo)
    tensor = torch.from_numpy(array.copy()).permute(2, 0, 1).float() / 255
    expected = separator(photo).transmission
    path = tmp_path / "photo.png"
    for source in (path, str(path), path.read_bytes(), array, tensor, limpid.read(path)):
        assert torch.equal(separator(source).transmission, expected)


def test_sixteen_bits_are_not_rounded_to_eight(separator):
    ramp = np.tile(np.linspace(20000, 21000, 256).astype(np.uint16)[None, :, None], (64, 1, 3))
    levels = separator(ramp, strength=0.2).transmission.mul(65535).round().unique()
    assert len(levels) > 100  # eight bits would leave four


def test_a_grey_photo_has_three_equal_channels_in(separator):
    photo = Photo(pixels=np.full((20, 30, 1), 128, np.uint8))
    assert separator(photo).transmission.shape == (3, 20, 30)


def test_separation_converts_and_shows_itself(separator):
    layers = separator(scene(64, 48))
    assert layers.pil("transmission").size == (64, 48)
    assert layers.numpy("reflection").dtype == np.uint8
    assert layers._repr_png_().startswith(b"\x89PNG")
    assert repr(layers) == "Separation(transmission, reflection, residual: 3×48×64 torch.float32 on cpu)"
    with pytest.raises(AttributeError, match="it has transmission, reflection, residual"):
        layers.albedo  # noqa: B018
    with pytest.raises(UnknownNameError, match="did you mean 'reflection'"):
        layers.layer("reflections")


def test_one_separator_serves_many_threads(separator):
    from concurrent.futures import ThreadPoolExecutor

    photos = [torch.rand(3, 40, 40 + index) for index in range(8)]
    alone = [separator(photo).transmission for photo in photos]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda photo: separator(photo).transmission, photos))
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))


def test_memory_does_not_grow_with_the_number_of_photos(separator):
    import gc

    import psutil

    process, sizes = psutil.Process(), [(48 + index % 7, 64) for index in range(120)]
    for index, size in enumerate(sizes):
        separator(torch.rand(3, *size))
        if index == 20:
            before = process.memory_info().rss
    gc.collect()
    assert process.memory_info().rss - before < 50e6


def test_load_names_what_it_cannot_find():
    with pytest.raises(UnknownNameError, match="did you mean 'limpid'"):
        limpid.load("limpidd")
    with pytest.raises(WeightsError, match="no such weight file"):
        limpid.load("weights/none.safetensors")
    with pytest.raises(DeviceError, match="use one of"):
        limpid.load(device="npu")
    with pytest.raises(DeviceError, match="keeps its quality only in float32, bfloat16"):
        limpid.load(precision="float16")


def test_devices_and_precisions():
    needs = limpid.load().network.needs
    cpu = choose_device("cpu")
    assert choose_precision("auto", cpu, needs) == ("bfloat16" if has_bfloat16("cpu") else "float32")
    assert choose_precision("float32", cpu, needs) == "float32"


def test_the_fast_precision_stays_within_two_grey_levels(shipped):
    photo = behind_glass(160, 120)
    exact, fast = (shipped(precision)(photo) for precision in ("float32", "bfloat16"))
    assert float((exact.transmission - limpid.read(photo).tensor()).abs().mean()) > 0.01
    assert float((exact.transmission - fast.transmission).abs().quantile(0.99)) < 2 / 255


def test_one_line_separation():
    assert limpid.separate(scene(32, 32)).transmission.shape == (3, 32, 32)


def test_a_network_that_must_see_photos_whole_gets_them_smaller_instead_of_in_tiles():
    torch.manual_seed(0)
    network = limpid.create_model("dsrnet", "tiny", body="mamba")
    made = Separator(network, TASKS["reflection"], name="mamba")
    made.cost = Cost(bytes_per_pixel=1000, seconds_per_pixel=1e-6)
    roomy, tight = (made.plan((3000, 4000), SeparationOptions(max_memory=budget)) for budget in (2_000_000_000, 400_000_000))
    assert roomy.tile is tight.tile is None
    assert max(roomy.working) == WORKING_SIDE
    assert LEAST_SIDE <= max(tight.working) < WORKING_SIDE
    assert tight.ram <= 400_000_000
    with pytest.raises(NoRoomError, match="raise --max-memory"):
        made.plan((3000, 4000), SeparationOptions(max_memory=400_000_000, resolution="full"))
    with pytest.raises(SettingError, match="must see a photo whole"):
        made.plan((3000, 4000), SeparationOptions(tile="512"))


@pytest.mark.parametrize(("name", "settings"), [("nafnet", {"width": 8, "encoder": (1, 6), "local_window": 96}), ("ibcln", {})])
def test_networks_of_long_reach_tile_without_visible_seams(name, settings):
    """Chained local means and a cascade reach further than any halo that fits; what is left out must not show."""
    torch.manual_seed(0)
    network = limpid.create_model(name, "tiny", **settings)
    for key, parameter in network.named_parameters():
        if key.endswith(("beta", "gamma")):  # scales that start at 0 would hide the blocks
            parameter.data = 0.3 * torch.randn_like(parameter)
    made = Separator(network, TASKS[catalogue.find("models", name).tasks[0]], name=name)
    made.cost = Cost(bytes_per_pixel=1000, seconds_per_pixel=1e-6)
    photo = scene(720, 500)
    whole, tiled = (made(photo, resolution="full", tile=tile) for tile in ("off", "432"))
    for layer in made.task.layers:
        assert float(((whole[layer] - tiled[layer]).abs() < 2 / 255).float().mean()) >= 0.999


def test_a_mirrored_network_answers_alike_for_a_photo_and_its_mirror_image():
    torch.manual_seed(3)
    network = limpid.create_model("limpid", "tiny", mirrored=True).eval()
    alone = limpid.create_model("limpid", "tiny").eval()
    alone.load_state_dict(network.state_dict())
    for one, other in zip(network.parameters(), alone.parameters(), strict=True):
        one.data += 0.1 * torch.randn_like(one)
        other.data.copy_(one)
    photo = torch.rand(1, 3, 48, 64)
    with torch.inference_mode():
        layers, flipped = network(photo), network(photo.flip(-1))
        first, second = alone(photo), alone(photo.flip(-1))
    for name, layer in layers.items():
        assert torch.allclose(layer, flipped[name].flip(-1), atol=1e-6)
        assert torch.allclose(layer, (first[name] + second[name].flip(-1)) / 2, atol=1e-6)
        assert not torch.allclose(layer, first[name], atol=1e-3)
    network.train()
    assert torch.allclose(network(photo)["transmission"], first["transmission"], atol=1e-6)
