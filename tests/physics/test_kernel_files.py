"""Kernel sets on disk, written the way their makers write them."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from scipy.io import savemat

from limpid.errors import DataError, MissingExtraError
from limpid.physics.degradations.motion_blur import MotionBlur, kernel_of
from limpid.physics.kernel_files import read_kernels
from limpid.physics.motion import centroid
from limpid.physics.seeds import generator

SHAPES = [(13, 15), (7, 7), (19, 4)]


def kernels() -> list[np.ndarray]:
    draw = np.random.default_rng(0)
    return [draw.random(shape) + 0.01 for shape in SHAPES]


def unit(raw: list[np.ndarray]) -> list[np.ndarray]:
    return [kernel / kernel.sum() for kernel in raw]


def cells(raw: list[np.ndarray]) -> np.ndarray:
    row = np.empty((1, len(raw)), dtype=object)
    row[0] = raw
    return row


def write_v73(path: Path, raw: list[np.ndarray], name: str = "kernels") -> Path:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w", userblock_size=512) as file:
        hidden = file.create_group("#refs#")
        links = file.create_dataset(name, (len(raw), 1), dtype=h5py.ref_dtype)
        for number, kernel in enumerate(raw):
            links[number, 0] = hidden.create_dataset(f"k{number}", data=kernel.T).ref  # column-major, as MATLAB has it
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(128))
    return path


def same(first: list[np.ndarray], second: list[np.ndarray]) -> None:
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert one.dtype == np.float64
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_a_v5_cell_array_comes_back_kernel_by_kernel(tmp_path: Path) -> None:
    savemat(tmp_path / "set.mat", {"kernels": cells(kernels()), "note": np.array([1.0])})
    same(read_kernels(tmp_path / "set.mat"), unit(kernels()))


def test_a_v5_stack_under_any_single_name(tmp_path: Path) -> None:
    stack = np.random.default_rng(1).random((9, 11, 4))
    savemat(tmp_path / "set.mat", {"psf": stack})
    same(read_kernels(tmp_path / "set.mat"), unit([stack[:, :, number] for number in range(4)]))


def test_a_v73_cell_array_comes_back_untransposed(tmp_path: Path) -> None:
    same(read_kernels(write_v73(tmp_path / "set.mat", kernels())), unit(kernels()))


def test_a_v73_stack(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    stack = np.random.default_rng(1).random((9, 11, 4))
    with h5py.File(tmp_path / "set.mat", "w", userblock_size=512) as file:
        file["kernels"] = stack.T
    same(read_kernels(tmp_path / "set.mat"), unit([stack[:, :, number] for number in range(4)]))


def test_npz_of_matrices_and_of_a_stack(tmp_path: Path) -> None:
    np.savez(tmp_path / "apart.npz", *kernels())
    same(read_kernels(tmp_path / "apart.npz"), unit(kernels()))
    stack = np.random.default_rng(1).random((4, 9, 11))
    np.savez(tmp_path / "stack.npz", kernels=stack)
    same(read_kernels(tmp_path / "stack.npz"), unit(list(stack)))


def test_folders_of_png_by_name_with_eight_and_sixteen_bits(tmp_path: Path) -> None:
    raw = [(kernel / kernel.max() * 255).round().astype(np.uint8) for kernel in kernels()]
    raw[1] = (kernels()[1] * 60000).astype(np.uint16)
    for number, pixels in enumerate(raw):
        cv2.imwrite(str(tmp_path / f"kernel_{number:02}.png"), pixels)
    (tmp_path / "readme.txt").write_text("not a kernel")
    same(read_kernels(tmp_path), unit([pixels.astype(np.float64) for pixels in raw]))


def broken(folder: Path, case: str) -> Path:
    path = folder / ("set.mat" if case in {"two variables", "text", "garbage", "cut"} else "set.npz")
    match case:
        case "negative":
            np.savez(path, np.array([[0.5, -0.5]]))
        case "zero":
            np.savez(path, np.ones((3, 3)), np.zeros((3, 3)))
        case "infinite":
            np.savez(path, np.array([[np.inf, 1.0]]))
        case "vector":
            np.savez(path, np.ones(5))
        case "empty":
            np.savez(path)
        case "no archive":
            path.write_bytes(b"PK\x03\x04 cut short")
        case "two variables":
            savemat(path, {"a": np.ones((3, 3)), "b": np.ones((3, 3))})
        case "text":
            savemat(path, {"kernels": "three"})
        case "garbage":
            path.write_bytes(bytes(range(256)) * 8)
        case "cut":
            path.write_bytes(write_v73(path, kernels()).read_bytes()[:900])
        case "folder":
            path = folder / "empty"
            path.mkdir()
        case "suffix":
            path = folder / "set.csv"
            path.write_text("1,2")
        case "absent":
            path = folder / "nowhere.npz"
    return path


CASES = [
    "negative",
    "zero",
    "infinite",
    "vector",
    "empty",
    "no archive",
    "two variables",
    "text",
    "garbage",
    "cut",
    "folder",
    "suffix",
    "absent",
]


@pytest.mark.parametrize("case", CASES)
def test_what_is_no_kernel_set_is_refused_by_name(case: str, tmp_path: Path) -> None:
    path = broken(tmp_path, case)
    with pytest.raises(DataError, match=path.name):
        read_kernels(path)


def test_without_h5py_the_error_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_v73(tmp_path / "set.mat", kernels())
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"limpid\[train\]"):
        read_kernels(path)


def test_motion_blur_draws_from_a_set_and_centres_each_kernel(tmp_path: Path) -> None:
    lopsided = np.zeros((11, 11))
    lopsided[0, :4] = 1.0
    np.savez(tmp_path / "set.npz", lopsided, *kernels())
    blur = MotionBlur(kernels=tmp_path / "set.npz")
    image = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    seen = set()
    for seed in range(40):
        drawn = blur.draw(generator(seed), (64, 64))
        kernel = kernel_of(drawn)
        seen.add(drawn["index"])
        assert kernel.sum() == pytest.approx(1)
        for place, side in zip(centroid(kernel), kernel.shape, strict=True):
            assert abs(place - side // 2) <= 0.5
        degraded = blur.apply(image, drawn)
        assert degraded.image.shape == degraded.target.shape == (3, 65 - kernel.shape[0], 65 - kernel.shape[1])
        within = blur.apply(image, {**drawn, "rim": 12})
        down, across = (12 - side // 2 for side in kernel.shape)
        height, width = degraded.image.shape[1:]
        assert torch.equal(within.image, degraded.image[:, down : height - down, across : width - across])
        assert torch.equal(within.target, image[:, 12:-12, 12:-12])
    assert seen == {0, 1, 2, 3}
