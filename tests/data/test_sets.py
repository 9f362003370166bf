"""Every set on a miniature of its original layout, as a folder, in a wrapping folder and as a zip."""

import hashlib
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from limpid import catalogue
from limpid.data.layout import FolderSet
from limpid.data.manifest import check
from limpid.data.prepare import prepare
from limpid.data.sets.berkeley_real import ALL, TEST
from limpid.errors import DataError, UnknownNameError
from limpid.physics.leaves.chart import chart
from limpid.physics.leaves.settings import Chart
from limpid.physics.seeds import generator

MADE_BY_SETTINGS = {"voc224", "dead_leaves_live"}  # one needs the list of its photos, the other has no files
FOLDER_SETS = [name for name in catalogue.names("sets") if name not in MADE_BY_SETTINGS]
PAIRS = ("blended", "transmission_layer")
TRIPLES = (*PAIRS, "reflection_layer")


def _products(*parts):
    names = [""]
    for part in parts:
        names = [f"{name}{piece}" for name in names for piece in ([part] if isinstance(part, str) else part)]
    return names


# set, settings, files of the download, files of the prepared set (only some of them), size of the photos
CASES = {
    "berkeley_real train": (
        "berkeley_real",
        {},
        _products("real/", PAIRS, "/", sorted(ALL), ".jpg"),
        _products(PAIRS, "/", sorted(ALL - TEST), ".jpg"),
        (12, 16),
    ),
    "real20 native": (
        "real20",
        {},
        _products("real/", PAIRS, "/", sorted(ALL), ".jpg"),
        _products(PAIRS, "/", sorted(TEST), ".jpg"),
        (12, 16),
    ),
    "real20 420": (
        "real20",
        {"variant": "420"},
        _products("real20_420/", PAIRS, "/", sorted(TEST), ".png"),
        _products(PAIRS, "/", sorted(TEST), ".png"),
        (320, 420),
    ),
    "berkeley_synthetic": (
        "berkeley_synthetic",
        {"counts": (4,)},
        _products("synthetic/", TRIPLES[1:], "/", [*"abcd"], ".jpg"),
        _products(TRIPLES[1:], "/", [*"abcd"], ".jpg"),
        (12, 16),
    ),
    "ceilnet_table2": (
        "ceilnet_table2",
        {"counts": (2,)},
        _products("testdata_reflection_synthetic_table2/2007_00", [*"12"], "-", ("input", "label1", "label2"), ".png")
        + _products("testdata_reflection_synthetic/2008_00", [*"345"], "-", ("input", "label1", "label2"), ".png"),
        _products(TRIPLES, "/2007_00", [*"12"], ".png"),
        (224, 224),
    ),
    "ceilnet_41": (
        "ceilnet_41",
        {"counts": (3,)},
        _products("testdata_reflection_synthetic_table2/2007_00", [*"12"], "-", ("input", "label1", "label2"), ".png")
        + _products("testdata_reflection_synthetic/2008_00", [*"345"], "-", ("input", "label1", "label2"), ".png"),
        _products(TRIPLES, "/2008_00", [*"345"], ".png"),
        (12, 16),
    ),
    "ceilnet_real45": (
        "ceilnet_real45",
        {"counts": (3,)},
        ["testdata_reflection_real/19-input.png", *_products("testdata_reflection_real/qingnan-new2-", [*"12"], "-input.jpg")],
        ["blended/19.png", "blended/qingnan-new2-1.jpg", "blended/qingnan-new2-2.jpg"],
        (12, 16),
    ),
    "sir2_objects released": (
        "sir2_objects",
        {"counts": (8,)},
        _products(
            "SolidObjectDataset/SolidObjectDataset/",
            [*"12"],
            "/",
            ("Focus/13", "Focus/19", "Thickness/3", "Thickness/10"),
            "/",
            [*"mgr"],
            ".jpg",
        ),
        _products(TRIPLES, "/", [*"12"], "_", ("Focus_13", "Focus_19", "Thickness_3", "Thickness_10"), ".jpg"),
        (12, 16),
    ),
    "sir2_objects repackaged": (
        "sir2_objects",
        {"counts": (2,)},
        [
            f"SIR2/{kind}/{layer}/{stem}.png"
            for kind in ("SolidObjectDataset", "PostcardDataset", "WildSceneDataset")
            for layer in TRIPLES
            for stem in {"SolidObjectDataset": ("a", "b"), "PostcardDataset": ("c", "d", "e"), "WildSceneDataset": ("f",)}[kind]
        ],
        _products(TRIPLES, "/", [*"ab"], ".png"),
        (12, 16),
    ),
    "sir2_objects lettered": (
        "sir2_objects",
        {"counts": (2,)},
        [
            f"SolidObjectDataset/{layer}/{scene}-Focus-11-{letter}.jpg"
            for scene in "12"
            for layer, letter in zip(PAIRS, "mg", strict=True)
        ],
        _products(PAIRS, "/", [*"12"], "-Focus-11.jpg"),
        (12, 16),
    ),
    "sir2_postcard released": (
        "sir2_postcard",
        {"counts": (5,)},
        [
            f"Postcard Dataset/Postcard Dataset/Focus/{pair}/{value}/{pair}-5-{letter}-{value}.png"
            for pair in ("ab", "he")
            for value in ("11", "32")
            for letter in "mgr"
        ]
        + [f"Postcard Dataset/Postcard Dataset/Thickness/ab/3/ab-10-{letter}-3.png" for letter in "mgr"],
        _products(TRIPLES, "/", ("Focus_ab_11", "Focus_ab_32", "Focus_he_11", "Focus_he_32", "Thickness_ab_3"), ".png"),
        (12, 16),
    ),
    "sir2_postcard lettered": (
        "sir2_postcard",
        {"counts": (2,)},
        [
            f"PostcardDataset/{layer}/{pair}-10-{letter}-3.png"
            for pair in ("ab", "he")
            for layer, letter in zip(TRIPLES, "mgr", strict=True)
        ],
        _products(TRIPLES, "/", ("ab", "he"), "-10-3.png"),
        (12, 16),
    ),
    "sir2_wild old": (
        "sir2_wild",
        {"counts": (3,)},
        _products("WildSceneDataset/withgt/", [*"123"], "/", [*"mgr"], ".jpg")
        + _products("WildSceneDataset/withoutgt/", [*"4567"], "/m.jpg"),
        _products(TRIPLES, "/", [*"123"], ".jpg"),
        (12, 16),
    ),
    "sir2_wild current": (
        "sir2_wild",
        {"counts": (3,)},
        _products("Wildscene/Wildscene/", ("3", "7s", "9"), "/", [*"mgr"], ".jpg")
        + _products("SolidObjectDataset/8/Focus/13/", [*"mgr"], ".jpg"),
        _products(TRIPLES, "/", ("3", "7s", "9"), ".jpg"),
        (12, 16),
    ),
    "nature train": (
        "nature",
        {"counts": (3,)},
        _products("natural_I/", [*"123"], ".jpg")
        + _products("natural_T/", [*"123"], ".png")
        + ["trainA1/9.png", "testB/8.jpg", "testA1/8.png"],
        _products("blended/", [*"123"], ".jpg") + _products("transmission_layer/", [*"123"], ".png"),
        (12, 16),
    ),
    "nature test": (
        "nature",
        {"variant": "test", "counts": (2,)},
        _products("testB/", [*"12"], ".jpg") + _products("testA1/", [*"12"], ".png") + ["natural_I/5.jpg", "natural_T/5.png"],
        _products("blended/", [*"12"], ".jpg") + _products("transmission_layer/", [*"12"], ".png"),
        (12, 16),
    ),
    "nature repackaged": (
        "nature",
        {"variant": "test", "counts": (2,)},
        _products("test/Nature/", PAIRS, "/", [*"12"], ".jpg") + _products("train/nature/", PAIRS, "/", [*"345"], ".jpg"),
        _products(PAIRS, "/", [*"12"], ".jpg"),
        (12, 16),
    ),
    "unaligned": (
        "unaligned",
        {"counts": (2,)},
        _products("unaligned/unaligned_train250/", PAIRS, "/", [*"12"], ".jpg")
        + _products("unaligned150/", PAIRS, "/", [*"345"], ".jpg"),
        _products(PAIRS, "/", [*"12"], ".jpg"),
        (12, 16),
    ),
    "kodak24 full": (
        "kodak24",
        {},
        [f"kodak/{number:02d}.png" for number in range(1, 25)],
        [f"kodim{number:02d}.png" for number in range(1, 25)],
        (512, 768),
    ),
    "cbsd68": (
        "cbsd68",
        {"counts": (3,)},
        _products("CBSD68-dataset/CBSD68/", ("original_png", "noisy25"), "/000", [*"123"], ".png"),
        _products("000", [*"123"], ".png"),
        (481, 321),
    ),
    "gopro": (
        "gopro",
        {"counts": (4,)},
        _products("GOPRO_Large/test/GOPR0384_11_0", [*"05"], "/", ("blur", "blur_gamma", "sharp"), "/00000", [*"12"], ".png")
        + _products("GOPRO_Large/train/GOPR0372_07_00/", ("blur", "sharp"), "/000001.png"),
        _products(PAIRS, "/GOPR0384_11_0", [*"05"], "-00000", [*"12"], ".png"),
        (720, 1280),
    ),
    "urban100": (
        "urban100",
        {"counts": (2,)},
        _products("Urban100/img_00", [*"12"], ".png"),
        _products("img_00", [*"12"], ".png"),
        (12, 16),
    ),
    "mcmaster": ("mcmaster", {"counts": (2,)}, ["McMaster/1.tif", "McMaster/12.tif"], ["1.tif", "12.tif"], (500, 500)),
    "bsd68": (
        "bsd68",
        {"counts": (2,)},
        _products("BSD68/test00", [*"12"], ".png"),
        _products("test00", [*"12"], ".png"),
        (321, 481),
    ),
    "set12": ("set12", {"counts": (2,)}, _products("Set12/0", [*"12"], ".png"), _products("0", [*"12"], ".png"), (12, 16)),
    "flickr2k": (
        "flickr2k",
        {"counts": (2,)},
        [*_products("Flickr2K/Flickr2K_HR/00000", [*"12"], ".png"), "Flickr2K/Flickr2K_LR_bicubic/X2/000001x2.png"],
        _products("00000", [*"12"], ".png"),
        (12, 16),
    ),
    "hide": (
        "hide",
        {"counts": (2,)},
        _products("test/HIDE/", ("input", "target"), "/", [*"12"], "fromGOPR0950.png"),
        _products(PAIRS, "/", [*"12"], "fromGOPR0950.png"),
        (720, 1280),
    ),
    "realblur R": (
        "realblur",
        {"variant": "R", "counts": (2,)},
        _products("test/RealBlur_", [*"JR"], "/", ("input", "target"), "/scene", [*"12"], ".png"),
        _products(PAIRS, "/scene", [*"12"], ".png"),
        (12, 16),
    ),
    "openrr_1k valid": (
        "openrr_1k",
        {"variant": "valid", "counts": (2,)},
        _products(("val_100/", "test_100/"), PAIRS, "/00", [*"12"], ".png"),
        _products(PAIRS, "/00", [*"12"], ".png"),
        (12, 16),
    ),
    "berkeley_real split": (
        "berkeley_real",
        {},
        _products("real_train/", PAIRS, "/", sorted(ALL - TEST), ".jpg")
        + _products("real_test/", PAIRS, "/", sorted(TEST), ".jpg"),
        _products(PAIRS, "/", sorted(ALL - TEST), ".jpg"),
        (12, 16),
    ),
    "real20 split": (
        "real20",
        {},
        _products("real_test/", PAIRS, "/", sorted(TEST), ".jpg"),
        _products(PAIRS, "/", sorted(TEST), ".jpg"),
        (12, 16),
    ),
    "gopro flat": (
        "gopro",
        {"counts": (2,)},
        _products("test/", ("input", "target"), "/GOPR0384_11_00-00000", [*"12"], ".png"),
        _products(PAIRS, "/GOPR0384_11_00-00000", [*"12"], ".png"),
        (720, 1280),
    ),
    "div2k": (
        "div2k",
        {"variant": "valid"},
        [f"DIV2K_valid_HR/DIV2K_valid_HR/{number:04d}.png" for number in range(801, 901)] + ["DIV2K_train_HR/0001.png"],
        [f"{number:04d}.png" for number in range(801, 901)],
        (12, 16),
    ),
    "dead_leaves_saved": (
        "dead_leaves_saved",
        {"count": 2},
        ["deadleaves_div2k_512/0000.png", "deadleaves_div2k_512/0001.png"],
        ["0000.png", "0001.png"],
        (512, 512),
    ),
    "mpi_sintel": (
        "mpi_sintel",
        {"counts": (4,)},
        _products("training/", ("clean", "final", "albedo"), "/", ("alley_1", "cave_2"), "/frame_000", [*"12"], ".png"),
        _products(("blended", "albedo_layer"), "/", ("alley_1", "cave_2"), "_000", [*"12"], ".png"),
        (12, 16),
    ),
    "mpi_sintel flat": (
        "mpi_sintel",
        {"counts": (2,)},
        _products("MPI/MPI-auxilliary-", ("input", "albedo", "shading"), "/", [*"12"], ".png"),
        _products(("blended", "albedo_layer", "shading_layer"), "/", [*"12"], ".png"),
        (12, 16),
    ),
    "shapenet_intrinsic": (
        "shapenet_intrinsic",
        {},
        _products("shapenet/", ("input", "reflectance", "shading", "mask"), "/", [*"123"], ".png"),
        _products(("blended", "albedo_layer", "shading_layer", "mask"), "/", [*"123"], ".png"),
        (12, 16),
    ),
    "shapenet_intrinsic train": (
        "shapenet_intrinsic",
        {"variant": "train"},
        _products(("input", "reflectance", "shading", "mask"), "/", [*"abcdefghi"], ".png"),
        _products(("blended", "mask"), "/", [*"aceg"], ".png")
        + _products(("albedo_layer", "shading_layer"), "/", [*"bdfh"], ".png"),
        (12, 16),
    ),
    "shapenet_intrinsic test": (
        "shapenet_intrinsic",
        {"variant": "test"},
        _products(("input", "reflectance", "shading"), "/", [*"abcdefghi"], ".png"),
        _products(("blended", "albedo_layer", "shading_layer"), "/i.png"),
        (12, 16),
    ),
    "cgintrinsics": (
        "cgintrinsics",
        {},
        _products("intrinsics_final/images/000", [*"12"], "/00000", [*"34"], "_mlt", ("", "_albedo", "_mask"), ".png"),
        _products(("blended", "albedo_layer", "shading_layer", "mask"), "/000", [*"12"], "-00000", [*"34"], "_mlt.png"),
        (24, 32),
    ),
    "cgintrinsics by the script": (
        "cgintrinsics",
        {"variant": "train"},
        _products("CGIntrinsics-modified/", ("input", "reflectance", "shading", "mask"), "/0001-", [*"123"], "_mlt.png"),
        _products(("blended", "mask"), "/0001-1_mlt.png") + _products(("albedo_layer", "shading_layer"), "/0001-2_mlt.png"),
        (12, 16),
    ),
    "mit_intrinsic": (
        "mit_intrinsic",
        {"counts": (2,)},
        _products("MIT-intrinsic/data/", ("apple", "box"), "/", ("original", "reflectance", "shading", "specular", "mask"), ".png"),
        _products(("blended", "albedo_layer", "shading_layer"), "/", ("apple", "box"), ".png"),
        (12, 16),
    ),
    "mit_intrinsic flat": (
        "mit_intrinsic",
        {"counts": (2,)},
        _products("MIT/MIT-", ("input", "reflectance", "shading"), "/", [*"12"], ".png"),
        _products(("blended", "albedo_layer", "shading_layer"), "/", [*"12"], ".png"),
        (12, 16),
    ),
    "openrr_5k archives": (
        "openrr_5k",
        {"counts": (2,)},
        _products("val_300_", ("blended", "transmission"), "/", [*"12"], ".jpg") + ["test_100_blended/1.jpg"],
        _products(PAIRS, "/", [*"12"], ".jpg"),
        (12, 16),
    ),
    "openrr_5k train": (
        "openrr_5k",
        {"variant": "train", "counts": (2,)},
        _products("trian_5k/", PAIRS, "/", [*"12"], ".jpg"),
        _products(PAIRS, "/", [*"12"], ".jpg"),
        (12, 16),
    ),
    "openrr_5k test": (
        "openrr_5k",
        {"variant": "test", "counts": (2,)},
        [*_products("test_100_blended/test_100_blended/", [*"12"], ".jpg"), "val_300_blended/7.jpg"],
        _products("blended/", [*"12"], ".jpg"),
        (12, 16),
    ),
    "rrw": (
        "rrw",
        {},
        _products("ref_hf3/wild_", ("out1", "out2", "lost"), "/frame_0000", [*"12"], ".jpg")
        + _products("ref_hf3/GT_hf3/wild_", ("out1", "out2"), "_GT.png")
        + ["reflection_vivo2/wild_out1/frame_00007.jpg", "reflection_vivo2/GT_vivo2/wild_out1_GT.png"],
        _products("blended/ref_hf3_wild_", ("out1", "out2"), "_frame_0000", [*"12"], ".jpg")
        + _products("transmission_layer/ref_hf3_wild_", ("out1", "out2"), "_frame_0000", [*"12"], ".png")
        + ["blended/reflection_vivo2_wild_out1_frame_00007.jpg", "transmission_layer/reflection_vivo2_wild_out1_frame_00007.png"],
        (12, 16),
    ),
    "cdr released": (
        "cdr",
        {"counts": (3,)},
        _products("data/isprgb_crop/with_gt/", ("C2/5532_5531", "N1/4815_4814"), "_", [*"MTR"], "_0.png")
        + _products("data/isprgb_crop/with_gt/C2/5532_5531_", [*"MTR"], "_1.png"),
        _products(TRIPLES, "/", ("C2_5532_5531_0", "C2_5532_5531_1", "N1_4815_4814_0"), ".png"),
        (12, 16),
    ),
    "cdr made by the authors' script": (
        "cdr",
        {"variant": "valid"},
        [
            f"CDR/{split}/{letter}/{camera}_{letter}_0.png"
            for split, camera in (("val", "C3_8089_8088"), ("test", "C2_5532_5531"))
            for letter in "MTR"
        ],
        _products(TRIPLES, "/C3_8089_8088_0.png"),
        (12, 16),
    ),
    "sidd crops": (
        "sidd",
        {"counts": (2,)},
        _products("val/SIDD/", ("input_crops", "target_crops"), "/", [*"12"], "-1.png"),
        _products(PAIRS, "/", [*"12"], "-1.png"),
        (256, 256),
    ),
    "sidd medium": (
        "sidd",
        {"variant": "medium", "counts": (4,)},
        [
            f"SIDD_Medium_Srgb/Data/{scene}/{scene[:4]}_{kind}_SRGB_{shot}.PNG"
            for scene in ("0001_001_S6_00100_00060_3200_L", "0200_010_GP_01600_03200_5500_N")
            for kind in ("NOISY", "GT")
            for shot in ("010", "011")
        ],
        _products(PAIRS, "/", ("0001_001_S6_00100_00060_3200_L", "0200_010_GP_01600_03200_5500_N"), ("_010", "_011"), ".png"),
        (12, 16),
    ),
    "sidd small": (
        "sidd",
        {"variant": "small", "counts": (1,)},
        _products("SIDD_Small_sRGB_Only/Data/0001_001_S6_00100_00060_3200_L/", ("NOISY", "GT"), "_SRGB_010.PNG"),
        _products(PAIRS, "/0001_001_S6_00100_00060_3200_L_010.png"),
        (12, 16),
    ),
    "dnd patches": (
        "dnd",
        {"counts": (2,)},
        _products("dnd_2017/images_srgb/000", [*"12"], "_01.png"),
        _products("blended/000", [*"12"], "_01.png"),
        (512, 512),
    ),
    "mit_intrinsic listed": (
        "mit_intrinsic",
        {"counts": (2,)},
        _products(("input", "reflectance", "shading", "mask"), "/", ("apple", "box"), ".png"),
        _products(("blended", "albedo_layer", "shading_layer", "mask"), "/", ("apple", "box"), ".png"),
        (12, 16),
    ),
    "iiw": (
        "iiw",
        {"counts": (2,)},
        _products("iiw-dataset/data/", ("54", "66"), (".png", ".json")),
        ["54.png", "66.png", "judgements/54.json", "judgements/66.json"],
        (12, 16),
    ),
}


def make(root: Path, names, size, save):
    for seed, name in enumerate(names):
        if name.endswith(".json"):
            (root / name).write_text("{}")
        else:
            save(root / name, seed, *size)
    (root / "README.txt").write_text("as downloaded")
    return root


@pytest.mark.parametrize("packing", ["folder", "wrapped", "zip"])
@pytest.mark.parametrize("case", CASES)
def test_the_original_layout_is_tidied(case, packing, tmp_path, save, zipped):
    name, settings, download, expected, size = CASES[case]
    raw = make(tmp_path / "raw", download, size, save)
    if packing == "wrapped":
        raw = tmp_path / "wrapped"
        shutil.move(tmp_path / "raw", raw / "my-copy")
    elif packing == "zip":
        raw = zipped(raw, tmp_path / "raw.zip")
    manifest = prepare(name, raw, tmp_path / "out", settings=settings)
    found = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert found == {*expected, "manifest.json"}
    assert manifest.files.keys() == set(expected)
    assert check(tmp_path / "out").ok


@pytest.mark.parametrize("case", ["sir2_wild current", "sir2_postcard released", "ceilnet_table2", "nature train", "gopro flat"])
def test_one_file_less_is_refused(case, tmp_path, save):
    name, settings, download, expected, size = CASES[case]
    raw = make(tmp_path / "raw", download, size, save)
    (raw / download[1]).unlink()
    with pytest.raises(DataError, match=f"RAW does not fit {name}: .* has no (input|transmission|reflection).*; expected"):
        prepare(name, raw, tmp_path / "out", settings=settings)


def test_every_set_of_the_literature_is_tried_here():
    tried = {name for name, *_ in CASES.values()} | MADE_BY_SETTINGS
    assert len(tried) == 36
    assert tried <= set(catalogue.names("sets"))


@pytest.mark.parametrize("name", FOLDER_SETS)
def test_a_set_bears_the_name_of_its_file(name):
    built = catalogue.find("sets", name).build()
    assert isinstance(built, FolderSet)
    assert built.name == name
    assert built.layouts


def item(layout, drawn):
    """The files of one item, path → role: ``drawn``, and what it becomes with the words of the other layers in it."""
    pattern = re.compile(layout.pattern + "$", re.IGNORECASE)
    files = {}
    for word, role in layout.roles.items():
        start, end = pattern.search(drawn).span("layer") if "layer" in pattern.groupindex else (0, 0)
        other = pattern.search(drawn[:start] + word + drawn[end:])
        if other and other.groupdict().get("layer", "").lower() == word:
            files[other.string] = role
    return files


COMPUTED = {"cgintrinsics": {"shading"}}
"""Layers that a release leaves out and a set makes of the others."""


@pytest.mark.parametrize("name", FOLDER_SETS)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_whatever_fits_a_layout_becomes_one_item_with_all_it_needs(name, data):
    built = catalogue.find("sets", name).build()
    layout = data.draw(st.sampled_from([layout for layout in built.layouts if not layout.shared]))
    drawn = data.draw(st.from_regex(re.compile(layout.pattern, re.IGNORECASE), fullmatch=True)).lstrip("/")
    files = item(layout, drawn)
    alone = replace(built, layouts=(layout,), counts=(), stems=None)
    placed = alone.arrange({path: Path(path) for path in files})
    found = {placement.role for placement in placed} - (COMPUTED.get(name, set()) - {*files.values()})
    assert found == {*files.values()} & {*built.required, *built.optional}
    assert {placement.role for placement in placed} >= {*built.required}
    assert len({placement.stem for placement in placed}) == 1


def test_the_published_splits_hold_the_published_counts(tmp_path):
    assert (len(ALL), len(TEST), len(ALL - TEST), "34" in ALL) == (109, 20, 89, False)
    find = catalogue.find
    assert find("sets", "berkeley_real").build(variant="all").counts == (109,)
    assert find("sets", "unaligned").build().counts == (250,)
    assert find("sets", "nature").build().counts == (200,)
    assert find("sets", "gopro").build(variant="train").counts == (2103,)
    assert find("sets", "berkeley_synthetic").build().counts == (13700,)
    assert find("sets", "sir2_wild").build().counts == (55, 101, 52)
    with pytest.raises(UnknownNameError, match="did you mean 'div2k_512'"):
        prepare("dead_leaves_saved", tmp_path, tmp_path / "out", settings={"variant": "div2k512"})


def test_sir2_comes_as_a_zip_of_zips(tmp_path, save, zipped):
    for kind in ("sir2_objects released", "sir2_postcard released", "sir2_wild current"):
        make(
            tmp_path / "raw" / kind,
            [name for name in CASES[kind][2] if not (kind.endswith("current") and "Solid" in name)],
            (12, 16),
            save,
        )
    for kind, folder in (
        ("sir2_objects released", "SolidObjectDataset"),
        ("sir2_postcard released", "Postcard Dataset"),
        ("sir2_wild current", "Wildscene"),
    ):
        zipped(tmp_path / "raw" / kind / folder, tmp_path / "zips" / f"{folder}.zip")
    archive = zipped(tmp_path / "zips", tmp_path / "SIR2.zip")
    for kind, count in (("sir2_objects", 8), ("sir2_postcard", 5), ("sir2_wild", 3)):
        assert prepare(kind, archive, tmp_path / kind, settings={"counts": (count,)}).count == count


def test_identical_copies_count_once_and_different_ones_are_refused(tmp_path, save):
    name, settings, download, _, size = CASES["sir2_wild current"]
    raw = make(tmp_path / "raw", download, size, save)
    shutil.copytree(raw / "Wildscene" / "Wildscene", raw / "copy" / "Wildscene")
    assert prepare(name, raw, tmp_path / "out", settings=settings).count == 3
    save(raw / "copy" / "Wildscene" / "7s" / "g.jpg", 77)
    with pytest.raises(DataError, match=r"7s/g\.jpg is another transmission of '7s'"):
        prepare(name, raw, tmp_path / "again", settings=settings)


def test_one_truth_of_many_frames_takes_the_room_of_one(tmp_path, save):
    name, settings, download, _, size = CASES["rrw"]
    prepare(name, make(tmp_path / "raw", download, size, save), tmp_path / "out", settings=settings)
    first, second = (tmp_path / "out" / "transmission_layer" / f"ref_hf3_wild_out1_frame_0000{place}.png" for place in "12")
    assert first.read_bytes() == (tmp_path / "raw" / "ref_hf3" / "GT_hf3" / "wild_out1_GT.png").read_bytes()
    assert first.samefile(second)


def test_a_split_of_cdr_is_the_one_of_the_authors_list(tmp_path, save):
    name, _, download, _, size = CASES["cdr released"]
    raw = make(tmp_path / "raw", download, size, save)
    listed = tmp_path / "annotation.csv"
    listed.write_text("name,type,reflection,ghost,motion,set\nC2/5532_5531,BRBT,medium,0,0,2\nN1/4815_4814,SRST,strong,0,0,0\n")
    manifest = prepare(name, raw, tmp_path / "out", settings={"variant": "test", "annotation": listed})
    assert {Path(file).stem for file in manifest.files} == {"C2_5532_5531_0", "C2_5532_5531_1"}
    with pytest.raises(DataError, match="lists no photo of the set 1"):
        prepare(name, raw, tmp_path / "other", settings={"variant": "valid", "annotation": listed})
    with pytest.raises(DataError, match=r"cannot be read as CDR's annotation\.csv"):
        prepare(name, raw, tmp_path / "other", settings={"variant": "test", "annotation": tmp_path / "none.csv"})


def test_two_releases_in_one_download_are_refused(tmp_path, save):
    raw = make(tmp_path / "raw", CASES["sir2_wild old"][2] + CASES["sir2_wild current"][2], (12, 16), save)
    with pytest.raises(DataError, match="holds sir2_wild more than once: 3 as .* and 3 as"):
        prepare("sir2_wild", raw, tmp_path / "out", settings={"counts": (3,)})


def test_published_names_in_a_tidy_folder_are_no_second_release(tmp_path, save):
    raw = make(tmp_path / "raw", ["blended/19-input.png", "blended/qingnan-new2-1-input.jpg"], (12, 16), save)
    (raw / "README.txt").unlink()
    manifest = prepare("ceilnet_real45", raw, tmp_path / "out", settings={"counts": (2,)})
    assert sorted(manifest.files) == ["blended/19.png", "blended/qingnan-new2-1.jpg"]


def test_a_pre_resized_real20_is_told_by_photo_110(tmp_path, save):
    raw = make(tmp_path / "raw", CASES["real20 native"][2], (12, 16), save)
    with pytest.raises(DataError, match="'110' has another size .* than the set, 420×320"):
        prepare("real20", raw, tmp_path / "out", settings={"variant": "420"})


def test_the_pre_resized_real20_does_not_pass_for_the_native_one(tmp_path, save):
    raw = make(tmp_path / "raw", CASES["real20 native"][2], (320, 420), save)
    with pytest.raises(DataError, match="'110' has the size .* of another variant of real20 than native; .* variant="):
        prepare("real20", raw, tmp_path / "out")


@pytest.mark.parametrize(("size", "expected"), [((40, 31), (662, 512)), ((30, 40), (512, 684)), ((512, 600), (512, 600))])
def test_short512_is_pillows_bicubic_to_an_even_long_side(size, expected, tmp_path, save):
    raw = make(tmp_path / "raw", CASES["real20 420"][2], size, save)
    manifest = prepare("real20", raw, tmp_path / "out", settings={"variant": "short512"})
    assert {record.size for record in manifest.files.values()} == {expected}
    source = Image.open(raw / "real20_420" / "blended" / "3.png").resize(expected[::-1], Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out" / "blended" / "3.png")), np.asarray(source))


def test_kodak_crops_are_the_centres_losslessly(tmp_path, save):
    raw = tmp_path / "raw"
    for number in range(1, 25):
        save(raw / f"kodim{number:02d}.png", number, *((512, 768) if number % 2 else (768, 512)))
    manifest = prepare("kodak24", raw, tmp_path / "out", settings={"variant": "crop500"})
    assert {record.size for record in manifest.files.values()} == {(500, 500)}
    for name, top, left in (("kodim01", 6, 134), ("kodim02", 134, 6)):
        whole, crop = (np.asarray(Image.open(folder / f"{name}.png")) for folder in (raw, tmp_path / "out"))
        np.testing.assert_array_equal(crop, whole[top : top + 500, left : left + 500])
    again = prepare("kodak24", tmp_path / "out", tmp_path / "twice", settings={"variant": "crop500"})  # published as crops, too
    assert again.files == manifest.files


@pytest.fixture
def voc(tmp_path, save):
    names = ["2007_000027", "2008_000002", "2012_004331"]
    for seed, name in enumerate([*names, "2009_000001"]):
        save(tmp_path / "raw" / "VOCdevkit" / "VOC2012" / "JPEGImages" / f"{name}.jpg", seed, 230 + seed, 301)
    listed = tmp_path / "VOC2012_224_train_png.txt"
    listed.write_text("".join(f"{name}.png\n" for name in names))
    return tmp_path / "raw", listed, hashlib.sha256(listed.read_bytes()).hexdigest()


def test_voc_is_cropped_by_the_list(voc, tmp_path):
    raw, listed, sha256 = voc
    manifest = prepare("voc224", raw, tmp_path / "out", settings={"names": listed, "sha256": sha256})
    assert sorted(manifest.files) == ["2007_000027.png", "2008_000002.png", "2012_004331.png"]
    assert {record.size for record in manifest.files.values()} == {(224, 224)}
    whole = np.asarray(Image.open(raw / "VOCdevkit" / "VOC2012" / "JPEGImages" / "2008_000002.jpg")).astype(int)
    crop = np.asarray(Image.open(tmp_path / "out" / "2008_000002.png")).astype(int)
    assert abs(crop - whole[3:227, 38:262]).max() <= 1  # two JPEG decoders
    prefixed = tmp_path / "ceilnet.txt"
    prefixed.write_text("".join(f"/mnt/data/{line}\n" for line in listed.read_text().split()))
    again = prepare("voc224", raw, tmp_path / "again", settings={"names": prefixed, "sha256": sha256})
    assert again.files == manifest.files


def test_voc_that_others_have_cropped_is_taken_as_it_is(voc, tmp_path, save):
    _, listed, sha256 = voc
    for seed, name in enumerate(["2007_000027", "2008_000002", "2012_004331"]):
        save(tmp_path / "png" / "VOC2012" / "PNGImages" / f"{name}.png", seed, 224, 224)
    manifest = prepare("voc224", tmp_path / "png", tmp_path / "out", settings={"names": listed, "sha256": sha256})
    assert manifest.count == 3
    taken, given = (Image.open(tmp_path / place / "2008_000002.png") for place in ("out", "png/VOC2012/PNGImages"))
    np.testing.assert_array_equal(np.asarray(taken), np.asarray(given))


def test_voc_refuses_other_lists_missing_photos_and_small_ones(voc, tmp_path, save):
    raw, listed, sha256 = voc
    with pytest.raises(DataError, match="is not the published list: its names have the SHA-256"):
        prepare("voc224", raw, tmp_path / "out", settings={"names": listed})
    with pytest.raises(DataError, match="cannot be read"):
        prepare("voc224", raw, tmp_path / "out", settings={"names": tmp_path / "no.txt"})
    photo = raw / "VOCdevkit" / "VOC2012" / "JPEGImages" / "2012_004331.jpg"
    save(photo, 1, 223, 400)
    with pytest.raises(DataError, match=r"2012_004331\.jpg is 400×223, too small for a crop of 224×224"):
        prepare("voc224", raw, tmp_path / "out", settings={"names": listed, "sha256": sha256})
    photo.unlink()
    with pytest.raises(DataError, match="'2012_004331' is missing"):
        prepare("voc224", raw, tmp_path / "out", settings={"names": listed, "sha256": sha256})


def test_live_charts_depend_on_seed_and_index_alone():
    live = catalogue.find("sets", "dead_leaves_live").build(charts=5, side=8)
    assert len(live) == 5
    assert live[0].shape == (8, 8, 3)
    assert live[0].dtype == np.uint8
    expected = chart(Chart(), (8, 8), generator(42, 3, "chart")).permute(1, 2, 0).numpy()
    np.testing.assert_allclose(live[3] / 255, expected, atol=0.5 / 255 + 1e-6)
    assert len({item.tobytes() for item in live[0:5]}) == 5
    with pytest.raises(IndexError):
        live[5]
