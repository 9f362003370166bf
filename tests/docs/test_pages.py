"""What the pages name is there: files of the clone, modules, and what modules hold."""

import re
from importlib import import_module

import pytest

import limpid
from scripts import ROOT

PAGES = {path.relative_to(ROOT).as_posix(): path for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]}
ADDED = re.compile(r"^```\w+ title=.*?^```$", re.MULTILINE | re.DOTALL)  # the files that CONTRIBUTING.md adds
FILE = re.compile(r"`((?:\w+/)+\w+\.(?:py|ya?ml))`")
NAME = re.compile(r"\blimpid((?:\.[A-Za-z_]\w*)+)")
NO_NAMES = {"md", "jpg", "py", "yaml", "html", "service", "KIND"}


def text_of(page):
    return ADDED.sub("", PAGES[page].read_text(encoding="utf-8"))


def resolves(dotted):
    """Whether ``limpid`` and the words after it lead to a module or to something in one."""
    found, path = limpid, "limpid"
    for word in dotted.split(".")[1:]:
        path = f"{path}.{word}"
        try:
            found = getattr(found, word) if hasattr(found, word) else import_module(path)
        except ImportError:
            return False
    return True


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_is_there(page):
    named = [name for name in FILE.findall(text_of(page)) if "NAME" not in name]
    assert [name for name in named if not any((place / name).is_file() for place in (ROOT, ROOT / "src" / "limpid"))] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_module_and_name_that_a_page_uses_is_there(page):
    assert [name for name in NAME.findall(text_of(page)) if name.split(".")[1] not in NO_NAMES and not resolves(name)] == []
