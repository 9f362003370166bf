"""The examples for clusters say what their shells, YAML and our own command line understand."""

import re
import shlex
import subprocess

import pytest
import typer
import yaml

from limpid.cli.main import app
from limpid.recipe.load import shipped
from scripts import ROOT

FOLDER = ROOT / "examples" / "cluster"
FILES = sorted(path.name for path in FOLDER.iterdir())
COMMAND = re.compile(r"(?:^|\s|-m )(limpid (?:separate|train|denoise|deblur|evaluate) .*)$", re.MULTILINE)


def text_of(name):
    text = (FOLDER / name).read_text(encoding="utf-8").replace("\\\n", " ")
    return (
        yaml.safe_load(text)["run"]
        if name.endswith(".yaml")
        else "\n".join(line for line in text.splitlines() if not line.startswith("# "))
    )


def test_all_are_tried_here():
    assert FILES == ["ray_job.sh", "separate.slurm", "sky.yaml", "torchrun.sh", "train.slurm"]


@pytest.mark.parametrize("name", FILES)
def test_the_shell_understands_it(name):
    subprocess.run(["bash", "-n"], input=text_of(name), text=True, check=True)


@pytest.mark.parametrize("name", FILES)
def test_our_command_line_understands_it(name):
    found = COMMAND.findall(text_of(name))
    assert found
    for line in found:
        words = [word for word in shlex.split(line)[1:] if word != "$resume"]
        command = typer.main.get_command(app).commands[words[0]]
        given = command.make_context(words[0], words[1:]).params
        if words[0] == "train":
            assert given["recipe"] in shipped()


def test_slurm_and_skypilot_get_what_they_need():
    options = re.findall(r"^#SBATCH --([\w-]+)(?:=(\S+))?$", (FOLDER / "train.slurm").read_text(encoding="utf-8"), re.MULTILINE)
    wanted = dict(options)
    command = COMMAND.findall(text_of("train.slurm"))[0]
    assert f"--devices {wanted['ntasks-per-node']} --nodes {wanted['nodes']}" in command
    assert wanted["ntasks-per-node"] == wanted["gpus-per-node"]
    task = yaml.safe_load((FOLDER / "sky.yaml").read_text(encoding="utf-8"))
    assert {"name", "resources", "num_nodes", "setup", "run"} == set(task)
    assert "limpid[scale]" in task["setup"]
