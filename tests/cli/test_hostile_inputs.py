"""Inputs that lie, hang, or cannot be had: one line each, and the rest of the batch is done."""

import os
import socket
import stat

import pytest
import torch
from PIL import Image

from limpid.layers.network import LayerNetwork
from limpid.runtime import batch
from pictures import picture


def outputs(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def photos(tmp_path):
    for name in ("a.jpg", "c.jpg"):
        picture(tmp_path / "in" / name)
    return tmp_path / "in"


@pytest.mark.parametrize("dry", [["--dry-run"], []])
def test_pipes_and_sockets_in_a_folder_are_passed_over(limpid, photos, tiny, tmp_path, dry):
    os.mkfifo(photos / "p.jpg")
    (photos / "below").mkdir()
    os.mkfifo(photos / "below" / "q.png")
    (photos / "l.jpg").symlink_to(photos / "p.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(photos / "s.jpg"))
        done = limpid("separate", photos, "-o", tmp_path / "out", "-m", tiny, "--layers", "T", *dry)
    assert done.code == 0, done.err
    assert [name for name in outputs(tmp_path) if name.startswith("out")] == (
        [] if dry else ["out/a.transmission.jpg", "out/c.transmission.jpg"]
    )


@pytest.mark.parametrize("special", ["pipe", "device", "link to a device"])
def test_named_outright_they_are_refused_and_the_others_done(limpid, photos, tiny, tmp_path, special):
    named = tmp_path / "p.jpg"
    if special == "pipe":
        os.mkfifo(named)
    elif special == "link to a device":
        named.symlink_to("/dev/zero")
    else:
        named = "/dev/zero"
    done = limpid("separate", named, photos, "-o", tmp_path / "out", "-m", tiny, "--layers", "T", "--format", "jpg")
    assert done.code == 1
    assert "it is a pipe, a socket or a device" in done.err
    assert outputs(tmp_path / "out") == ["a.transmission.jpg", "c.transmission.jpg"]


@pytest.mark.parametrize(
    "words",
    [
        ["prepare", "--check"],
        ["train"],
        ["inspect"],
        ["synthesise", "--from"],
        ["separate", "a.jpg", "-m"],
        ["prepare", "kodak24"],
    ],
    ids=" ".join,
)
def test_no_command_waits_for_a_pipe(limpid, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "a.jpg")
    name = {"train": "p.yaml", "prepare": "p.zip"}.get(words[0], "p.safetensors") if "--check" not in words else "p/manifest.json"
    (tmp_path / name).parent.mkdir(exist_ok=True)
    os.mkfifo(tmp_path / name)
    named = [*words, name.removesuffix("/manifest.json")]
    done = limpid(*named, *(["out"] if words[0] in ("synthesise",) or words[-1] == "kodak24" else []))
    assert done.code in (1, 2)
    assert len(done.err.strip().splitlines()) == 1, done.err


@pytest.mark.parametrize("unlistable", ["the folder itself", "a folder in it"])
def test_a_folder_that_cannot_be_listed_costs_that_folder_alone(limpid, photos, tiny, tmp_path, monkeypatch, unlistable):
    locked = photos / "locked"
    locked.mkdir()
    picture(locked / "hidden.jpg")
    where = photos if unlistable == "the folder itself" else locked
    real = type(where).iterdir

    def iterdir(path):  # the tests may run as root, who may list everything
        if path == where:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(type(where), "iterdir", iterdir)
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(where) and path != where)
    done = limpid("separate", photos, "-o", tmp_path / "out", "-m", tiny, "--layers", "T")
    assert done.code == 1
    assert str(where) in done.err
    expected = [] if where == photos else ["a.transmission.jpg", "c.transmission.jpg"]
    assert outputs(tmp_path / "out") == expected


@pytest.mark.skipif(os.name == "nt", reason="no permission bits")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o664, 0o400])
@pytest.mark.parametrize("format", ["same", "png"])
def test_outputs_are_no_more_public_than_the_photo(limpid, photo, tiny, mode, format):
    photo.chmod(mode)
    assert limpid("separate", photo, "-m", tiny, "--format", format).code == 0
    written = [path for path in photo.parent.iterdir() if path != photo]
    assert len(written) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {mode}
    assert limpid("separate", photo, "-m", tiny, "--format", format, "--overwrite").code == 0


NO_MEMORY = [
    RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: 8 bytes."),
    RuntimeError("could not create a memory object: out of memory"),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
    MemoryError(),
]


@pytest.mark.parametrize("fault", NO_MEMORY, ids=lambda fault: type(fault).__name__)
@pytest.mark.parametrize("jobs", [1, 3])
def test_a_photo_without_room_leaves_the_others_done(limpid, photos, tiny, tmp_path, monkeypatch, fault, jobs):
    picture(photos / "b.jpg", size=(50, 30))
    forward = LayerNetwork.forward

    def failing(self, mixed, context=None):
        if mixed.shape[-1] > 48:
            raise fault
        return forward(self, mixed, context)

    monkeypatch.setattr(LayerNetwork, "forward", failing)
    done = limpid("separate", photos, "-o", tmp_path / "out", "-m", tiny, "--layers", "T", "--jobs", jobs)
    assert done.code == 1
    assert "b.jpg: out of memory; lower --max-memory or --jobs" in done.err
    assert "Traceback" not in done.err
    assert outputs(tmp_path / "out") == ["a.transmission.jpg", "c.transmission.jpg"]


def test_what_nobody_foresaw_is_told_in_one_line_too(limpid, photos, tiny, tmp_path, monkeypatch):
    write = batch.write

    def failing(layer, path, **settings):
        if path.name.startswith("a"):
            raise ZeroDivisionError("one\n\x1b[31mtwo")
        return write(layer, path, **settings)

    monkeypatch.setattr(batch, "write", failing)
    done = limpid("separate", photos, "-o", tmp_path / "out", "-m", tiny, "--layers", "T")
    assert done.code == 1
    assert "a.jpg: failed unexpectedly (ZeroDivisionError" in done.err
    assert "\x1b" not in done.err
    assert outputs(tmp_path / "out") == ["c.transmission.jpg"]


@pytest.mark.parametrize("format", ["png", "bmp", "jpg", "tiff"])
@pytest.mark.parametrize("dpi", [(2**32 - 1, 1), (1, 2**32 - 1), (2**32 - 1, 2**32 - 1)], ids=str)
def test_resolutions_that_no_picture_has_are_dropped_with_a_note(limpid, photos, tiny, tmp_path, format, dpi):
    from PIL.TiffImagePlugin import IFDRational

    Image.open(photos / "a.jpg").save(photos / "b.tif", tiffinfo={282: IFDRational(*dpi), 283: IFDRational(*dpi), 296: 2})
    done = limpid("separate", photos, "-o", tmp_path / "out", "-m", tiny, "--layers", "T", "--format", format)
    assert done.code == 0, done.err
    assert len(outputs(tmp_path / "out")) == 3
    with Image.open(next((tmp_path / "out").glob("b.*"))) as written:
        assert max(written.info.get("dpi", (1, 1))) <= 65535
    assert ("DPI dropped" in done.err) == (dpi != (2**32 - 1, 2**32 - 1))
