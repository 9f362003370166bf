"""The table of the field is what docs/field.py writes from the entries, and names every network against reflections."""

from limpid import list_models
from scripts import ROOT, script


def test_the_page_is_written_from_the_entries():
    field = script("docs/field.py")
    page = field.PAGE.read_text(encoding="utf-8")
    assert page == field.page(), "python docs/field.py writes it anew"
    assert all(f"| `{name}` |" in page for name in list_models("reflection"))
    assert "none stated" in page
    assert field.PAGE.parent == ROOT / "docs"
