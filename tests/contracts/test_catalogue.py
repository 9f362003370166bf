import sys

import pytest

from limpid import catalogue
from limpid.errors import UnknownNameError

KINDS = [kind for kind in catalogue.FOLDERS if (catalogue._ROOT / catalogue.FOLDERS[kind]).is_dir()]


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_ends_with_its_entry(kind):
    assert catalogue.names(kind)
    for name in catalogue.names(kind):
        entry = catalogue.find(kind, name)
        assert callable(entry.build)
        assert entry.source


def test_an_unknown_kind_or_name_answers_with_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'mixtures'"):
        catalogue.names("mixture")
    with pytest.raises(UnknownNameError, match="no mixture named 'scren'; did you mean 'screen'"):
        catalogue.find("mixtures", "scren")


@pytest.mark.parametrize("name", ["../errors", "_build", "__init__", "limpid.py", ""])
def test_private_and_crooked_names_find_nothing(name):
    with pytest.raises(UnknownNameError):
        catalogue.find("models", name)


def test_listing_imports_nothing(monkeypatch):
    for module in [module for module in sys.modules if module.startswith("limpid.physics.mixtures.")]:
        monkeypatch.delitem(sys.modules, module)
    catalogue.names("mixtures")
    assert not [module for module in sys.modules if module.startswith("limpid.physics.mixtures.")]


def test_third_parties_join_through_entry_points(monkeypatch):
    entry = catalogue.Entry(build=dict, source="elsewhere")

    class Point:
        name = "theirs"

        def load(self):
            return entry

    monkeypatch.setattr(catalogue.metadata, "entry_points", lambda group: [Point()] if group == "limpid.models" else [])
    assert "theirs" in catalogue.names("models")
    assert catalogue.find("models", "theirs") is entry
