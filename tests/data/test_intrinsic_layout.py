"""Folders, lists and shadings of USI3D's loader, on miniatures."""

import numpy as np
import pytest
import torch
from PIL import Image

from limpid.data.cgintrinsics_shading import shading
from limpid.data.manifest import check
from limpid.data.prepare import prepare
from limpid.data.sources.unpaired import unpaired
from limpid.errors import DataError
from limpid.layers.task import TASKS

FOLDERS = ("input", "reflectance", "shading", "mask")


@pytest.fixture
def raw(tmp_path, save):
    for place, folder in enumerate(FOLDERS):
        for number, name in enumerate("abcd"):
            save(tmp_path / "raw" / folder / f"{name}.png", 10 * place + number)
    return tmp_path / "raw"


def listed(raw, **lists):
    for name, stems in lists.items():
        part, word, *rate = name.split("_")
        path = raw / f"{part}-{word}{f'-{rate[0]}' if rate else ''}.txt"
        path.write_text("".join(f"{word}/{stem}.png\n" for stem in stems))


def stems(manifest):
    return {
        folder: "".join(sorted(name.split("/")[1][0] for name in manifest.files if name.startswith(folder)))
        for folder in ("blended", "albedo_layer", "shading_layer", "mask")
    }


def test_lists_say_what_is_trained_on_and_rates_which_lists(raw, tmp_path):
    listed(raw, train_input="ab", train_mask="ab", train_reflectance="d", train_shading="d")
    listed(
        raw, train_reflectance_0="cd", train_shading_0="cd", test_input="c", test_reflectance="c", test_shading="c", test_mask="c"
    )
    for settings, expected in (
        ({"variant": "train"}, ("ab", "d", "d", "ab")),
        ({"variant": "train", "rate": "0"}, ("ab", "cd", "cd", "ab")),
        ({"variant": "test"}, ("c", "c", "c", "c")),
        ({}, ("abcd",) * 4),
    ):
        manifest = prepare("shapenet_intrinsic", raw, tmp_path / "-".join(map(str, settings.values())) / "out", settings=settings)
        assert tuple(stems(manifest).values()) == expected


def test_lists_that_do_not_fit_are_named(raw, tmp_path):
    listed(raw, train_input="az", train_reflectance="b", train_shading="b")
    with pytest.raises(DataError, match=r"do not fit its files; 1: input/z\.png of train-input\.txt"):
        prepare("shapenet_intrinsic", raw, tmp_path / "out", settings={"variant": "train"})
    listed(raw, train_input="a")
    (raw / "train-shading.txt").unlink()
    with pytest.raises(DataError, match="there is no list of shading"):
        prepare("shapenet_intrinsic", raw, tmp_path / "out", settings={"variant": "train"})
    (raw / "more").mkdir()
    (raw / "more" / "train-input.txt").write_text("input/a.png")
    with pytest.raises(DataError, match=r"RAW holds train-input\.txt 2 times"):
        prepare("shapenet_intrinsic", raw, tmp_path / "out", settings={"variant": "train"})


def test_a_folder_of_something_else_makes_no_empty_set(tmp_path, save):
    save(tmp_path / "raw" / "holiday.png")
    for name, settings in (("shapenet_intrinsic", {}), ("cgintrinsics", {}), ("mit_intrinsic", {"counts": ()})):
        with pytest.raises(DataError, match="none of its 1 files is recognised"):
            prepare(name, tmp_path / "raw", tmp_path / "out", settings=settings)


def test_what_is_unpaired_checks_out_and_is_trained_on(raw, tmp_path):
    out = tmp_path / "out"
    manifest = prepare("shapenet_intrinsic", raw, out, settings={"variant": "train"})
    assert stems(manifest) == {"blended": "ac", "albedo_layer": "b", "shading_layer": "b", "mask": "ac"}
    assert manifest.unpaired
    assert check(out).ok
    source = unpaired(task=TASKS["intrinsic"], root=out)
    assert {path.relative_to(out).as_posix() for path in source.files()} == {
        name for name in manifest.files if not name.startswith("mask")
    }
    (out / "blended" / "a.png").unlink()
    assert [str(problem) for problem in check(out).problems] == ["blended/a.png is missing"]


def test_shading_max_multiplies_but_nothing_is_cut_off(raw, tmp_path):
    (raw / "shading" / "shading-max.txt").write_text("name\tmax\na.png\t0.5\nb.png\t3.0\n")
    prepare("shapenet_intrinsic", raw, tmp_path / "out")
    for name, factor in (("a", 0.5), ("b", 1.0), ("c", 1.0)):
        before, after = (np.asarray(Image.open(root / f"{name}.png")) for root in (raw / "shading", tmp_path / "out/shading_layer"))
        np.testing.assert_allclose(after, before * factor, atol=0.5)
    (raw / "shading" / "shading-max.txt").write_text("name\tmax\na.png 0.5\n")
    with pytest.raises(DataError, match=r"takes a name, a tab and a number on each line; got 'a\.png 0\.5'"):
        prepare("shapenet_intrinsic", raw, tmp_path / "again")


def scene(factor):
    """A photo whose linear light is albedo × shading, and both; 40×40."""
    rng = np.random.default_rng(0)
    albedo = rng.uniform(0.2, 0.4, (40, 40, 3)).astype(np.float32)
    light = np.linspace(0.1, 1, 40, dtype=np.float32)[None, :, None] * np.ones((40, 1, 3), np.float32) * factor
    return (albedo * light) ** (1 / 2.2), albedo, light


@pytest.mark.parametrize("factor", [0.8, 2.0])
def test_the_shading_is_the_light_over_its_95th_percentile(factor):
    photo, albedo, light = scene(factor)
    made, trusted, white = shading(photo, albedo, np.ones((40, 40), bool))
    assert white == pytest.approx(np.percentile(light, 95), rel=1e-4)
    np.testing.assert_allclose(made, (light / white).clip(0, 1), rtol=1e-3)
    assert trusted.all()


def test_what_cannot_be_trusted_is_masked_with_a_margin():
    photo, albedo, _ = scene(1.0)
    albedo[20, 20] = 0
    albedo[3, 30] = 0.001  # far too bright there: no margin, but no trust either
    mask = np.ones((40, 40), bool)
    mask[:, 0] = False
    made, trusted, _ = shading(photo, albedo, mask)
    expected = np.ones((40, 40), bool)
    expected[15:26, 15:26], expected[:, :6], expected[3, 30] = False, False, False
    np.testing.assert_array_equal(trusted.all(2), expected)
    assert made.max() <= 1
    assert made[20, 20].min() == 1  # limited to 20, then to 1
    assert shading(photo, albedo, np.zeros((40, 40), bool))[2] == 1


@pytest.mark.parametrize("factor", [0.8, 2.0])
def test_prepared_layers_of_cgintrinsics_compose_the_photo_up_to_one_factor(factor, tmp_path):
    photo, albedo, light = scene(factor)
    folder = tmp_path / "images" / "0001"
    folder.mkdir(parents=True)
    for word, values in (("", photo), ("_albedo", albedo), ("_mask", np.ones((40, 40)))):
        Image.fromarray((values * 255).round().astype(np.uint8)).save(folder / f"000007_mlt{word}.png")
    prepare("cgintrinsics", tmp_path / "images", tmp_path / "out")
    layers = {
        name: torch.from_numpy(np.array(Image.open(tmp_path / "out" / f"{name}_layer" / "0001-000007_mlt.png")) / 255)
        for name in ("albedo", "shading")
    }
    composed = TASKS["intrinsic"].compose(layers).numpy()
    lit = albedo * light.clip(max=np.percentile(light, 95)) / max(1, np.percentile(light, 95))
    expected = np.where(lit <= 0.0031308, lit * 12.92, 1.055 * lit ** (1 / 2.4) - 0.055)
    assert np.abs(composed - expected).mean() < 0.005
    assert (tmp_path / "out" / "blended" / "0001-000007_mlt.png").read_bytes() == (folder / "000007_mlt.png").read_bytes()
