"""The table of the field is what docs/field.py writes from the entries, and names every network."""

import json

from limpid import list_models
from scripts import ROOT, script


def test_the_page_is_written_from_the_entries():
    field = script("docs/field.py")
    page = field.PAGE.read_text(encoding="utf-8")
    assert page == field.page(), "python docs/field.py writes it anew"
    assert all(f"| `{name}` |" in page for name in list_models())
    assert "none stated" in page
    assert field.PAGE.parent == ROOT / "docs"


def test_what_was_measured_stands_in_the_table_with_machine_and_date(tmp_path, monkeypatch):
    field = script("docs/field.py")
    found = {"machine": "a processor, one thread", "date": "2026-11-28", "costs": {"nafnet": {"seconds": 12.3, "bytes": 4.5e9}}}
    (tmp_path / "field.json").write_text(json.dumps(found))
    monkeypatch.setattr(field, "MEASURED", tmp_path / "field.json")
    monkeypatch.setattr(field, "list_models", lambda: ["nafnet"])
    page = field.page()
    assert "on 2026-11-28 on one machine\n(a processor, one thread)" in page
    row = next(line for line in page.splitlines() if line.startswith("| `nafnet` | "))
    assert row.endswith("| 12.3 | 4.50 |")


def test_measuring_goes_on_where_it_was_stopped_and_begins_anew_elsewhere(tmp_path, monkeypatch):
    measuring = script("benchmarks/field.py")
    monkeypatch.setattr(measuring, "RESULTS", tmp_path / "field.json")
    assert measuring.known("here") == {"machine": "here", "costs": {}}
    kept = {"machine": "here", "date": "2026-11-28", "costs": {"limpid": {"seconds": 1.0, "bytes": 2}}}
    (tmp_path / "field.json").write_text(json.dumps(kept))
    assert measuring.known("here") == kept
    assert measuring.known("there")["costs"] == {}
