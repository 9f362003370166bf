import json
import os
import subprocess
import sys

import pytest
import torch
from PIL import Image

from limpid import __version__
from limpid.runtime import diagnosis

COMMANDS = [
    "separate",
    "denoise",
    "deblur",
    "decompose",
    "demo",
    "models",
    "inspect",
    "convert",
    "synthesise",
    "prepare",
    "plot",
    "doctor",
]


def test_version_and_help(limpid):
    assert limpid("--version").out.strip() == f"limpid {__version__}"
    listed = limpid("--help").out
    for command in COMMANDS:
        assert command in listed


def test_a_misspelt_command_answers_with_the_nearest(limpid):
    done = limpid("seperate", "photo.jpg")
    assert done.code == 2
    assert "separate" in done.err


def test_demo_writes_the_sheet_and_gains(limpid, tmp_path):
    sheet = tmp_path / "demo.png"
    done = limpid("demo", "-o", sheet)
    assert done.code == 0, done.err
    assert Image.open(sheet).size == (4 * 384, 384 + 24)
    before, after = (float(line.split()[1]) for line in done.lines[:2])
    assert after > before + 1
    again = limpid("demo", "-o", sheet)
    assert again.code == 2
    assert "--overwrite" in again.err
    assert limpid("demo", "-o", sheet, "--overwrite").code == 0


def test_demo_refuses_a_folder_that_is_not_there(limpid, tmp_path):
    done = limpid("demo", "-o", tmp_path / "gone" / "demo.png")
    assert done.code == 2
    assert "gone is no folder" in done.err


def test_models_shows_sizes_parameters_source_and_weights(limpid):
    table = limpid("models").out
    assert "base (2.63 M)" in table
    assert "default for reflection" in table
    card = limpid("models", "limpid").out
    assert "limpid: reflection; layers transmission, reflection" in card
    assert "base (2.63 M)" in card
    assert "Apache-2.0, default for reflection" in card
    assert "dsrnet" not in card
    misspelt = limpid("models", "dsrnett")
    assert misspelt.code == 2
    assert "did you mean 'dsrnet" in misspelt.err
    rows = [json.loads(line) for line in limpid("models", "--json", "--task", "reflection").lines]
    assert next(row for row in rows if row["name"] == "limpid")["parameters"]["base"] == 2625400
    assert "limpid" not in [json.loads(line)["name"] for line in limpid("models", "--json", "--task", "denoise").lines]


def without_timm(*arguments):
    lines = ["import sys", "sys.modules['timm'] = None", f"sys.argv = {['limpid', *map(str, arguments)]}"]
    code = "\n".join([*lines, "from limpid.cli.main import main", "main()"])
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "300"}
    )


def test_models_and_inspect_do_without_the_optional_libraries(tmp_path):
    listed = without_timm("models")
    assert listed.returncode == 0, listed.stderr
    assert "dinov3_vits16 (21.99 M)" in listed.stdout  # counted before; building it says which library it needs
    assert "vgg19 (20.42 M)" in listed.stdout
    torch.save({"a.weight": torch.zeros(3)}, tmp_path / "odd.pt")
    refused = without_timm("inspect", tmp_path / "odd.pt")
    assert refused.returncode == 1
    assert "is no network known here" in refused.stderr


def test_models_of_an_unknown_task(limpid):
    done = limpid("models", "--task", "reflexion")
    assert done.code == 2
    assert "did you mean 'reflection'" in done.err


def test_the_doctor_speaks_to_programs(limpid):
    found = [json.loads(line) for line in limpid("doctor", "--json").lines]
    assert {"subject", "text", "healthy", "remedy"} == set(found[0])
    assert found[0]["subject"] == "limpid"


def test_doctor_finds_a_sound_installation(limpid):
    done = limpid("doctor")
    assert done.code == 0, done.out
    for word in (f"limpid: {__version__}", "torch:", "device cpu:", "memory:", "weights limpid:", "checksum right"):
        assert word in done.out


def test_doctor_names_what_is_broken_and_its_remedy(limpid, monkeypatch):
    found = {"opencv-python": "4", "opencv-python-headless": "4"}
    monkeypatch.setattr(diagnosis, "_version", lambda name: found.get(name, "1" if name != "torch" else None))
    done = limpid("doctor")
    assert done.code == 1
    assert "BAD torch: not installed" in done.out
    assert "→ pip uninstall opencv-python opencv-python-headless" in done.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(limpid, command):
    done = limpid(command, "--help")
    assert done.code == 0
    assert "Usage" in done.out
