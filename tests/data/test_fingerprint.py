"""A fingerprint of files: the same for moved folders, another one for whatever changes a photo."""

import pytest

from limpid.data.fingerprint import fingerprint


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "one").mkdir()
    for name in "abc":
        (tmp_path / "one" / f"{name}.png").write_bytes(name.encode() * 5000)
    return tmp_path / "one"


def of(folder):
    return fingerprint(sorted(folder.iterdir()))


def test_it_counts_and_follows_a_folder_that_moves(folder, tmp_path):
    before = of(folder)
    assert before.startswith("3 files, ")
    folder.rename(tmp_path / "two")
    assert of(tmp_path / "two") == before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "a.png").rename(folder / "d.png"),
        lambda folder: (folder / "b.png").write_bytes(b"b" * 4999 + b"c"),
        lambda folder: (folder / "b.png").write_bytes(b"b" * 5001),
        lambda folder: (folder / "c.png").unlink(),
    ],
)
def test_what_changes_it(folder, change):
    before = of(folder)
    change(folder)
    assert of(folder) != before
