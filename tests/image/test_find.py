"""What finding promises: the photos meant, each once, and a helpful line otherwise."""

import os
from pathlib import Path

import pytest

from limpid.errors import UsageError
from limpid.image.find import Findings, find, is_own_output
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
