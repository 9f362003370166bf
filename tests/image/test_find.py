"""What finding promises: the photos meant, each once, and a helpful line otherwise."""

import os
import re
from pathlib import Path

import pytest

from limpid.data.layout import PHOTO
from limpid.data.pairing import by_stem
from limpid.errors import UsageError
from limpid.image import formats
from limpid.image.find import Findings, count_kinds, find, is_own_output
from limpid.layers.task import TASKS


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "b.jpg",
        "a.PNG",
        "notes.txt",
        "sub/c.tif",
        "sub/deep/d.webp",
        ".hidden.jpg",
        "b.transmission.jpg",
        "a.compare.png",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def names(found: Findings, tree: Path) -> list[str]:
    return [str(item.path.relative_to(tree)) for item in found.photos]


def test_a_folder_is_walked_sorted_without_our_own_outputs(tree):
    found = find([tree])
    assert names(found, tree) == ["a.PNG", "b.jpg", "sub/c.tif", "sub/deep/d.webp"]
    assert {item.root for item in found.photos} == {tree}


def test_files_named_outright_are_taken_as_they_are(tree):
    found = find([tree / "notes.txt", str(tree / "b.transmission.jpg"), tree / "b.jpg"])
    assert names(found, tree) == ["notes.txt", "b.transmission.jpg", "b.jpg"]
    assert {item.root for item in found.photos} == {tree}


def test_quoted_globs(tree):
    assert names(find([str(tree / "*.jpg")]), tree) == ["b.jpg"]
    found = find([str(tree / "**" / "*.*")])
    assert sorted(names(found, tree)) == ["a.PNG", "b.jpg", "sub/c.tif", "sub/deep/d.webp"]
    assert {item.root for item in found.photos} == {tree}
    assert names(find([str(tree / "su*")]), tree) == ["sub/c.tif", "sub/deep/d.webp"]
    with pytest.raises(UsageError, match="no photo matches"):
        find([str(tree / "*.gif")])


def test_a_file_with_brackets_in_its_name_is_no_glob(tree):
    (tree / "a[1].png").write_bytes(b"x")
    assert names(find([tree / "a[1].png"]), tree) == ["a[1].png"]


def test_each_photo_comes_once_and_a_pipe_passes(tree):
    assert names(find([tree / "b.jpg", tree, str(tree / "*.jpg")]), tree) == ["b.jpg", "a.PNG", "sub/c.tif", "sub/deep/d.webp"]
    assert [str(item.path) for item in find(["-"]).photos] == ["-"]


def test_loops_of_links_end(tree):
    os.symlink(tree, tree / "sub" / "loop")
    os.symlink(tree / "sub", tree / "twin")
    assert names(find([tree]), tree) == ["a.PNG", "b.jpg", "sub/c.tif", "sub/deep/d.webp"]


def test_what_is_missing_is_named_with_the_nearest(tree):
    with pytest.raises(UsageError, match=r"did you mean .*b\.jpg"):
        find([tree / "bb.jpg"])
    with pytest.raises(UsageError, match="no folder"):
        find([tree / "nowhere" / "b.jpg"])
    (tree / "empty").mkdir()
    with pytest.raises(UsageError, match="no photo in this folder"):
        find([tree / "empty"])
    with pytest.raises(UsageError) as caught:
        find([tree / "line\nbreak.jpg"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("layer", sorted({layer for task in TASKS.values() for layer in task.layers + task.optional}))
def test_our_outputs_are_known_by_name(layer):
    assert is_own_output(Path(f"photo.{layer}.jpg"))
    assert is_own_output(Path(f"photo.{layer}_2.png"))
    assert not is_own_output(Path(f"{layer}.jpg"))
    assert not is_own_output(Path(f"photo.{layer}.cropped.jpg"))
    assert is_own_output(Path("photo.compare.png"))


# ---------------------------------------------------------------- what is left out is counted


@pytest.fixture
def mixed(tree, monkeypatch) -> Path:
    """The tree without a decoder for HEIC, and with photos of kinds that are not read."""
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    for place in ("a.HEIC", "sub/b.heif", "sub/deep/c.NEF", "d.jxl", ".hidden.heic", "notes.txt~"):
        (tree / place).write_bytes(b"x")
    (tree / "nameless").write_bytes(b"\xff\xd8\xff\xe0")
    (tree / "movie.heics.mov").write_bytes(b"x")
    return tree


def kinds(found: Findings, tree: Path) -> dict[str, str]:
    return {str(path.relative_to(tree)): kind for path, kind in found.unread.items()}


def test_photos_that_are_not_read_here_are_found_out(mixed):
    found = find([mixed])
    assert names(found, mixed) == ["a.PNG", "b.jpg", "sub/c.tif", "sub/deep/d.webp"]
    all_kinds = {
        "a.HEIC": "HEIC",
        "d.jxl": "JPEG XL",
        "nameless": "without a photo's extension",
        "sub/b.heif": "HEIC",
        "sub/deep/c.NEF": "raw",
    }
    assert kinds(found, mixed) == all_kinds
    assert kinds(find([str(mixed / "**" / "*")]), mixed) == all_kinds
    assert kinds(find([mixed, mixed / "sub"]), mixed) == all_kinds
    assert kinds(find([mixed / "b.jpg"]), mixed) == {}
    assert count_kinds(found.unread.values()) == "5 not read here: HEIC, JPEG XL, raw, without a photo's extension"


def test_a_folder_or_glob_of_such_photos_alone_says_so(mixed):
    (mixed / "phone").mkdir()
    (mixed / "phone" / "x.heic").write_bytes(b"x")
    for wanted in (mixed / "phone", str(mixed / "phone" / "*")):
        with pytest.raises(UsageError, match="1 not read here: HEIC"):
            find([wanted])


def test_with_its_extra_heic_is_a_photo(mixed, monkeypatch):
    monkeypatch.setattr(formats, "find_spec", lambda name: name)
    found = find([mixed])
    assert {"a.HEIC", "sub/b.heif"} < {*names(found, mixed)}
    assert "HEIC" not in found.unread.values()


@pytest.mark.parametrize("extension", ["jfif", "jpe", "JFIF", "apng", "dib", "ppm", "pgm", "pbm", "pnm"])
def test_rarer_extensions_count_everywhere(tmp_path, extension):
    path = tmp_path / f"x.{extension}"
    path.write_bytes(b"x")
    assert [item.path for item in find([tmp_path]).photos] == [path]
    assert [*by_stem(tmp_path)[0].values()] == [path]
    assert re.fullmatch(f"x{PHOTO}", path.name, re.IGNORECASE)
