"""A notebook on Kaggle, with a client on the PATH that checks what it is given and sends nothing."""

import json
import os
import sys
import tarfile

import pytest

from limpid.errors import UsageError
from limpid.remote import kaggle
from limpid.remote.kaggle import KaggleError, build, pull, push, status
from limpid.remote.options import KaggleOptions
from training_samples import recipe

CLIENT = """\
#!{python}
import json, os, sys
from pathlib import Path
words, log = sys.argv[1:], Path({log!r})
log.open("a").write(json.dumps(words) + "\\n")
kind, command = words[:2]
folder = Path(words[words.index("-p") + 1]) if "-p" in words else None
if [kind, command] == ["datasets", "status"]:
    if not (log.parent / "made").exists():
        sys.exit("404")
    print("ready")
elif [kind, command] == ["datasets", "create"]:
    about = json.loads((folder / "dataset-metadata.json").read_text())
    assert about["id"] == "me/limpid-sample-code" and list(folder.glob("limpid-*.whl")) and (folder / "sample.yaml").is_file()
    (log.parent / "made").touch()
    print("Your private Dataset is being created")
elif [kind, command] == ["datasets", "version"]:
    print("Dataset version is being created")
elif [kind, command] == ["kernels", "push"]:
    about = json.loads((folder / "kernel-metadata.json").read_text())
    book = json.loads((folder / about["code_file"]).read_text())
    assert book["nbformat"] == 4 and all(cell["cell_type"] == "code" for cell in book["cells"])
    for cell in book["cells"]:
        compile("".join(cell["source"]), "cell", "exec")
    print("Kernel push error: no quota" if os.environ.get("NO_QUOTA") else "Kernel version 1 successfully pushed.")
elif [kind, command] == ["kernels", "status"]:
    print('me/limpid-sample has status "KernelWorkerStatus.ERROR"')
elif [kind, command] == ["kernels", "output"]:
    stored = log.parent / "runs.tgz"
    if stored.exists():
        (folder / "runs.tgz").write_bytes(stored.read_bytes())
"""

SECRET = "secret-1234"


@pytest.fixture
def client(tmp_path, monkeypatch):
    """A fake client; returns what it was called with, and the folder that it keeps things in."""
    place = tmp_path / "client"
    place.mkdir()
    log = place / "log"
    log.touch()
    (place / "kaggle").write_text(CLIENT.format(python=sys.executable, log=str(log)))
    (place / "kaggle").chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_CONFIG_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KAGGLE_API_TOKEN", SECRET)
    monkeypatch.setenv("WANDB_API_KEY", SECRET)
    monkeypatch.setattr(kaggle, "_PAUSE", 0.0)
    return lambda: [json.loads(line) for line in log.read_text().splitlines()], place


@pytest.fixture
def options(tmp_path):
    sample = str(recipe(tmp_path / "sample.yaml"))

    def make(*words, **more):
        sets = more.pop("data", ("PHOTOS=me/photos", "HELD=them/held/deep"))
        folders = {"folder": tmp_path / "remote", "out": tmp_path / "runs"}
        return KaggleOptions(words=(sample, *words), user="me", data=sets, **folders, **more)

    return make


def commands(folder):
    """What the notebook would run: run, words, start."""
    book = json.loads((folder / "kernel/train.ipynb").read_text())
    line = next(line for line in book["cells"][-1]["source"] if line.startswith("commands = "))
    return json.loads(json.loads(line.removeprefix("commands = json.loads(").rstrip(")\n")))


def metadata(folder):
    return json.loads((folder / "kernel/kernel-metadata.json").read_text())


def test_the_folder_says_everything_and_holds_no_secret(client, options, tmp_path):
    folder = build(options("train.epochs=2", max_minutes=30, wandb=True, comment="for $5"))
    assert folder == tmp_path / "remote/limpid-sample"
    places = ["PHOTOS=/kaggle/input/photos", "HELD=/kaggle/input/held/deep"]
    further = ["--max-minutes", "30", "--comment", "for $5", "--wandb"]
    assert commands(folder) == [["sample", ["train", "sample.yaml", "train.epochs=2", *places, *further], []]]
    about = metadata(folder)
    assert about["dataset_sources"] == ["me/limpid-sample-code", "me/photos", "them/held"]
    assert (about["is_private"], about["enable_gpu"], about["enable_internet"], about["kernel_sources"]) == (True, True, True, [])
    assert "get_secret(" in (folder / "kernel/train.ipynb").read_text()
    assert not [path for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert client[0]() == []


def test_every_option_reaches_the_notebook(client, options, tmp_path):
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels/extra-1-py3-none-any.whl").write_bytes(b"")
    (tmp_path / "start.pt").write_bytes(b"weights")
    more = {"init": str(tmp_path / "start.pt"), "cpu": True, "offline": True, "wheels": tmp_path / "wheels", "resume": True}
    folder = build(options(name="my-notebook", **more))
    assert commands(folder)[0][2] == ["--init", "start.pt"]
    assert commands(folder)[0][1][-2:] == ["--device", "cpu"]
    names = {path.name for path in (folder / "code").iterdir()}
    assert {"start.pt", "extra-1-py3-none-any.whl", "sample.yaml"} <= names
    about = metadata(folder)
    assert (about["id"], about["enable_gpu"], about["enable_internet"]) == ("me/my-notebook", False, False)
    assert about["kernel_sources"] == ["me/my-notebook"]
    text = (folder / "kernel/train.ipynb").read_text()
    assert "--no-index" in text
    assert "extractall" in text
    folder = build(options(git="https://host/limpid.git@work"))
    install = json.loads((folder / "kernel/train.ipynb").read_text())["cells"][1]["source"][0]
    assert "limpid[train] @ git+https://host/limpid.git@work" in install
    assert not list((folder / "code").glob("limpid-*.whl"))


def test_two_recipes_run_one_after_the_other(options, tmp_path):
    second = recipe(tmp_path / "second.yaml", {"name": "second"})
    folder = build(options(str(second)))
    assert folder.name == "limpid-sample-second"
    assert [run for run, _, _ in commands(folder)] == ["sample", "second"]


def test_pushing_sends_the_code_then_the_notebook(client, options, monkeypatch):
    called, _ = client
    assert push(options(accelerator="NvidiaTeslaT4")) == "https://www.kaggle.com/code/me/limpid-sample"
    assert [words[:2] for words in called()] == [
        ["datasets", "status"],
        ["datasets", "create"],
        ["datasets", "status"],
        ["kernels", "push"],
    ]
    assert called()[-1][-2:] == ["--accelerator", "NvidiaTeslaT4"]
    push(options())
    assert ["datasets", "version"] in [words[:2] for words in called()]
    monkeypatch.setenv("NO_QUOTA", "1")
    with pytest.raises(KaggleError, match="Kernel push error: no quota"):
        push(options())


def test_nothing_is_pushed_without_a_client_or_a_key(client, options, monkeypatch, tmp_path):
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(KaggleError, match="no credentials"):
        push(options())
    monkeypatch.setenv("PATH", "")
    with pytest.raises(KaggleError, match="pip install kaggle"):
        push(options())
    assert client[0]() == []


def test_its_status_and_its_runs_come_back(client, options, tmp_path):
    _, place = client
    assert status(options()) == 'me/limpid-sample has status "KernelWorkerStatus.ERROR"'
    with pytest.raises(KaggleError, match="has left no runs.tgz"):
        pull(options())
    (place / "runs.tgz").write_bytes(b"no archive")
    with pytest.raises(KaggleError, match="is damaged"):
        pull(options())
    (tmp_path / "work/runs/sample").mkdir(parents=True)
    (tmp_path / "work/runs/sample/last.pt").write_bytes(b"state")
    with tarfile.open(place / "runs.tgz", "w:gz") as archive:
        archive.add(tmp_path / "work/runs", "runs")
    assert pull(options()) == [tmp_path / "runs/sample"]
    assert (tmp_path / "runs/sample/last.pt").read_bytes() == b"state"
    with pytest.raises(UsageError, match="add --overwrite"):
        pull(options())
    assert pull(options(overwrite=True)) == [tmp_path / "runs/sample"]


def test_an_archive_does_not_leave_its_folder(client, options, tmp_path):
    _, place = client
    (tmp_path / "x").write_bytes(b"")
    with tarfile.open(place / "runs.tgz", "w:gz") as archive:
        archive.add(tmp_path / "x", "../../escaped")
    with pytest.raises(KaggleError, match="is damaged"):
        pull(options())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"data": ("PHOTOS=me/photos",)}, r"\$HELD has no folder on Kaggle; say --data HELD=OWNER/SET"),
        ({"data": ("photos=me/photos",)}, "write NAME=OWNER/SET"),
        ({"data": ("PHOTOS=me/photos/../x",)}, "write NAME=OWNER/SET"),
        ({"name": "no"}, "no name of a notebook"),
        ({"push": True, "pull": True}, "three commands"),
        ({"git": "https://host/x.git", "offline": True}, "needs the internet"),
        ({"wheels": "wheels"}, "belongs to --offline"),
    ],
)
def test_what_cannot_be_is_one_line(options, more, said):
    with pytest.raises(UsageError, match=said):
        build(options(**more))


def test_the_command_builds_and_sends_nothing(client, tmp_path, monkeypatch, capsys):
    from limpid.cli import main

    sample = recipe(tmp_path / "sample.yaml")
    monkeypatch.chdir(tmp_path)
    words = ["remote", "kaggle", str(sample), "-u", "me", "--data", "PHOTOS=me/photos", "--data", "HELD=me/held"]
    monkeypatch.setattr(sys, "argv", ["limpid", *words])
    with pytest.raises(SystemExit) as end:
        main.main()
    printed = capsys.readouterr()
    assert not end.value.code, printed.err
    assert printed.out == "remote/limpid-sample\n"
    assert "nothing was sent" in printed.err
    assert client[0]() == []
