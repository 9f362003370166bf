import subprocess
import sys
from importlib import util

import pytest

from limpid.blocks._torchvision import mend

BROKEN = """
if not _defined():
    raise RuntimeError("operator torchvision::nms does not exist")
"""
STAND_IN = """
import torch

def _defined():
    try:
        torch.ops.torchvision.nms.default
    except AttributeError:
        return False
    return True
"""


def answer(folder, source):
    package = folder / "torchvision"
    package.mkdir()
    (package / "__init__.py").write_text(STAND_IN + source)
    code = "import sys; sys.path.insert(0, sys.argv[1]); from limpid.blocks._torchvision import mend; print(mend(), mend())"
    found = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True)
    return found.stdout.strip() or found.stderr.strip().splitlines()[-1]


def test_a_healthy_torchvision_is_left_alone(tmp_path):
    assert answer(tmp_path, "assert not _defined()") == "healthy healthy"


def test_a_broken_torchvision_is_mended(tmp_path):
    assert answer(tmp_path, BROKEN) == "mended mended"


def test_other_failures_pass_through(tmp_path):
    assert answer(tmp_path, "raise RuntimeError('something else')") == "RuntimeError: something else"


@pytest.mark.skipif(util.find_spec("torchvision") is None, reason="torchvision is not installed")
def test_the_installed_one_works_afterwards():
    assert mend() in ("healthy", "mended")
    from torchvision.models import vgg19

    assert vgg19
