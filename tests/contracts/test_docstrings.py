"""Every example in a docstring runs and gives what it says; every root name that can be called has one."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import limpid

ROOT = Path(limpid.__file__).parent
WITH_EXAMPLES = sorted(path for path in ROOT.rglob("*.py") if ">>> " in path.read_text(encoding="utf-8"))
CALLABLE = [name for name in limpid.__all__ if callable(getattr(limpid, name)) and name != "LimpidError"]


def module_of(path):
    return import_module(".".join(["limpid", *path.relative_to(ROOT).with_suffix("").parts]))


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_its_examples_run(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = doctest.testmod(module_of(path), optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert ran.attempted
    assert not ran.failed


@pytest.mark.parametrize("name", CALLABLE)
def test_every_root_name_has_an_example(name):
    thing = getattr(limpid, name)
    own = [thing.__doc__ or "", *(member.__doc__ or "" for member in vars(thing).values() if callable(member))]
    assert any(">>> " in text for text in own)
