"""Films and raw frames: as many frames out as in, in order, whole or not at all."""

import io
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from limpid.errors import PhotoError, UsageError
from limpid.layers.task import TASKS
from limpid.runtime import film as module
from limpid.runtime.film import Calm, film
from limpid.runtime.options import FilmOptions
from limpid.runtime.separator import Separator
from network_samples import tiny


@pytest.fixture(autouse=True)
def small(monkeypatch):
    made = Separator(tiny("stacked"), TASKS["denoise"], name="tiny", model="stacked")
    monkeypatch.setattr(module, "load_with", lambda *_, **__: made)


def reel(path, frames=5, size=(48, 32)):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 12, size)
    for level in range(frames):
        writer.write(np.full((size[1], size[0], 3), 40 * level, np.uint8))
    writer.release()
    return path


def frames_of(path):
    capture = cv2.VideoCapture(str(path))
    found = []
    while (read := capture.read())[0]:
        found.append(read[1])
    return found, capture.get(cv2.CAP_PROP_FPS)


def test_a_film_keeps_its_frames_their_order_and_rate(tmp_path):
    done = film(FilmOptions(source=str(reel(tmp_path / "in.avi")), output=str(tmp_path / "out.avi"), strength=0.0))
    frames, rate = frames_of(tmp_path / "out.avi")
    assert (done.frames, len(frames), rate) == (5, 5, 12)
    assert [round(frame.mean() / 40) for frame in frames] == [0, 1, 2, 3, 4]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.avi", "out.avi"]


def test_raw_frames_pass_through_pipes(monkeypatch):
    sent = np.random.default_rng(0).integers(0, 256, (3, 16, 24, 3), dtype=np.uint8)
    out = io.BytesIO()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(sent.tobytes() + b"cut off")))
    monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=out))
    assert film(FilmOptions(source="-", output="-", size=(16, 24), strength=0.0)).frames == 3
    assert np.array_equal(np.frombuffer(out.getvalue(), np.uint8).reshape(sent.shape), sent)


def test_what_is_no_film_leaves_nothing(tmp_path):
    (tmp_path / "in.avi").write_bytes(b"no film")
    with pytest.raises(PhotoError, match="no film"):
        film(FilmOptions(source=str(tmp_path / "in.avi"), output=str(tmp_path / "out.avi")))
    assert [path.name for path in tmp_path.iterdir()] == ["in.avi"]


def test_contradictions_are_refused(tmp_path):
    with pytest.raises(UsageError, match="--size"):
        FilmOptions(source="-", output="-")
    with pytest.raises(UsageError, match="must end in"):
        film(FilmOptions(source="0", output=str(tmp_path / "out.gif")))


def test_flicker_is_damped_where_nothing_moves():
    calm, scene = Calm(0.9), torch.full((3, 40, 40), 0.5)
    calm(scene, scene - 0.2)
    still = calm(scene, scene)  # the network takes nothing off, after it took 0.2
    assert torch.allclose(still, scene - 0.18, atol=1e-6)
    moved = calm(scene + 0.3, scene + 0.3)
    assert torch.allclose(moved, scene + 0.3)
