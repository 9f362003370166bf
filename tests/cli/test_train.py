"""``limpid train`` as a person types it."""

import json

import pytest

from training_samples import finish, photos, recipe


@pytest.fixture
def sample(tmp_path):
    photos(tmp_path / "train", 6), photos(tmp_path / "held", 4, seed=1)
    return recipe(tmp_path / "sample.yaml"), f"PHOTOS={tmp_path}/train", f"HELD={tmp_path}/held"


def test_shipped_recipes_are_listed_with_their_sources(tmp_path):
    done = finish("--list", cwd=tmp_path)
    assert done.returncode == 0
    assert "limpid: The shipped reflection remover" in done.stdout
    assert "dsrnet_l:" in done.stdout
    assert "ICCV 2023" in done.stdout


def test_the_schema_is_json(tmp_path):
    done = finish("--schema", cwd=tmp_path)
    assert json.loads(done.stdout)["properties"]["model"]


def test_a_run_says_one_line_per_epoch_and_can_be_tested(tmp_path, sample):
    done = finish(*sample, "--out", "somewhere", "--name", "mine", "--comment", "first try for $5 ✓", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("epoch")]
    assert len(lines) == 2
    assert "validation PSNR" in lines[0]
    assert "(input" in lines[0]
    assert "comment: first try for $5 ✓" in (tmp_path / "somewhere/mine/train.log").read_text()
    tested = finish(*sample, "--out", "somewhere", "--name", "mine", "--test-only", cwd=tmp_path)
    assert tested.returncode == 0, tested.stderr
    assert "on validation: psnr" in tested.stderr


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "name a recipe"),
        (("limpd",), "did you mean 'limpid'"),
        (("limpid",), "$PHOTOS has no value"),
        (("sample.yaml", "PHOTOS=.", "HELD=.", "data.bacth=2"), "did you mean 'batch'"),
        (("sample.yaml", "PHOTOS=.", "HELD=.", "data.batch=0"), "data.batch"),
        (("sample.yaml", "PHOTOS=nowhere", "HELD=."), "nowhere"),
        (("sample.yaml", "PHOTOS=train", "HELD=held", "--resume"), "holds no run to resume"),
        (("sample.yaml", "PHOTOS=train", "HELD=held", "--on-mismatch", "crop"), "this recipe trains on none"),
        (("sample.yaml", "PHOTOS=train", "HELD=held", "--backbone-weights", "none"), "no backbone to fill"),
    ],
)
def test_wishes_that_make_no_sense_get_one_line(tmp_path, sample, words, expected):
    done = finish(*words, cwd=tmp_path)
    assert done.returncode in (1, 2), done.stderr
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "runs").exists()
