"""Pictures of every epoch: names, exact pixels, broken photos, and what is kept."""

import numpy as np
import pytest
import torch
from PIL import Image

from limpid import catalogue
from limpid.layers.task import TASKS
from limpid.runtime.separator import Separator
from limpid.training.sample_images import at_native_size, remove_old, write_sample_images
from pictures import picture


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png"))


def pixels(path):
    return np.asarray(Image.open(path))


def test_layers_are_named_rounded_and_clamped(tmp_path):
    photo = torch.full((3, 5, 7), 0.5)
    levels = {"transmission": 100.6 / 255, "reflection": 1.5, "albedo": -1.0, "residual": -0.2}
    skipped = write_sample_images(
        lambda seen: {name: torch.full_like(seen, value) for name, value in levels.items()}, [("a b/c:d", photo)], tmp_path, 3
    )
    assert skipped == []
    folder = tmp_path / "epoch_0003" / "0001_a_b_c_d"
    assert names(folder) == ["albedo.png", "input.png", "r_output.png", "residual.png", "t_output.png"]
    found = {name: set(pixels(folder / f"{name}.png").ravel()) for name in ("t_output", "r_output", "albedo", "residual", "input")}
    assert found == {"t_output": {101}, "r_output": {255}, "albedo": {0}, "residual": {102}, "input": {128}}
    assert pixels(folder / "t_output.png").shape == (5, 7, 3)


def test_a_sheet_shows_all_photos_of_an_epoch_side_by_side(tmp_path):
    photos = [(name, torch.full((3, 60, 80), value)) for name, value in (("dark", 0.2), ("bright", 0.8))]
    write_sample_images(lambda seen: {"transmission": seen / 2, "reflection": seen / 4}, photos, tmp_path, 1)
    sheet = pixels(tmp_path / "epoch_0001/sheet.png")
    shown = {int(value) for value in np.unique(sheet) if (sheet == value).sum() > 3 * 2000}
    assert {51, 26, 13, 204, 102} <= shown


def test_a_broken_photo_is_named_and_left_out(tmp_path):
    good, odd = picture(tmp_path / "in/good.png", size=(12, 10)), picture(tmp_path / "in/odd.jpg", size=(31, 17))
    (tmp_path / "in/broken.png").write_bytes(b"\x89PNG nothing")
    photos = [good, tmp_path / "in/broken.png", tmp_path / "in/gone.png", odd]
    skipped = write_sample_images(lambda seen: {"transmission": seen}, photos, tmp_path / "run", 1)
    assert len(skipped) == 2
    assert "broken.png" in skipped[0]
    assert "gone.png" in skipped[1]
    assert not any("\n" in line for line in skipped)
    folder = tmp_path / "run/epoch_0001"
    assert names(folder) == [
        *("0001_good/input.png", "0001_good/t_output.png", "0004_odd/input.png", "0004_odd/t_output.png"),
        "sheet.png",
    ]
    assert np.array_equal(pixels(folder / "0001_good/t_output.png"), pixels(good))
    assert pixels(folder / "0004_odd/t_output.png").shape == (17, 31, 3)


def test_an_epoch_done_again_replaces_its_pictures(tmp_path):
    for value in (0.0, 1.0):
        write_sample_images(
            lambda seen, value=value: {"restored": torch.full_like(seen, value)}, [("x", torch.zeros(3, 4, 4))], tmp_path, 1
        )
    assert set(pixels(tmp_path / "epoch_0001/0001_x/restored.png").ravel()) == {255}


def test_looking_changes_nothing_in_the_network(tmp_path):
    entry = catalogue.find("models", "limpid")
    torch.manual_seed(0)
    network = entry.build(**catalogue.settings_of(entry, "tiny")).train()
    before = {name: (tensor.clone(), tensor.stride()) for name, tensor in network.state_dict().items()}
    photo = torch.rand(3, 37, 53)
    generator = torch.get_rng_state()
    layers = at_native_size(Separator(network, TASKS["reflection"], name="tiny"))(photo)
    assert network.training
    assert torch.equal(torch.get_rng_state(), generator)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name][0])
        assert tensor.stride() == before[name][1]
    assert {layer.shape for layer in layers.values()} == {photo.shape}


def test_a_photo_is_separated_whole_as_the_network_would(tmp_path):
    entry = catalogue.find("models", "limpid")
    torch.manual_seed(0)
    network, photo = entry.build(**catalogue.settings_of(entry, "tiny")), torch.rand(3, 64, 128)
    layers = at_native_size(Separator(network, TASKS["reflection"], name="tiny"))(photo)
    with torch.no_grad():
        assert torch.allclose(layers["transmission"], network.eval()(photo[None])["transmission"][0].clamp(0, 1), atol=1e-5)


@pytest.mark.parametrize(("history", "left"), [(2, ["0010", "10000"]), (0, ["0002", "0009", "0010", "10000"])])
def test_only_the_oldest_epochs_by_number_go(tmp_path, history, left):
    for number in ("0009", "10000", "0010", "0002"):
        (tmp_path / f"epoch_{number}" / "0001_x").mkdir(parents=True)
    other = ["epoch_12", "epoch_0001_mine", "epoch_0003.txt", "best"]
    for name in other:
        (tmp_path / name).mkdir()
    (tmp_path / "epoch_0001").symlink_to(tmp_path / "best")
    removed = remove_old(tmp_path, history)
    assert len(removed) == 4 - len(left)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [*(f"epoch_{number}" for number in left), *other, "epoch_0001"]
    )
