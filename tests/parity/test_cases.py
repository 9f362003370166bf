"""No golden case goes untested, and every one is recognised from its manifest alone."""

import importlib.util
import json
from pathlib import Path

import pytest
import torch

from limpid.checkpoints.recognise import recognise

GOLDEN = Path(__file__).parents[3] / "shared" / "golden"
FOUND = sorted(path.stem for path in GOLDEN.glob("*.npz"))


def covered():
    """Case → the test module that lists it."""
    cases = {}
    for path in Path(__file__).parent.glob("test_*.py"):
        if path.name == Path(__file__).name:
            continue
        spec = importlib.util.spec_from_file_location(f"parity_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for case in module.CASES:
            assert case not in cases, f"{case} is listed by {cases.get(case)} and {path.name}"
            cases[case] = path.name
    return cases


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="no golden cases beside the checkout")
def test_every_case_has_a_test():
    assert FOUND, f"{GOLDEN} is there but holds no case"
    assert sorted(path.stem for path in GOLDEN.glob("*.json")) == FOUND
    assert sorted(covered()) == FOUND


@pytest.mark.parametrize("case", FOUND)
@pytest.mark.parametrize("prefix", ["", "net_g."])
def test_every_case_is_recognised_alone_and_under_a_prefix(case, prefix):
    manifest = json.loads((GOLDEN / f"{case}.json").read_text())["state_dict"]
    tensors = {prefix + name: torch.empty(shape, device="meta") for name, shape in manifest.items()}
    found = recognise(tensors, case)
    assert found.prefix == prefix
    assert case.startswith((found.model, {"dsrnet": "m", "unet": "rstor_unet", "stacked": "stacked"}.get(found.model, found.model)))
