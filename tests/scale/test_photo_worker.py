"""One worker makes of photos from anywhere what the command makes of photos here."""

import os
from pathlib import Path

import pytest

from limpid import catalogue
from limpid.checkpoints import file
from limpid.runtime.batch import run_jobs
from limpid.runtime.options import PhotoOptions
from limpid.runtime.photo_jobs import plan_jobs
from limpid.scale.photo_rows import PhotoRow
from limpid.scale.photo_worker import Outcome, PhotoWorker
from network_samples import tiny as tiny_network
from pictures import picture


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    settings = catalogue.find("models", "limpid").sizes["tiny"]
    file.save(path, file.Checkpoint(model="limpid", settings=settings, tensors=tiny_network("limpid").state_dict(), notes={}))
    return str(path)


@pytest.fixture
def worker(tiny):
    options = PhotoOptions(photos=("in",), output="out", model=(tiny,), engine="ray", max_memory=10**9)
    return PhotoWorker(options, "reflection", threads=1)


def expected(photo, folder, tiny):
    options = PhotoOptions(photos=(str(photo),), output=str(folder), model=(tiny,), max_memory=10**9)
    (report,) = run_jobs(plan_jobs(options, "reflection"), options, "reflection")
    return {Path(path).name: Path(path).read_bytes() for path in report.outputs.values()}


@pytest.mark.parametrize("name", ["a.jpg", "b.png"])
def test_the_bytes_are_those_of_one_machine(worker, memory, tmp_path, tiny, name):
    photo = picture(tmp_path / name)
    memory.pipe_file(f"/in/{name}", photo.read_bytes())
    wanted = expected(photo, tmp_path / "single", tiny)
    far = worker.process(PhotoRow(source=f"memory:///in/{name}", folder="memory://out/deep"))
    assert far.error is None
    assert {
        Path(place).name: memory.cat_file(place.removeprefix("memory://")) for place in far.reports[0].outputs.values()
    } == wanted
    near = worker.process(PhotoRow(source=str(photo), folder=str(tmp_path / "near")))
    assert near.error is None
    assert {path.name: path.read_bytes() for path in (tmp_path / "near").iterdir()} == wanted
    assert Outcome.from_json(near.to_json()) == near


def test_doing_it_twice_leaves_the_same_and_what_is_to_stay_stays(worker, tmp_path):
    photo = picture(tmp_path / "a.jpg")
    row = PhotoRow(source=str(photo), folder=str(tmp_path / "out"), keep=("a.reflection.jpg",))
    first, second = worker.process(row), worker.process(row)
    assert (first.error, second.error) == (None, None)
    assert os.listdir(tmp_path / "out") == ["a.transmission.jpg"]


def test_a_bad_photo_is_a_reason_with_its_address(worker, memory):
    memory.pipe_file("/in/bad.png", b"no photo")
    bad = worker.process(PhotoRow(source="memory:///in/bad.png", folder="memory://out"))
    assert bad.error.startswith("memory:///in/bad.png: it is not an image")
    gone = worker.process(PhotoRow(source="memory:///in/gone.png", folder="memory://out"))
    assert "no such file, folder or bucket" in gone.error


def test_an_output_that_cannot_be_written_is_a_reason(worker, memory, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    photo = picture(tmp_path / "a.jpg")
    monkeypatch.setattr(type(memory), "put_file", full)
    outcome = worker.process(PhotoRow(source=str(photo), folder="memory://out"))
    assert "No space left on device" in outcome.error
    (tmp_path / "out").write_bytes(b"a file where a folder should be")
    below = worker.process(PhotoRow(source=str(photo), folder=str(tmp_path / "out/deep")))
    assert "it is a file, outputs need a folder" in below.error


def test_a_photo_under_a_false_name_never_takes_the_place_of_another(worker, tmp_path):
    photo = tmp_path / "a.jpg"
    photo.write_bytes(picture(tmp_path / "a.png").read_bytes())
    refused = worker.process(PhotoRow(source=str(photo), folder=str(tmp_path / "out"), alone=False))
    assert "its contents and its extension disagree" in refused.error
    assert not (tmp_path / "out").exists()
    worker.process(PhotoRow(source=str(photo), folder=str(tmp_path / "out")))
    assert sorted(os.listdir(tmp_path / "out")) == ["a.reflection.png", "a.transmission.png"]
