"""The notebook that trains on Kaggle: installs, names the data, trains, and packs the runs whatever happened."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_FIND = """\
import glob, os, subprocess, sys
code = os.path.dirname(glob.glob("/kaggle/input/**/{recipe}", recursive=True)[0])
def call(*words):
    print("$", *words, flush=True)
    subprocess.run(words, check=True)
"""

_WANDB = """\
from kaggle_secrets import UserSecretsClient  # attach a secret of this name to the notebook
os.environ["WANDB_API_KEY"] = UserSecretsClient().get_secret("wandb_api_key")
"""

_BEFORE = """\
import tarfile
for archive in glob.glob("/kaggle/input/**/runs.tgz", recursive=True):  # of the notebook's last version
    with tarfile.open(archive) as packed:
        packed.extractall("/kaggle/working", filter="data")
"""

_TRAIN = """\
import json
os.chdir(code)  # recipes and weights to start from lie here
commands = json.loads({commands})
try:
    for run, words, start in commands:
        begun = os.path.exists(os.path.join("/kaggle/working/runs", run, "last.pt"))
        call(sys.executable, "-m", "limpid", *words, "--out", "/kaggle/working/runs", *(["--resume"] if begun else start))
finally:
    if os.path.isdir("/kaggle/working/runs"):
        subprocess.run(["tar", "czf", "/kaggle/working/runs.tgz", "-C", "/kaggle/working", "runs"], check=True)
"""


def notebook(
    recipe: str,
    commands: Sequence[tuple[str, Sequence[str], str | None]],
    *,
    git: str | None,
    offline: bool,
    wandb: bool,
    resume: bool,
) -> Mapping[str, Any]:
    """A Jupyter notebook (version 4.4) as plain data.

    ``recipe``: name of a file that lies beside the code there; ``commands``: per run its name, the words after ``limpid``, and the
    file or name of weights to start from; ``git``: what is installed in place of the wheel.
    """
    cells = [_FIND.format(recipe=recipe), _install(git, offline)]
    cells += [_WANDB] if wandb else []
    cells += [_BEFORE] if resume else []
    plain = json.dumps([[run, list(words), _start(start)] for run, words, start in commands])
    cells.append(_TRAIN.format(commands=json.dumps(plain)))
    return {
        "cells": [
            {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": cell.splitlines(keepends=True)}
            for cell in cells
        ],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }


def _install(git: str | None, offline: bool) -> str:
    if git is not None:
        return f'call(sys.executable, "-m", "pip", "install", {json.dumps(f"limpid[train] @ git+{git}")})\n'
    where = '"--no-index", "--find-links", code, ' if offline else ""
    return f'call(sys.executable, "-m", "pip", "install", {where}glob.glob(code + "/limpid-*.whl")[0] + "[train]")\n'


def _start(init: str | None) -> list[str]:
    return [] if init is None else ["--init", init]


def write_notebook(content: Mapping[str, Any], path: Path) -> None:
    """Write a notebook as a file."""
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
