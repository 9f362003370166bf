"""What a run says: means per row, files that a kill cannot degrade, and a resumed run whose files equal an uninterrupted one's."""

import csv
import json
import math
import re
import sys
from types import SimpleNamespace

import pytest
import torch

from limpid.errors import MissingExtraError
from limpid.training import trackers
from limpid.training.logger import Logger
from limpid.training.trackers import TIMES, Table, read_rows

SCORES = {"validation": {"psnr": 24.312, "ssim": 0.89312, "input_psnr": 20.111, "input_ssim": 0.8112}, "table2": {"psnr": 21.0}}


def values(step):
    return {"loss": 1 / step, **({"adv": 0.7 + step} if step > 3 else {})}


def go(folder, steps, *, step=0, state=None, every=4, total=20, **options):
    """A run of five steps per epoch up to step ``steps``; returns the state of its logger."""
    with Logger(folder, every=every, total_steps=total, step=step, state=state, tensorboard=False, quiet=True, **options) as logger:
        for now in range(step + 1, steps + 1):
            epoch = (now - 1) // 5 + 1
            logger.step(now, epoch, values(now), {"network": 1e-3, "discriminator": 1e-4}, samples=2)
            if now % 5 == 0:
                logger.epoch(epoch, now, SCORES)
        return logger.state()


def timeless(path):
    return [{name: value for name, value in row.items() if name not in TIMES} for row in read_rows(path)]


def test_rows_hold_the_means_since_the_row_before(tmp_path):
    go(tmp_path, 8)
    first, second = read_rows(tmp_path / "metrics.jsonl")
    assert (first["step"], first["epoch"], first["samples"]) == (4, 1, 8)
    assert first["loss"] == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    assert first["adv"] == 4.7  # one value of it so far
    assert second["loss"] == pytest.approx((1 / 5 + 1 / 6 + 1 / 7 + 1 / 8) / 4)
    assert (second["lr"], second["lr_discriminator"]) == (1e-3, 1e-4)
    assert second["samples_per_second"] > 0


def test_the_last_step_has_a_row_of_its_own(tmp_path):
    go(tmp_path, 6, total=6)
    assert [row["step"] for row in read_rows(tmp_path / "metrics.jsonl")] == [4, 6]


def test_epochs_hold_scores_by_set_and_means_of_losses(tmp_path):
    go(tmp_path, 10)
    rows = read_rows(tmp_path / "epochs.jsonl")
    assert [(row["epoch"], row["step"]) for row in rows] == [(1, 5), (2, 10)]
    assert rows[1]["train/loss"] == pytest.approx(sum(1 / step for step in range(6, 11)) / 5)
    assert rows[0]["validation/psnr"] == 24.312
    assert rows[0]["table2/psnr"] == 21.0


@pytest.mark.parametrize("stem", ["metrics", "epochs"])
def test_csv_and_jsonl_say_the_same(tmp_path, stem):
    go(tmp_path, 20)
    with (tmp_path / f"{stem}.csv").open(newline="") as file:
        sheet = list(csv.DictReader(file))
    rows = read_rows(tmp_path / f"{stem}.jsonl")
    assert len(sheet) == len(rows) == {"metrics": 5, "epochs": 4}[stem]
    for written, row in zip(sheet, rows, strict=True):
        assert {name: float(value) for name, value in written.items() if value} == pytest.approx(row)


@pytest.mark.parametrize("stop", [3, 4, 5, 7, 15, 18])
def test_a_resumed_run_leaves_the_files_of_an_uninterrupted_one(tmp_path, stop):
    go(tmp_path / "once", 20)
    state = go(tmp_path / "twice", stop)
    go(tmp_path / "twice", min(20, stop + 4), step=stop, state=state)  # goes on for a while, but is killed before it saves
    with (tmp_path / "twice" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 99, "lo')
    with (tmp_path / "twice" / "metrics.csv").open("a") as file:
        file.write("99,1")
    go(tmp_path / "twice", 20, step=stop, state=json.loads(json.dumps(state)))
    for stem in ("metrics", "epochs"):
        once, twice = (timeless(tmp_path / name / f"{stem}.jsonl") for name in ("once", "twice"))
        assert once == twice
        sheets = [list(csv.DictReader((tmp_path / name / f"{stem}.csv").open(newline=""))) for name in ("once", "twice")]
        assert [list(row) for row in sheets[0]] == [list(row) for row in sheets[1]]  # columns in the same order
        for mine, theirs in zip(*sheets, strict=True):
            assert {k: v for k, v in mine.items() if k not in TIMES} == {k: v for k, v in theirs.items() if k not in TIMES}


def test_a_new_run_in_an_old_folder_starts_with_empty_files(tmp_path):
    go(tmp_path, 20)
    Logger(tmp_path, every=4, total_steps=20, tensorboard=False, quiet=True).close()
    assert read_rows(tmp_path / "metrics.jsonl") == []
    assert (tmp_path / "metrics.csv").read_text() == ""


def test_half_written_and_foreign_lines_are_passed_over(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"step": 1, "loss": 2.0}\n\x00\x00\n[1]\n{"loss": 1}\n{"step": 2, "loss": 1.0}\n{"step": 3, "lo')
    assert [row["step"] for row in read_rows(path)] == [1, 2]
    Table(tmp_path, "x", until=2).append({"step": 3, "loss": 0.5})
    assert (tmp_path / "x.jsonl").read_text().splitlines()[-1] == '{"step": 3, "loss": 0.5}'
    assert (tmp_path / "x.csv").read_text() == "step,loss\n1,2.0\n2,1.0\n3,0.5\n"


def test_a_new_column_comes_before_the_times(tmp_path):
    table = Table(tmp_path, "x", until=0)
    table.append({"step": 1, "loss": 2.0, "seconds": 0.1})
    table.append({"step": 2, "adv": 3.0, "loss": 1.0, "seconds": 0.2})
    assert (tmp_path / "x.csv").read_text() == "step,loss,adv,seconds\n1,2.0,,0.1\n2,1.0,3.0,0.2\n"


def test_values_that_are_no_numbers_stay_out_of_means_and_files(tmp_path):
    with Logger(tmp_path, every=2, total_steps=4, tensorboard=False, quiet=True) as logger:
        logger.step(1, 1, {"loss": math.nan, "adv": math.inf}, {"network": 1.0}, samples=1)
        logger.step(2, 1, {"loss": 3.0, "adv": math.nan}, {"network": 1.0}, samples=1)
        logger.epoch(1, 2, {"validation": {"psnr": math.nan}})
    row = read_rows(tmp_path / "metrics.jsonl")[0]
    assert row["loss"] == 3.0
    assert row["adv"] is None
    assert read_rows(tmp_path / "epochs.jsonl")[0]["validation/psnr"] is None


def test_the_log_has_real_line_ends_and_one_line_per_epoch(tmp_path):
    (tmp_path / "train.log").write_text("half a li")
    go(tmp_path, 5, comment="more glass\nless haste")
    lines = (tmp_path / "train.log").read_text().split("\n")
    assert lines[0] == "half a li"
    assert lines[1].endswith(" comment: more glass")
    assert lines[2].endswith(" less haste")
    assert re.search(r"epoch 1, step 4/20: loss 0\.5208, adv 4\.7000, lr 1\.0e-03, lr_discriminator 1\.0e-04, \d", lines[3])
    said = "epoch 1, step 5: validation PSNR 24.31 dB (input 20.11), SSIM 0.8931 (input 0.8112); table2 PSNR 21.00 dB;"
    assert lines[4].endswith(f"{said} loss 0.4567; 0 s")
    assert lines[5:] == [""]


def test_the_console_gets_the_epoch_line_unless_quiet(tmp_path, capsys):
    for quiet in (False, True):
        with Logger(tmp_path, every=5, total_steps=5, tensorboard=False, quiet=quiet) as logger:
            logger.step(1, 1, {"loss": 1.0}, {"network": 1.0}, samples=1)
            logger.epoch(1, 1, SCORES)
        said = capsys.readouterr().err
        assert ("validation PSNR 24.31 dB (input 20.11)" in said) is not quiet


def test_time_spent_on_scores_is_not_the_steps(tmp_path, monkeypatch):
    now = iter([0.0, 1.0, 2.0, 100.0, 101.0, 102.0])  # start, two steps, end of scoring, two steps
    monkeypatch.setattr("limpid.training.logger.time", SimpleNamespace(monotonic=lambda: next(now)))
    with Logger(tmp_path, every=4, total_steps=4, tensorboard=False, quiet=True) as logger:
        for step in (1, 2, 3, 4):
            logger.step(step, 1, {"loss": 1.0}, {"network": 1.0}, samples=8, waited=0.25)
            if step == 2:
                logger.epoch(1, 2, {})
    row = read_rows(tmp_path / "metrics.jsonl")[0]
    assert (row["seconds"], row["samples_per_second"], row["waiting"]) == (4.0, 8.0, 0.25)


def curves(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    return events


def test_tensorboard_hides_what_a_kill_made_void(tmp_path):
    pytest.importorskip("tensorboard")
    for step, factor in ((0, 1.0), (4, 2.0)):  # the second run goes on after step 4, which the first had passed
        with Logger(tmp_path, every=2, total_steps=8, step=step, quiet=True) as logger:
            for now in range(step + 1, 9):
                logger.step(now, 1, {"loss": factor * now, "percep": 1.0}, {"network": 1e-3}, samples=1)
            logger.epoch(1, 8, SCORES)
            logger.images(8, "validation", torch.rand(2, 3, 8, 8))
    events = curves(tmp_path)
    assert [(event.step, event.value) for event in events.Scalars("train/loss")] == [(2, 1.5), (4, 3.5), (6, 11.0), (8, 15.0)]
    assert {"train/percep", "train/lr", "train/samples_per_second", "epoch/validation/psnr"} <= set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("epoch/validation/psnr")] == [8]
    picture = events.Images("validation")[-1]
    assert (picture.width, picture.height) == (16, 8)


def test_without_tensorboard_training_goes_on_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with Logger(tmp_path, every=1, total_steps=1, quiet=True) as logger:
        logger.step(1, 1, {"loss": 1.0}, {"network": 1.0}, samples=1)
    assert "pip install 'limpid[train]'" in (tmp_path / "train.log").read_text()
    assert len(read_rows(tmp_path / "metrics.jsonl")) == 1


def test_weights_and_biases_missing_is_said_before_the_first_step(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(MissingExtraError, match=r"limpid\[track\]"):
        Logger(tmp_path, every=1, total_steps=1, tensorboard=False, wandb=True)


@pytest.mark.parametrize(
    ("environment", "mode"), [({}, "offline"), ({"WANDB_API_KEY": "x"}, "online"), ({"WANDB_MODE": "disabled"}, "disabled")]
)
def test_weights_and_biases_stays_offline_unless_told(tmp_path, monkeypatch, environment, mode):
    for name in ("WANDB_MODE", "WANDB_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    calls, logged = [], []
    run = SimpleNamespace(log=lambda values, step: logged.append((step, values)), finish=lambda: None, summary={})
    library = SimpleNamespace(init=lambda **options: calls.append(options) or run, Image=lambda pixels: pixels.shape, Error=OSError)
    monkeypatch.setattr(trackers, "import_module", lambda name: library)
    with Logger(tmp_path, every=2, total_steps=2, tensorboard=False, wandb=True, quiet=True, comment="why") as logger:
        for step in (1, 2):
            logger.step(step, 1, {"loss": 1.0}, {"network": 1.0}, samples=1)
        logger.images(2, "look", torch.rand(3, 8, 9))
    assert (calls[0]["mode"], calls[0]["notes"], calls[0]["resume"]) == (mode, "why", "allow")
    assert logged[0][0] == 2
    assert logged[0][1]["train/loss"] == 1.0
    assert logged[1] == (2, {"look": (8, 9, 3)})


def test_weights_and_biases_out_of_reach_is_kept_for_later(tmp_path, monkeypatch):
    class UnreachableError(Exception):
        pass

    def init(mode, **options):
        if mode == "online":
            raise UnreachableError("no route\nto host")
        return SimpleNamespace(log=lambda values, step: None, finish=lambda: None, summary={})

    monkeypatch.setenv("WANDB_MODE", "online")
    library = SimpleNamespace(init=init, Error=UnreachableError, teardown=lambda: None)
    monkeypatch.setattr(trackers, "import_module", lambda name: library)
    Logger(tmp_path, every=2, total_steps=2, tensorboard=False, wandb=True, quiet=True).close()
    assert re.search(
        r"W&B cannot be reached \(no route to host\); kept in .* for `wandb sync`\n$", (tmp_path / "train.log").read_text()
    )
