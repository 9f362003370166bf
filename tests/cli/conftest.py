"""The command line run inside the test's process, with a tiny network so that it is quick."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from limpid import create_model
from limpid.checkpoints import file
from limpid.cli.main import main
from pictures import picture


@dataclass
class Outcome:
    code: int
    out: str
    err: str

    @property
    def lines(self):
        return self.out.splitlines()


@pytest.fixture
def limpid(monkeypatch, capfd):
    """Call ``limpid ARGUMENTS`` and get its exit code and what it printed."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["limpid", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        printed = capfd.readouterr()
        return Outcome(code, printed.out, printed.err)

    return call


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    """A checkpoint of the tiny network whose every branch does something."""
    torch.manual_seed(0)
    network = create_model("limpid", "tiny")
    for parameter in network.parameters():
        parameter.data += 0.03 * torch.randn_like(parameter)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    settings = {"width": 8, "encoder": (1, 1, 1), "middle": 1, "decoder": (1, 1, 1), "window": 3}
    file.save(path, file.Checkpoint(model="limpid", settings=settings, tensors=network.state_dict(), notes={}))
    return path


@pytest.fixture
def photo(tmp_path) -> Path:
    """A 40×30 JPEG of smooth colours."""
    return picture(tmp_path / "photo.jpg")
