"""Miniature photos and folders; every test makes what it needs."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest


def photo(seed: int, height: int = 12, width: int = 16) -> np.ndarray:
    """A smooth little photo, (height, width, 3) uint8 RGB."""
    coarse = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)


@pytest.fixture
def save() -> Callable[..., Path]:
    """Write a photo, ``save(path, seed, height, width)``, as the ending says; makes the folders on the way."""

    def write(path: Path, seed: int = 0, height: int = 12, width: int = 16) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), photo(seed, height, width)[..., ::-1])
        return path

    return write


@pytest.fixture
def paired(save: Callable[..., Path]) -> Callable[..., Path]:
    """Make a tidy folder: ``paired(root, names, reflection=False)``."""

    def make(root: Path, names: list[str], *, reflection: bool = False, size: tuple[int, int] = (12, 16)) -> Path:
        layers = ("blended", "transmission_layer", *(("reflection_layer",) if reflection else ()))
        for number, name in enumerate(names):
            for place, layer in enumerate(layers):
                save(root / layer / f"{name}.png", 10 * number + place, *size)
        return root

    return make


@pytest.fixture
def zipped() -> Callable[[Path, Path], Path]:
    """Pack everything below a folder: ``zipped(folder, archive)``, names relative to the folder."""

    def pack(folder: Path, archive: Path) -> Path:
        archive.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(archive, "w") as content:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    content.write(path, path.relative_to(folder).as_posix())
        return archive

    return pack


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Modification time and bytes of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): (os.stat(path).st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def snapshot() -> Callable[[Path], dict[str, tuple[int, bytes]]]:
    return state
