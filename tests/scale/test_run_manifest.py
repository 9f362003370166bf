"""What a run has done is known after any end."""

import json

import pytest

from limpid.errors import UsageError
from limpid.scale import run_manifest
from limpid.scale.run_manifest import FOLDER, RunManifest

HEADER = {"task": "reflection", "strength": 1.0}


def begun(folder, **header):
    return RunManifest(str(folder), {**HEADER, **header}, resume=False)


def test_done_and_failed_come_back(tmp_path):
    first = begun(tmp_path)
    first.add("a.jpg", {"T": "a.T.jpg"}, None, 0.5)
    first.add("b.jpg", {}, "no photo", 0.1)
    first.add("c.jpg", {}, "once", 0.1)
    first.flush()
    first.add("c.jpg", {"T": "c.T.jpg"}, None, 0.1)
    first.flush()
    again = RunManifest(str(tmp_path), HEADER, resume=True)
    assert again.done == {"a.jpg", "c.jpg"}
    assert again.failed == {"b.jpg": "no photo"}
    again.add("b.jpg", {"T": "b.T.jpg"}, None, 0.1)
    again.flush()
    assert len(list((tmp_path / FOLDER).glob("part-*"))) == 3
    assert RunManifest(str(tmp_path), HEADER, resume=True).failed == {}


def test_it_is_written_as_it_grows(tmp_path, monkeypatch):
    monkeypatch.setattr(run_manifest, "_ROWS", 2)
    manifest = begun(tmp_path)
    for name in "abc":
        manifest.add(name, {}, None, 0)
    assert RunManifest(str(tmp_path), HEADER, resume=True).done == {"a", "b"}


def test_an_old_run_is_neither_mixed_nor_lost(tmp_path):
    with pytest.raises(UsageError, match="no manifest to resume"):
        RunManifest(str(tmp_path), HEADER, resume=True)
    old = begun(tmp_path)
    old.add("a", {}, None, 0)
    old.flush()
    with pytest.raises(UsageError, match="go on with --resume"):
        begun(tmp_path)
    with pytest.raises(UsageError, match=r"begun with strength 1.0, now 0.5"):
        RunManifest(str(tmp_path), {**HEADER, "strength": 0.5}, resume=True)
    RunManifest(str(tmp_path), HEADER, resume=False, overwrite=True)
    assert RunManifest(str(tmp_path), HEADER, resume=True).done == set()


def test_another_version_and_damage_are_said_in_one_line(tmp_path):
    manifest = begun(tmp_path)
    header = tmp_path / FOLDER / "run.json"
    whole = json.loads(header.read_text())
    header.write_text(json.dumps({**whole, "limpid_run": 2}))
    with pytest.raises(UsageError, match="a manifest of version 2, this limpid writes 1"):
        RunManifest(str(tmp_path), HEADER, resume=True)
    header.write_text(json.dumps(whole))
    manifest.add("a", {}, None, 0)
    manifest.flush()
    (part,) = (tmp_path / FOLDER).glob("part-*")
    for damage in (b'{"photo"', b"[1]\n", b'{"error": null}\n'):
        part.write_bytes(damage)
        with pytest.raises(UsageError, match="is damaged; delete it"):
            RunManifest(str(tmp_path), HEADER, resume=True)
