"""Photos in MATLAB files."""

import sys

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from limpid.data.matlab import boxed_photos, stacked_photos
from limpid.data.prepare import prepare
from limpid.errors import DataError, MissingExtraError

BLOCKS = ("ValidationNoisyBlocksSrgb", "ValidationGtBlocksSrgb")


def blocks(folder, photos=2, size=256):
    """SIDD's two files, small in number."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {}
    for seed, name in enumerate(BLOCKS):
        made[name] = np.random.default_rng(seed).integers(0, 256, (photos, 3, size, size, 3), dtype=np.uint8)
        savemat(folder / f"{name}.mat", {name: made[name]})
    return made


def test_blocks_become_pairs(tmp_path):
    made = blocks(tmp_path / "raw" / "SIDD")
    manifest = prepare("sidd", tmp_path / "raw", tmp_path / "out", settings={"counts": (6,)})
    assert sorted(manifest.files)[0] == "blended/0001_01.png"
    for folder, name in zip(("blended", "transmission_layer"), BLOCKS, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out" / folder / "0002_03.png")), made[name][1, 2])


@pytest.mark.parametrize("held", [{"other": np.zeros(3)}, {BLOCKS[0]: np.zeros((2, 3, 8, 8, 3))}])
def test_another_variable_is_told(tmp_path, held):
    path = tmp_path / f"{BLOCKS[0]}.mat"
    savemat(path, held)
    with pytest.raises(DataError, match=r"must hold ValidationNoisyBlocksSrgb as \(photos, blocks, H, W, 3\) of 8 bits"):
        stacked_photos(*BLOCKS)({path.name: path}, tmp_path / "scratch")
    path.write_bytes(b"MATLAB?")
    with pytest.raises(DataError, match="cannot be read as a MATLAB v5 file"):
        stacked_photos(*BLOCKS)({path.name: path}, tmp_path / "scratch")


def darmstadt(folder):
    """DND's files: two photos of two boxes, in the orientation of HDF5."""
    h5py = pytest.importorskip("h5py")
    (folder / "images_srgb").mkdir(parents=True)
    photos = [np.random.default_rng(seed).random((530, 540, 3)).astype(np.float32) for seed in range(2)]
    boxes = [np.array([[1, 1, 512, 512], last]) for last in ([19, 29, 530, 540], [18, 28, 529, 539])]
    with h5py.File(folder / "info.mat", "w") as file:
        cells = [file.create_dataset(f"#refs#/{place}", data=box.T.astype(float)) for place, box in enumerate(boxes)]
        file.create_dataset("info/boundingboxes", data=np.array([[cell.ref for cell in cells]], dtype=h5py.ref_dtype))
    for place, noisy in enumerate(photos):
        with h5py.File(folder / "images_srgb" / f"{place + 1:04d}.mat", "w") as file:
            file["InoisySRGB"] = noisy.T
    return photos


def test_boxes_become_patches_of_16_bits(tmp_path):
    photos = darmstadt(tmp_path / "raw" / "dnd_2017")
    manifest = prepare("dnd", tmp_path / "raw", tmp_path / "out", settings={"counts": (4,)})
    assert sorted(manifest.files) == [f"blended/000{photo}_0{box}.png" for photo in (1, 2) for box in (1, 2)]
    for name, expected in (("0001_02", photos[0][18:530, 28:540]), ("0002_02", photos[1][17:529, 27:539])):
        found = cv2.imread(str(tmp_path / "out" / "blended" / f"{name}.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
        assert np.abs(found / 65535 - expected).max() <= 0.51 / 65535


def test_photos_without_their_boxes_are_told(tmp_path, monkeypatch):
    darmstadt(tmp_path)
    files = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*.mat")}
    with pytest.raises(DataError, match=r"no info\.mat"):
        boxed_photos({name: path for name, path in files.items() if name != "info.mat"}, tmp_path / "scratch")
    (tmp_path / "info.mat").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"info\.mat cannot be read as a MATLAB v7\.3 file of this set"):
        boxed_photos(files, tmp_path / "scratch")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match="h5py"):
        boxed_photos(files, tmp_path / "scratch")
