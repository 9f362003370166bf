import shutil
import stat
import zipfile

import pytest

from limpid.data.archive import Unpacker
from limpid.errors import DataError


def contents(files):
    return {name: path.read_bytes() for name, path in files.items()}


@pytest.fixture
def tree(tmp_path):
    """A download with rubbish in it."""
    root = tmp_path / "tree"
    for name in ("Set/Set/a.txt", "b.txt", "__MACOSX/Set/._a.txt", "Set/.DS_Store", "Set/._b.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


@pytest.fixture
def scratch(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


EXPECTED = {"Set/Set/a.txt": b"Set/Set/a.txt", "b.txt": b"b.txt"}


def test_a_folder_and_its_zip_list_the_same_files_without_rubbish(tree, zipped, tmp_path, scratch):
    assert contents(Unpacker(scratch).files(tree)) == EXPECTED
    assert contents(Unpacker(scratch).files(zipped(tree, tmp_path / "x.zip"))) == EXPECTED


def test_zips_within_zips_appear_as_folders(tree, zipped, tmp_path, scratch):
    zipped(tree, tmp_path / "outer" / "Post Card.zip")
    archive = zipped(tmp_path / "outer", tmp_path / "all.zip")
    expected = {f"Post Card/{name}": content for name, content in EXPECTED.items()}
    assert contents(Unpacker(scratch).files(archive)) == expected
    shutil.rmtree(scratch)
    scratch.mkdir()
    assert contents(Unpacker(scratch).files(tmp_path / "outer")) == expected


def test_too_many_zips_within_zips_are_refused(tree, zipped, tmp_path, scratch):
    folder = tree
    for depth in range(5):
        folder = zipped(folder, tmp_path / f"level{depth}" / "inner.zip").parent
    with pytest.raises(DataError, match="zips deep"):
        Unpacker(scratch).files(folder / "inner.zip")


@pytest.mark.parametrize(
    "name", ["../evil.txt", "/etc/evil.txt", "a/../../evil.txt", "..\\evil.txt", "C:\\evil.txt", "C:/evil.txt"]
)
def test_paths_that_lead_outside_are_refused(name, tmp_path, scratch):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        member = zipfile.ZipInfo()
        member.filename = name
        archive.writestr(member, "x")
    with pytest.raises(DataError, match=r"evil\.zip holds .* may lead outside"):
        Unpacker(scratch).files(tmp_path / "evil.zip")
    assert not list(tmp_path.rglob("evil.txt"))


def test_links_in_a_zip_are_refused(tmp_path, scratch):
    member = zipfile.ZipInfo("link.txt")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "links.zip", "w") as archive:
        archive.writestr(member, "/etc/passwd")
    with pytest.raises(DataError, match="a link that may lead outside"):
        Unpacker(scratch).files(tmp_path / "links.zip")


def bomb(path, size):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.bin", bytes(size))
    return path


def test_the_unpacked_size_is_bounded_over_all_zips_together(tmp_path, scratch):
    (tmp_path / "raw").mkdir()
    for number in range(3):
        bomb(tmp_path / "raw" / f"{number}.zip", 400_000)
    assert len(Unpacker(scratch, 1_200_000).files(tmp_path / "raw")) == 3
    with pytest.raises(DataError, match="unpacks to 400000 bytes but only 399999 are left of the bound of 1199999 bytes"):
        Unpacker(scratch, 1_199_999).files(tmp_path / "raw")


def test_a_size_that_lies_is_found_out_while_unpacking(tmp_path, scratch):
    path = bomb(tmp_path / "liar.zip", 5_000_000)
    honest, lie = (5_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(honest, lie))
    with pytest.raises(DataError):
        Unpacker(scratch, 1_000_000).files(path)
    assert sum(file.stat().st_size for file in scratch.rglob("*") if file.is_file()) <= 1_000_000


def test_damaged_compressed_data_and_files_used_as_folders_are_refused(tmp_path, scratch):
    path = bomb(tmp_path / "x.zip", 400_000)
    content = bytearray(path.read_bytes())
    content[45:90] = b"\xff" * 45
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.zip cannot be unpacked"):
        Unpacker(scratch).files(path)
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as archive:
        archive.writestr("a", "a file")
        archive.writestr("a/b", "a file in it")
    with pytest.raises(DataError, match=r"odd\.zip cannot be unpacked"):
        Unpacker(scratch).files(tmp_path / "odd.zip")


def test_damaged_missing_and_foreign_files_are_refused(tree, zipped, tmp_path, scratch):
    archive = zipped(tree, tmp_path / "x.zip")
    content = bytearray(archive.read_bytes())
    content[content.index(b"Set/Set/a.txt") + 15] ^= 0xFF  # in the data of the first file
    archive.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.zip cannot be unpacked \(.*\); download it again"):
        Unpacker(scratch).files(archive)
    (tmp_path / "x.tar").write_bytes(b"tar")
    with pytest.raises(DataError, match="neither a folder nor a zip; unpack it first"):
        Unpacker(scratch).files(tmp_path / "x.tar")
    with pytest.raises(DataError, match="does not exist"):
        Unpacker(scratch).files(tmp_path / "nowhere")


def damaged_zip(path, packing, at):
    """A zip whose one member is packed so, with its content or its name broken."""
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr("Set/naïve.txt", bytes(range(256)) * 40)
    data = bytearray(path.read_bytes())
    name = "naïve".encode()
    if at == "content":
        start = data.index(name) + len("Set/naïve.txt".encode())
        data[start : start + 60] = b"\xff" * 60
    else:
        data = bytearray(bytes(data).replace(name, b"na\xff\xfeve"))
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("at", ["content", "name"])
def test_zips_broken_in_any_packing_are_one_kind_of_error(tmp_path, scratch, packing, at):
    with pytest.raises(DataError, match=r"x\.zip"):
        Unpacker(scratch).files(damaged_zip(tmp_path / "x.zip", packing, at))
