"""``--engine ray`` as a person uses it; the workers in this process where Ray itself is not what is tested."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from limpid.scale import photos
from pictures import picture
from ray_stand_in import without_ray


@pytest.fixture
def here(monkeypatch):
    """Photos are done here; returns their rows' keys as they are done."""
    return without_ray(monkeypatch, photos)


def files(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "limpid-run" not in path.parts
    }


def some(folder, count):
    for number in range(count):
        picture(folder / ("deep" if number % 3 == 0 else "") / f"p{number}.{'jpg' if number % 2 else 'png'}", seed=number)
    return folder


@pytest.mark.parametrize("command", ["separate", "denoise", "deblur", "decompose"])
def test_every_command_of_photos_has_the_engine(limpid, here, tmp_path, command):
    photo = picture(tmp_path / "in/a.png")
    models = {"decompose": ("-m", "retinex")}.get(command, ())
    assert limpid(command, photo, "-o", tmp_path / "single", *models).code == 0
    done = limpid(command, photo, "-o", tmp_path / "out", "--engine", "ray", *models)
    assert done.code == 0, done.err
    assert files(tmp_path / "out") == files(tmp_path / "single") != {}


def test_failed_photos_do_not_stop_the_run_and_resume_tries_them_again(limpid, here, tmp_path, tiny):
    some(tmp_path / "in", 4)
    (tmp_path / "in/bad.png").write_bytes(b"no photo")
    words = ("separate", tmp_path / "in", "-o", tmp_path / "out", "-m", tiny, "--engine", "ray", "--max-memory", "1GB")
    first = limpid(*words)
    assert first.code == 1
    assert "bad.png: it is not an image" in first.err
    assert "4 done, 0 skipped, 1 failed" in first.err
    assert "it exists; add --overwrite" in limpid(*words).err
    picture(tmp_path / "in/bad.png")
    del here[:]
    again = limpid(*words, "--resume")
    assert (again.code, [Path(key).name for key in here]) == (0, ["bad.png"]), again.err
    assert "1 done, 4 skipped, 0 failed" in again.err
    assert "begun with strength 1.0, now 0.5" in limpid(*words, "--resume", "--strength", "0.5").err
    assert limpid("separate", tmp_path / "in", "-o", tmp_path / "one", "-m", tiny, "--max-memory", "1GB").code == 0
    assert files(tmp_path / "out") == files(tmp_path / "one")


def test_json_and_a_dry_run(limpid, here, tmp_path, tiny):
    photo = picture(tmp_path / "in/a.jpg")
    words = ("separate", photo, "-o", tmp_path / "out", "-m", tiny, "--engine", "ray", "--json")
    dry = limpid(*words, "--dry-run")
    assert dry.code == 0, dry.err
    assert not (tmp_path / "out").exists()
    lines = [json.loads(line) for line in limpid(*words).lines]
    assert lines[0]["outputs"] == json.loads(dry.lines[0])["outputs"]
    assert lines[0]["outputs"]["transmission"] == str(tmp_path / "out/a.transmission.jpg")
    assert lines[1] == {"summary": {"done": 1, "skipped": 0, "failed": 0}}


def test_two_networks_and_a_wrong_name(limpid, here, tmp_path, tiny):
    photo = picture(tmp_path / "in/a.png")
    words = ("separate", photo, "-o", tmp_path / "out", "--engine", "ray", "--layers", "T")
    assert "no such weight file" in limpid(*words, "-m", "gone.safetensors").err
    assert not (tmp_path / "out").exists()
    assert limpid(*words, "-m", f"one={tiny}", "-m", f"two={tiny}").code == 0
    assert {path.name for path in files(tmp_path / "out")} == {"a.one.transmission.png", "a.two.transmission.png"}


def test_ray_is_not_touched_without_its_engine(tmp_path):
    code = "import sys, limpid.cli.main; assert not {'ray', 'boto3', 'botocore', 's3fs', 'kaggle', 'pyarrow'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def command(*words):
    return [sys.executable, "-m", "limpid", *map(str, words)]


@pytest.mark.exhaustive
@pytest.mark.parametrize("count", [12, 200])
def test_workers_of_ray_write_what_one_process_writes_though_one_is_killed(tmp_path, tiny, count):
    pytest.importorskip("ray.data")
    some(tmp_path / "in", count)
    words = ("separate", tmp_path / "in", "-m", tiny, "--max-memory", "1GB")
    subprocess.run(command(*words, "-o", tmp_path / "one", "-q"), check=True)
    run = subprocess.Popen(
        command(*words, "-o", tmp_path / "out", "--engine", "ray", "--workers", 2, "--threads", 1),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if count == 200:
        kill_a_worker(run, tmp_path / "out")
    _, said = run.communicate(timeout=280)
    assert run.returncode == 0, said
    assert f"{count} done, 0 skipped, 0 failed" in said
    assert files(tmp_path / "out") == files(tmp_path / "one")


def words_of(process):
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it has just ended
        return ""


def kill_a_worker(run, out):
    """Kill one of the processes that hold a network, once some photos are done."""
    until = time.monotonic() + 120
    while time.monotonic() < until and run.poll() is None:
        pool = [child for child in psutil.Process(run.pid).children(recursive=True) if "_Pooled" in words_of(child)]
        if pool and out.is_dir() and len(os.listdir(out)) > 20:
            os.kill(pool[0].pid, signal.SIGKILL)
            return
        time.sleep(0.1)
    raise AssertionError("no worker was seen at work")


@pytest.mark.exhaustive
def test_photos_and_outputs_in_a_bucket(tmp_path, tiny, monkeypatch, limpid):
    pytest.importorskip("ray.data")
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }.items():
        monkeypatch.setenv(name, value)
    import s3fs

    bucket = s3fs.S3FileSystem(skip_instance_cache=True)
    try:
        bucket.mkdir("photos")
        some(tmp_path / "in", 4)
        bucket.put(str(tmp_path / "in"), "photos/in", recursive=True)
        words = ("-m", tiny, "--max-memory", "1GB")
        assert limpid("separate", tmp_path / "in", "-o", tmp_path / "one", *words).code == 0
        gone = limpid("separate", "s3://no-such-bucket/in", "-o", "s3://photos/out", *words, "--engine", "ray")
        assert (gone.code, gone.err.count("\n")) == (1, 1)
        assert "no such file, folder or bucket" in gone.err
        done = limpid("separate", "s3://photos/in", "-o", "s3://photos/out", *words, "--engine", "ray", "--workers", 2)
        assert done.code == 0, done.err
        keys = [key for key in bucket.find("photos/out") if "limpid-run" not in key]
        found = {Path(key).relative_to("photos/out"): bucket.cat_file(key) for key in keys}
        assert found == files(tmp_path / "one")
        again = limpid("separate", "s3://photos/in", "-o", "s3://photos/out", *words, "--engine", "ray", "--resume")
        assert "0 done, 4 skipped, 0 failed" in again.err
    finally:
        server.stop()
