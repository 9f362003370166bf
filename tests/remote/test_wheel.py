"""The code that runs here as a wheel."""

import base64
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import limpid
from limpid.remote.wheel import write_wheel


def test_it_holds_the_package_and_its_checksums(tmp_path):
    path = write_wheel(tmp_path)
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        record = archive.read(next(name for name in names if name.endswith("RECORD"))).decode().splitlines()
        for line in record:
            name, digest, size = line.rsplit(",", 2)
            if digest:
                content = archive.read(name)
                found = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
                assert (digest, size) == (f"sha256={found}", str(len(content)))
    root = Path(limpid.__file__).parent
    there = [file.relative_to(root) for file in root.rglob("*") if file.is_file()]
    assert {f"limpid/{file.as_posix()}" for file in there if "__pycache__" not in file.parts} <= names
    assert len(record) == len(names)
    assert not [name for name in names if "__pycache__" in name]


def test_the_same_code_gives_the_same_bytes(tmp_path):
    first = write_wheel(tmp_path / "a").read_bytes()
    assert write_wheel(tmp_path / "b").read_bytes() == first


def test_pip_installs_it(tmp_path):
    path = write_wheel(tmp_path)
    words = ["install", "--quiet", "--no-deps", "--no-index", "--no-compile", "--target", tmp_path / "there", path]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True)
    assert (tmp_path / "there/limpid/recipes/limpid.yaml").is_file()
    assert "limpid.cli.main:main" in next((tmp_path / "there").glob("*.dist-info/entry_points.txt")).read_text()
