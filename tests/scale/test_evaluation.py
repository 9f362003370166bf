"""Scores by workers are those of one process."""

import math

import pytest

import limpid
from limpid.errors import UsageError
from limpid.scale import evaluation
from limpid.scale.evaluation import read_scores
from ray_stand_in import without_ray


@pytest.fixture
def glass(tmp_path):
    """Four small pairs."""
    limpid.synthesise(kind="pairs", out=tmp_path / "glass", count=4, size=(64, 64), quiet=True)
    return {"on": [f"{tmp_path}/glass"], "models": {"net": "limpid"}, "traces": "none", "quiet": True, "max_memory": 10**9}


@pytest.fixture
def here(monkeypatch):
    """Rows are done here, the last one first; returns their keys as they are done."""
    return without_ray(monkeypatch, evaluation, reversed)


def values(results):
    return [(score.item, score.model, dict(score.values), score.error) for score in results.scores]


def test_the_scores_are_those_of_one_process_and_remembered(glass, here, tmp_path):
    one = limpid.evaluate(**glass, report=tmp_path / "one")
    many = limpid.evaluate(**glass, report=tmp_path / "many", engine="ray")
    assert values(many) == values(one)
    assert len(here) == 4
    again = limpid.evaluate(**glass, report=tmp_path / "many", engine="ray")
    assert values(again) == values(one)
    assert len(here) == 4


def test_an_image_that_fails_or_kills_its_workers_is_a_score_with_a_reason(glass, here, tmp_path, monkeypatch):
    def deadly(rows, make, where):
        worker = make()
        for key, row in rows:
            yield worker.give_up(row, "its worker died") if key == "0" else worker(row)

    monkeypatch.setattr(evaluation, "run_rows", deadly)
    next((tmp_path / "glass/blended").iterdir()).write_bytes(b"no photo")
    results = limpid.evaluate(**glass, report=tmp_path / "many", engine="ray")
    errors = {score.item: score.error for score in results.scores if score.error}
    assert any("its worker died" in error for error in errors.values())
    assert 1 <= len(errors) <= 2


def test_jobs_and_workers_exclude_each_other(glass, here, tmp_path):
    with pytest.raises(UsageError, match="has --workers"):
        limpid.evaluate(**glass, report=tmp_path / "many", engine="ray", jobs=2)


def test_a_value_that_there_is_none_of_comes_back():
    row = {"set": "a", "item": "b", "model": "c", "size": [1, 2], "values": {"psnr": None, "ssim": 0.5}}
    (score,) = read_scores([row])
    assert math.isnan(score.values["psnr"])
    assert (score.size, score.values["ssim"]) == ((1, 2), 0.5)


@pytest.mark.exhaustive
def test_two_workers_of_ray_score_what_one_process_scores(glass, tmp_path):
    pytest.importorskip("ray.data")
    one = limpid.evaluate(**glass, report=tmp_path / "one")
    many = limpid.evaluate(**glass, report=tmp_path / "many", engine="ray", workers=2, threads=1)
    assert values(many) == values(one)
