"""A folder of an experiment opens its newest generator."""

import os

import pytest
import torch

from limpid import create_model
from limpid.checkpoints import file
from limpid.checkpoints.experiment import newest_generator
from limpid.checkpoints.inspect import inspect
from limpid.errors import WeightsError

FOLDERS = {  # what training code leaves, the newest generator first
    "BasicSR": (
        "models/net_g_latest.pth",
        *("models/net_g_20000.pth", "models/net_g_5000.pth", "models/net_d_latest.pth", "training_states/20000.state"),
    ),
    "numbers, not letters": ("net_g_100000.pth", "net_g_95000.pth", "net_d_200000.pth"),
    "epochs": ("epoch_0010/generator.pt", "epoch_0009/generator.pt", "epoch_0010/discriminator.pt"),
    "lightning": ("checkpoints/last.ckpt", "checkpoints/epoch=9-step=900.ckpt"),
    "rstor": ("0007/best_model.pt", "0006/best_model.pt"),
    "states apart": (
        "model_3.pth",
        "model_2.pth",
        "optimizer_9.pth",
        "scheduler.pt",
        "rng_state.pth",
        "training_args.bin",
        "vgg19.pth",
    ),
    "safetensors first": ("model.safetensors", "pytorch_model_2.bin"),
}


@pytest.mark.parametrize("layout", FOLDERS)
@pytest.mark.parametrize("reverse", [False, True])
def test_the_newest_generator_is_found(tmp_path, layout, reverse):
    names = FOLDERS[layout]
    for age, name in enumerate(reversed(names) if reverse else names):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (age, age))
    assert newest_generator(tmp_path) == tmp_path / names[0]


def test_of_equals_the_one_written_last_is_taken(tmp_path):
    for age, name in enumerate(("b.pth", "a.pth")):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (age, age))
    assert newest_generator(tmp_path).name == "a.pth"


@pytest.mark.parametrize("names", [(), ("net_d_3.pth",), ("log.txt", "a.png")])
def test_a_folder_without_a_generator_is_named(tmp_path, names):
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(WeightsError, match="is a folder without weights of a generator"):
        file.read(tmp_path)


def test_a_folder_is_inspected_like_its_file(tmp_path):
    (tmp_path / "models").mkdir()
    torch.save({"params": create_model("unet", "tiny").state_dict()}, tmp_path / "models" / "net_g_latest.pth")
    assert inspect(tmp_path).file == str(tmp_path / "models" / "net_g_latest.pth")
