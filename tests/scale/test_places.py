"""Files of this machine and of addresses that fsspec knows."""

from pathlib import Path, PurePosixPath

import fsspec
import pytest

from limpid.errors import MissingExtraError, UsageError
from limpid.scale.places import (
    PlaceError,
    deliver,
    fetch,
    files_at,
    folder_of,
    is_address,
    join,
    local_path,
    name_of,
    names_in,
    read_bytes,
    write_bytes,
)


def test_files_below_an_address_keep_their_folders(memory):
    for place in ("in/a.jpg", "in/deep/b.jpg", "other/c.jpg"):
        memory.pipe_file(f"/{place}", b"x")
    found = files_at("memory://in")
    assert [(file.address, file.below) for file in found] == [
        ("memory:///in/a.jpg", PurePosixPath()),
        ("memory:///in/deep/b.jpg", PurePosixPath("deep")),
    ]
    assert [file.address for file in files_at("memory://in/*.jpg")] == ["memory:///in/a.jpg"]
    assert [file.below for file in files_at("memory://in/deep/b.jpg")] == [PurePosixPath()]


def test_bytes_go_there_and_back(memory, tmp_path):
    write_bytes("memory://out/x.json", b"{}")
    assert names_in("memory://out") == {"x.json"}
    assert names_in("memory://nowhere") == set()
    assert read_bytes("memory://out/x.json") == b"{}"
    copy = fetch("memory://out/x.json", tmp_path)
    assert (copy.name, copy.read_bytes()) == ("x.json", b"{}")
    copy.write_bytes(b"[]")
    deliver(copy, "memory://out/deep/y.json")
    assert memory.cat_file("/out/deep/y.json") == b"[]"


def test_a_system_without_whole_files_gets_a_temporary_name_first(memory, tmp_path, monkeypatch):
    monkeypatch.setattr("limpid.scale.places._WHOLE", frozenset())
    (tmp_path / "a").write_bytes(b"1")
    put = []
    monkeypatch.setattr(type(memory), "put_file", lambda self, path, there: put.append(there) or self.pipe_file(there, b"1"))
    deliver(tmp_path / "a", "memory://out/a")
    assert memory.cat_file("/out/a") == b"1"
    assert PurePosixPath(put[0]).name.startswith(".limpid-")
    assert names_in("memory://out") == {"a"}


def test_a_path_stays_a_path(tmp_path):
    write_bytes(str(tmp_path / "deep" / "x"), b"1")
    assert read_bytes(str(tmp_path / "deep" / "x")) == b"1"
    assert fetch(str(tmp_path / "x"), tmp_path / "copies") == tmp_path / "x"
    assert names_in(str(tmp_path)) == {"deep"}
    assert local_path("file:///a/b") == Path("/a/b")


@pytest.mark.parametrize(
    ("folder", "names", "joined"),
    [
        ("s3://b/in/", ("x", "y.jpg"), "s3://b/in/x/y.jpg"),
        ("s3://b", (PurePosixPath(),), "s3://b"),
        ("/a", (PurePosixPath("c"), "d"), "/a/c/d"),
    ],
)
def test_joined(folder, names, joined):
    assert join(folder, *names) == joined
    assert name_of(join(folder, "z.jpg")) == "z.jpg"
    assert folder_of(join(folder, "z.jpg")) == folder.rstrip("/")


def test_what_is_an_address():
    assert is_address("s3://bucket/x")
    assert not is_address("file:///x")
    assert not is_address("photos/x.jpg")


def test_a_place_that_is_not_there_is_one_line(memory):
    with pytest.raises(PlaceError, match=r"memory://nowhere: no such file, folder or bucket"):
        files_at("memory://nowhere")


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (PermissionError("Access Denied"), r"no right to do that \(Access Denied\); check the key"),
        (OSError(28, "No space left on device"), "OSError: .*No space left"),
        (RuntimeError("line one\nline two"), "RuntimeError: line one line two"),
    ],
)
def test_what_a_system_raises_is_one_line(memory, monkeypatch, raised, said):
    def refuse(*_, **__):
        raise raised

    monkeypatch.setattr(type(memory), "cat_file", refuse)
    with pytest.raises(PlaceError, match=said) as error:
        read_bytes("memory://a/b")
    assert "\n" not in str(error.value)


def test_unknown_systems_and_missing_libraries_are_named(monkeypatch):
    with pytest.raises(UsageError, match="nosuch:// is no kind of place"):
        files_at("nosuch://a")

    def lacks(scheme):
        raise ImportError(f"Install {scheme}fs to access {scheme}")

    monkeypatch.setattr(fsspec, "filesystem", lacks)
    monkeypatch.setattr("limpid.scale.places._system_of", __import__("limpid.scale.places", fromlist=["x"])._system_of.__wrapped__)
    with pytest.raises(MissingExtraError, match=r"pip install 'limpid\[scale\]'"):
        files_at("s3://a")
    with pytest.raises(UsageError, match="Install gsfs"):
        files_at("gs://a")
