"""A zip that trains on any machine with Python and a shell."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile

import pytest

from limpid.errors import UsageError
from limpid.remote.bundle import write_bundle
from limpid.remote.options import BundleOptions
from training_samples import photos, recipe


@pytest.fixture
def bundle(tmp_path):
    """Make a bundle and unpack it, as another machine would; returns its folder."""

    def make(*words, **more):
        path = write_bundle(BundleOptions(words=words, output=tmp_path / "bundle.zip", **more))
        with zipfile.ZipFile(path) as archive:
            archive.extractall(tmp_path / "there")
        return tmp_path / "there/bundle"

    return make


def run(folder, **environment):
    words = ["sh", "run.sh"]
    wanted = {key: value for key, value in os.environ.items() if key not in ("PHOTOS", "HELD", "PYTHONPATH")}
    return subprocess.run(words, cwd=folder, env={**wanted, **environment}, capture_output=True, text=True, check=False)


def test_places_are_asked_for_before_anything(bundle, tmp_path):
    folder = bundle(str(recipe(tmp_path / "sample.yaml")), "train.epochs=1", comment="it's mine")
    assert sorted(path.name for path in folder.iterdir() if path.suffix != ".whl") == ["run.sh", "sample.yaml"]
    script = (folder / "run.sh").read_text()
    assert "train sample train sample.yaml train.epochs=1 --comment 'it'\"'\"'s mine' \"$@\"" in script
    subprocess.run(["sh", "-n", folder / "run.sh"], check=True)
    refused = run(folder, PHOTOS="/photos", PYTHON="false")
    assert refused.returncode != 0
    assert "HELD" in refused.stderr


def test_what_is_not_there_is_said(tmp_path):
    sample = str(recipe(tmp_path / "sample.yaml"))
    for words, more, said in (
        (("train.epochs=1",), {}, "name a recipe"),
        ((sample, "train.epoch=1"), {}, "epochs"),
        ((sample, sample), {}, "two recipes are called sample.yaml"),
        ((sample,), {"init": "gone.pt"}, "no such file of weights"),
    ):
        with pytest.raises(UsageError, match=said):
            write_bundle(BundleOptions(words=words, output=tmp_path / "x.zip", **more))
    assert not (tmp_path / "x.zip").exists()
    (tmp_path / "x.zip").write_bytes(b"")
    with pytest.raises(UsageError, match="add --overwrite"):
        write_bundle(BundleOptions(words=(sample,), output=tmp_path / "x.zip"))


@pytest.mark.exhaustive
def test_it_trains_in_a_fresh_environment_and_goes_on(bundle, tmp_path):
    photos(tmp_path / "train", 6), photos(tmp_path / "held", 4, seed=1)
    folder = bundle(str(recipe(tmp_path / "sample.yaml")), "train.epochs=2")
    venv.create(tmp_path / "fresh", with_pip=True)
    python = tmp_path / "fresh/bin/python"
    place = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], capture_output=True, text=True, check=True
    )
    borrowed = f"{place.stdout.strip()}/borrowed.pth"  # torch and the others, which no network brings here
    with open(borrowed, "w", encoding="utf-8") as file:
        file.write(sysconfig.get_path("purelib") + "\n")
    wanted = {"PYTHON": str(python), "PIP_OPTIONS": "--no-deps --no-index", "OMP_NUM_THREADS": "1"}
    places = {"PHOTOS": str(tmp_path / "train"), "HELD": str(tmp_path / "held")}
    first = run(folder, **wanted, **places)
    assert first.returncode == 0, first.stderr
    assert (folder / "runs/sample/last.pt").is_file()
    assert (folder / "runs.tgz").is_file()
    words = [python, "-c", "import limpid; print(limpid.__file__)"]
    where = subprocess.run(words, cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True)
    assert where.stdout.startswith(str(tmp_path / "fresh"))
    assert sys.prefix not in where.stdout
    again = run(folder, **wanted, **places)
    assert again.returncode == 0, again.stderr
