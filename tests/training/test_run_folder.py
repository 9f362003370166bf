"""A run folder is all that it takes to go on, from wherever it stands, with nothing retyped and with nobody else at work in it."""

import json
import os
import time

import pytest
import yaml

from limpid.errors import UsageError
from limpid.training.options import TrainOptions
from limpid.training.run_folder import locked, remembered
from limpid.training.trainer import train
from training_samples import differences, finish, photos, recipe, start, state


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """A function that runs the sample recipe from relative paths, as a person types it."""
    monkeypatch.chdir(tmp_path)
    photos(tmp_path / "train", 6), photos(tmp_path / "held", 4, seed=1)

    def go(*changes, overrides=(), **wishes):
        recipe(tmp_path / "sample.yaml", *changes)
        given = ("PHOTOS=train", "HELD=held", *overrides)
        return train(TrainOptions(recipe="sample.yaml", overrides=given, device="cpu", quiet=True, **wishes))

    return go


def again(folder, **wishes):
    return train(TrainOptions(recipe=str(folder), resume=True, quiet=True, **wishes))


def test_a_run_goes_on_and_is_tested_by_its_folder_alone(begun, tmp_path, monkeypatch, capsys):
    whole = begun(name="whole")
    part = begun(name="part", max_steps=3)
    assert yaml.safe_load((part.folder / "recipe.yaml").read_text())["name"] == "part"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    again(tmp_path / "runs/part")
    apart = {"logger": 0, "recipe": 0}
    assert differences({**state(tmp_path / whole.folder), **apart}, {**state(tmp_path / part.folder), **apart}) == []
    train(TrainOptions(recipe=str(tmp_path / "runs/part"), test_only=True))
    assert "on validation: psnr" in capsys.readouterr().err
    assert [*elsewhere.iterdir()] == []


def test_the_command_line_takes_the_folder(begun, tmp_path):
    begun(name="mine", max_steps=1)
    done = finish("--resume", "runs/mine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert state(tmp_path / "runs/mine")["step"] == 8
    with pytest.raises(UsageError, match="runs/mine is a run; go on with `limpid train --resume runs/mine`"):
        train(TrainOptions(recipe="runs/mine"))
    with pytest.raises(UsageError, match="is the run itself; leave out --name"):
        train(TrainOptions(recipe="runs/mine", resume=True, name="other"))


def test_what_decides_no_step_may_change_and_the_rest_may_not(begun, capsys):
    folder = begun(overrides=["train.epochs=1"], name="mine").folder
    again(folder, overrides=("train.epochs=2", "comment=longer", "log.every=2", "train.threads=2", "data.workers=1"))
    assert state(folder)["step"] == 8
    assert "going on with" in capsys.readouterr().err
    with pytest.raises(UsageError, match=r"data\.batch: 2 then, 4 now.*--force"):
        again(folder, overrides=("data.batch=4",))


def test_options_of_the_start_are_remembered_unless_others_are_wished(tmp_path, begun):
    folder = begun(max_steps=1).folder
    held = json.loads((folder / "options.json").read_text())
    assert held == {"backbone_weights": "pretrained", "device": "cpu", "wandb": False}
    (folder / "options.json").write_text(json.dumps({**held, "backbone_weights": "none"}))
    assert remembered(folder, TrainOptions()).backbone_weights == "none"
    assert remembered(folder, TrainOptions(backbone_weights="mine.pth", device="cuda")) == TrainOptions(
        backbone_weights="mine.pth", device="cuda"
    )
    assert remembered(tmp_path, TrainOptions()) == TrainOptions()


def test_other_data_is_refused(begun, tmp_path):
    folder = begun(max_steps=1).folder
    photos(tmp_path / "train", 7)
    with pytest.raises(UsageError, match=r"data\.train\.0: 6 files, \w+ then, 7 files"):
        again(folder)
    again(folder, force=True, max_steps=2)
    (tmp_path / "train/0_6.png").unlink()
    again(folder, force=True, max_steps=3)
    content = (tmp_path / "held/1_0.png").read_bytes()
    (tmp_path / "held/1_0.png").write_bytes(content[:-20] + b"\0" + content[-19:])
    with pytest.raises(UsageError, match=r"data\.validate\.0: 4 files, \w+ then, 4 files"):
        again(folder)


def test_two_processes_never_train_in_one_folder(begun, tmp_path):
    photos(tmp_path / "train", 6), photos(tmp_path / "held", 4, seed=1)
    text = recipe(tmp_path / "sample.yaml", {"train": {"epochs": 2000}})
    with start(text, "PHOTOS=train", "HELD=held", "--device", "cpu", cwd=tmp_path) as process:
        log = tmp_path / "runs/sample/train.log"
        while process.poll() is None and not (log.exists() and "step 2/" in log.read_text()):
            time.sleep(0.05)
        with pytest.raises(UsageError, match="another process trains in runs/sample"):
            again("runs/sample")
        process.kill()
    assert again("runs/sample", max_steps=3).exit_code == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked on POSIX alone")
def test_a_child_that_outlives_its_run_keeps_nobody_out(tmp_path):
    with locked(tmp_path):
        child = os.fork()
        if not child:
            os.execvp("sleep", ["sleep", "5"])
    with locked(tmp_path):
        os.kill(child, 9)
        os.waitpid(child, 0)


def test_a_run_goes_on_from_any_state_that_it_kept(begun):
    changes = {"log": {"state_every": 1, "save_every": 1, "images": 1}, "train": {"epochs": 3}}
    folder = begun(changes).folder
    whole = state(folder)
    rows = (folder / "epochs.jsonl").read_text().splitlines()
    assert {path.name for path in folder.glob("state_*.pt")} == {"state_0001.pt", "state_0002.pt", "state_0003.pt"}
    with pytest.raises(UsageError, match="no state after epoch 7; there are those after the epochs 1, 2, 3"):
        again(folder, from_epoch=7)
    again(folder, from_epoch=1, max_steps=5)
    assert state(folder)["step"] == 5
    assert not list(folder.glob("*_0002*")) + list(folder.glob("*_0003*"))
    assert all(one["epoch"] == 1 for one in json.loads((folder / "best.json").read_text()))
    again(folder)
    assert differences({**whole, "logger": 0}, {**state(folder), "logger": 0}) == []
    same = [json.loads(row)["validation/psnr"] for row in (folder / "epochs.jsonl").read_text().splitlines()]
    assert same == [json.loads(row)["validation/psnr"] for row in rows]
    with pytest.raises(UsageError, match="give --resume as well"):
        begun(changes, from_epoch=1, name="other")
