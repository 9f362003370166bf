"""No golden case goes untested, and every one is recognised from its manifest alone."""

import importlib.util
from pathlib import Path

import pytest
import torch

import golden_cases as golden
from limpid.checkpoints.recognise import recognise


def covered():
    """Case → the test module that lists it."""
    cases = {}
    for path in Path(__file__).parent.glob("test_*.py"):
        if path.name == Path(__file__).name:
            continue
        spec = importlib.util.spec_from_file_location(f"parity_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for case in getattr(module, "CASES", ()):
            assert case not in cases, f"{case} is listed by {cases.get(case)} and {path.name}"
            cases[case] = path.name
    return cases


def test_every_case_has_a_test():
    assert len(golden.names()) == 13
    assert sorted(path.stem for path in golden.FOLDER.glob("*.npz")) == golden.names()
    assert sorted(covered()) == golden.names()


@pytest.mark.parametrize("case", golden.names())
@pytest.mark.parametrize("prefix", ["", "net_g."])
def test_every_case_is_recognised_alone_and_under_a_prefix(case, prefix):
    tensors = {prefix + name: torch.empty(shape, device="meta") for name, shape in golden.shapes(case).items()}
    found = recognise(tensors, case)
    assert found.prefix == prefix
    assert case.startswith((found.model, {"dsrnet": "m", "unet": "rstor_unet", "stacked": "stacked"}.get(found.model, found.model)))
