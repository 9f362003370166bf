"""Fine-tuning on one's own pairs: one command, a part held out, and never below the weights that it starts from."""

import json

import pytest

from evaluation.pair_sets import paired
from limpid.data.pairs import PairSource
from limpid.errors import SettingError
from limpid.training.options import TrainOptions
from limpid.training.trainer import train


def tuned(tmp_path, *overrides):
    root = paired(tmp_path / "mine", "abcdefgh", size=(32, 32))
    small = ("data.train.0.augment.crop=32", "data.epoch=2", "data.batch=2", "train.epochs=1", "log.images=0", *overrides)
    options = TrainOptions(recipe="limpid_finetune", overrides=(f"PAIRS={root}", *small), out=tmp_path / "runs", device="cpu")
    return train(options)


def kept(run):
    return json.loads((run.folder / "best.json").read_text())


def test_the_start_is_scored_first_and_an_epoch_that_is_worse_is_not_the_result(tmp_path, capsys):
    run = tuned(tmp_path, "optimiser.rate=0.1", "schedule.warmup=0", "train.ema=null", "train.clip=null")
    assert run.exit_code == 0
    assert [one["epoch"] for one in kept(run)] in ([0], [0, 1])
    assert run.best.name == "best_epoch_0000.safetensors"
    said = capsys.readouterr()
    assert "epoch 0, step 0: validation PSNR" in said.out + said.err
    assert "no epoch beats the weights that the run started from" in said.out + said.err


def test_both_parts_of_a_folder_make_the_whole_of_it(tmp_path):
    root = paired(tmp_path / "mine", "abcdefgh", size=(12, 12))
    parts = [[files.name for files in PairSource(root, None, part=part).files_of_pairs] for part in ("train", "held")]
    assert [len(names) for names in parts] == [6, 2]
    assert sorted(parts[0] + parts[1]) == [*"abcdefgh"]
    again = [files.name for files in PairSource(root, None, part="held").files_of_pairs]
    assert again == parts[1]


def test_one_pair_cannot_be_shared(tmp_path):
    root = paired(tmp_path / "mine", "a", size=(12, 12))
    with pytest.raises(SettingError, match="takes two at least"):
        PairSource(root, None, part="held")
