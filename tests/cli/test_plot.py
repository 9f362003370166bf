"""``limpid plot``: curves of runs that are there, one line for folders that are none."""

import json

import pytest


@pytest.fixture
def runs(tmp_path):
    folders = [tmp_path / "runs" / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir(parents=True)
        rows = [{"step": step, "epoch": 1, "loss": 1 / step} for step in (1, 2, 3)]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folders


def test_one_run_keeps_its_picture_and_several_share_one(limpid, runs, tmp_path):
    done = limpid("plot", runs[0])
    assert (done.code, done.lines) == (0, [str(runs[0] / "curves.png")])
    assert (runs[0] / "curves.png").is_file()
    done = limpid("plot", *runs, "-o", tmp_path / "both.png")
    assert (done.code, done.lines) == (0, [str(tmp_path / "both.png")])
    done = limpid("plot", tmp_path)
    assert done.code == 2
    assert "holds no records of a training" in done.err
