"""The GIMP plug-in against a stand-in for GIMP's bindings: what it registers, and the call of limpid that it makes."""

import importlib.util
import subprocess
import sys
import types
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from scripts import ROOT


@pytest.fixture
def plugin(monkeypatch):
    gi, repository = types.ModuleType("gi"), types.ModuleType("gi.repository")
    gi.require_version = MagicMock()
    for name in ("Gimp", "GimpUi", "Gio", "GLib", "GObject"):
        setattr(repository, name, MagicMock(name=name))
    repository.Gimp.PlugIn = object
    repository.Gio.File.new_for_path = Path
    monkeypatch.setitem(sys.modules, "gi", gi)
    monkeypatch.setitem(sys.modules, "gi.repository", repository)
    path = ROOT / "integrations" / "gimp_limpid" / "gimp_limpid.py"
    spec = importlib.util.spec_from_file_location("gimp_limpid", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert gi.require_version.call_args_list[0].args == ("Gimp", "3.0")
    return module


def test_it_lies_in_a_folder_of_its_name_and_can_be_run():
    path = ROOT / "integrations" / "gimp_limpid" / "gimp_limpid.py"
    assert path.parent.name == path.stem
    assert path.stat().st_mode & 0o111


def test_it_registers_one_procedure_of_images(plugin):
    made = plugin.LimpidPlugin()
    (name,) = made.do_query_procedures()
    procedure = made.do_create_procedure(name)
    new = plugin.Gimp.ImageProcedure.new
    assert new.call_args.args[1:] == (name, plugin.Gimp.PDBProcType.PLUGIN, made.run, None)
    procedure.add_menu_path.assert_called_once_with("<Image>/Filters/Enhance")


def test_it_runs_limpid_and_inserts_both_layers(plugin, monkeypatch):
    calls, image = [], MagicMock()
    monkeypatch.setattr(subprocess, "run", lambda words, **_: calls.append(words) or MagicMock(returncode=0))
    plugin.separate(image, "/opt/limpid", 0.5)
    (words,) = calls
    assert words[:2] == ["/opt/limpid", "separate"]
    assert words[words.index("--strength") + 1] == "0.5"
    loaded = [call.args[2].name for call in plugin.Gimp.file_load_layer.call_args_list]
    assert loaded == ["photo.reflection.png", "photo.transmission.png"]
    assert image.insert_layer.call_count == 2


def test_what_limpid_says_reaches_the_person(plugin, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: MagicMock(returncode=1, stderr="limpid: no room\n"))
    config = MagicMock()
    config.get_property = {"program": "limpid", "strength": 1.0}.get
    plugin.LimpidPlugin().run(MagicMock(), None, MagicMock(), [], config, None)
    plugin.GLib.Error.assert_called_with("limpid: no room")


def test_its_words_are_options_of_limpid(plugin, tmp_path):
    from limpid.options import described
    from limpid.runtime.options import PhotoOptions

    flags = {flag for one, about in described(PhotoOptions) for flag in (about.flags or (f"--{one.name.replace('_', '-')}",))}
    words = plugin.command("limpid", tmp_path / "photo.png", tmp_path, 1.0)
    assert {word for word in words if word.startswith("-")} <= flags
