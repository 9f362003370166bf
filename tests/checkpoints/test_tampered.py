"""Tampered checkpoints open or give one line; the long run of this is ``benchmarks/fuzz_checkpoints.py``."""

import json
import subprocess
import sys

import pytest

from limpid.checkpoints.inspect import inspect
from limpid.errors import LimpidError
from scripts import ROOT, script

FUZZ = script("benchmarks/fuzz_checkpoints.py")


@pytest.fixture(scope="module")
def files():
    return list(FUZZ.tampered(6 * len(FUZZ._KINDS), seed=1))


@pytest.mark.parametrize("kind", FUZZ._KINDS)
def test_tampered_files_open_or_give_one_line(tmp_path, files, kind):
    refusals = []
    for _, content in (one for one in files if one[0] == kind):
        (tmp_path / "w.pth").write_bytes(content)
        try:
            inspect(tmp_path / "w.pth")
        except LimpidError as error:
            refusals.append(str(error))
    assert refusals
    assert [len(text.splitlines()) for text in refusals] == [1] * len(refusals)


def test_sound_files_open(tmp_path):
    for content in FUZZ.whole_files():
        (tmp_path / "w.pth").write_bytes(content)
        assert inspect(tmp_path / "w.pth").size == "tiny"


def test_the_long_run_says_what_it_found():
    run = [sys.executable, ROOT / "benchmarks/fuzz_checkpoints.py", "4", "1"]
    told = json.loads(subprocess.run(run, capture_output=True, text=True, check=True).stdout)
    assert told["faults"] == []
    assert told.get("refused", 0) + told.get("opened", 0) == told["files"] == 4
