"""Every example runs, on photos made here, and does what its first line says."""

import pytest
import torch

from limpid import create_model, read
from limpid.checkpoints.inspect import inspect
from pictures import picture
from recipe_shrink import start
from scripts import ROOT, script

FOLDER = ROOT / "examples"
EXAMPLES = sorted(path.stem for path in FOLDER.glob("*.py"))


def paired(folder, seed):
    """``blended/`` and ``transmission_layer/`` of the same names; every photo is another one."""
    for place, layer in enumerate(("blended", "transmission_layer")):
        for number in range(2):
            picture(folder / layer / f"{number}.png", seed=seed + 2 * number + place)
    return folder


def test_every_example_is_tried_here_and_thin():
    assert EXAMPLES == ["fine_tune", "folder", "one_photo", "own_checkpoint", "own_loss"]
    for name in EXAMPLES:
        assert len((FOLDER / f"{name}.py").read_text(encoding="utf-8").splitlines()) < 60


def test_one_photo_is_written_as_two_layers(tmp_path):
    path = picture(tmp_path / "photo.jpg", size=(40, 30))
    written = script("examples/one_photo.py").separate(path, strength=0.5)
    assert [one.name for one in written] == ["photo.transmission.jpg", "photo.reflection.jpg"]
    assert all(read(one).tensor().shape == (3, 30, 40) for one in written)


def test_a_folder_keeps_its_tree_and_survives_a_bad_photo(tmp_path):
    picture(tmp_path / "in" / "a.png")
    picture(tmp_path / "in" / "below" / "b.jpg", seed=1)
    (tmp_path / "in" / "c.png").write_bytes(b"no photo")
    failed = script("examples/folder.py").separate_all(tmp_path / "in", tmp_path / "out")
    assert [path.name for path in failed] == ["c.png"]
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in tmp_path.rglob("out/**/*.*")) == [
        "a.png",
        "below/b.jpg",
    ]


def test_a_foreign_checkpoint_is_told_by_its_tensors(tmp_path, capsys):
    torch.save({"params": create_model("nafnet", "tiny").state_dict()}, tmp_path / "theirs.pth")
    written = script("examples/own_checkpoint.py").run(tmp_path / "theirs.pth", picture(tmp_path / "photo.png"))
    assert "theirs.pth: nafnet" in capsys.readouterr().out
    assert [path.name for path in written][:2] == ["theirs.safetensors", "photo.restored.png"]
    assert inspect(written[0]).size == "tiny"


def test_fine_tuning_starts_from_weights_and_leaves_its_best_ones(tmp_path):
    pytest.importorskip("lightning_fabric")
    first = start(tmp_path / "first.safetensors", "limpid")
    small = ["model={name: limpid, size: tiny}", "data.augment.crop=32", "data.epoch=4", "data.batch=2", "data.workers=0"]
    short = ["train.epochs=1", "train.threads=1", "log.images=0", "log.every=1"]
    fine_tune = script("examples/fine_tune.py").fine_tune
    best = fine_tune(
        paired(tmp_path / "pairs", 10), paired(tmp_path / "held", 20), *small, *short, start=first, out=tmp_path / "runs"
    )
    assert best == tmp_path / "runs" / "fine_tuned" / "best_epoch_0001.safetensors"
    assert inspect(best).size == "tiny"


def test_a_loss_of_ones_own_is_learnt_by():
    values = script("examples/own_loss.py").train(steps=12)
    assert sum(values[-3:]) < 0.8 * sum(values[:3])
