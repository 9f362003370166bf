"""Packages for darktable: the layout that its tool asks for, honest about the data, and refused where darktable cannot run it."""

import json
import zipfile

import onnx
import pytest

from exported import checkpoint
from limpid.checkpoints.onnx_file import OnnxAbout
from limpid.errors import UsageError
from limpid.runtime import darktable
from limpid.runtime.export_graph import ExportError
from limpid.runtime.options import ExportOptions

REQUIRED = {"id", "name", "description", "task", "backend", "version"}
CARD = {"long_description", "scope", "author", "source", "paper", "license", "training_data", "training_data_license", "notes"}


def test_the_zip_holds_what_darktable_reads(tmp_path):
    out = tmp_path / "out.dtmodel"
    darktable.package(ExportOptions(model=str(checkpoint("stacked", tmp_path)), output=out, static=(64, 64)))
    with zipfile.ZipFile(out) as archive:
        names = archive.namelist()
        config = json.loads(archive.read(names[0]))
        graph = onnx.load_model_from_string(archive.read(names[1]))
    assert names == ["denoise-stacked/config.json", "denoise-stacked/model.onnx"]
    assert set(config) >= REQUIRED
    assert config["id"] == names[0].partition("/")[0]
    assert config["attributes"] == {"input_sizes": [64]}
    assert set(config["model_card"]) == CARD
    assert max(entry.version for entry in graph.opset_import) <= 20
    assert [value.name for value in (*graph.graph.input, *graph.graph.output)] == ["input", "output"]


@pytest.mark.parametrize(
    ("trained_on", "says"),
    [
        ("1,288 natural photographs (research data, not shipped)", "do not let others pass on"),
        ("dead leaves drawn on the fly", "synthetic"),
        ("", "not known"),
    ],
)
def test_the_licence_of_the_data_is_told_as_it_is(trained_on, says):
    about = OnnxAbout(model="nafnet", tasks=("denoise",), layers=("restored",), trained_on=trained_on)
    card = darktable.config("denoise-x", about, 64)["model_card"]
    assert says in card["training_data_license"]
    assert ("no candidate" in card["notes"]) == (says != "synthetic")


@pytest.mark.parametrize(
    ("about", "says"),
    [
        ({"tasks": ("reflection",), "layers": ("transmission", "reflection")}, "more than one layer"),
        ({"tasks": ("deblur",), "layers": ("restored",), "noise": (0.1,)}, "search for the kernel"),
    ],
)
def test_what_darktable_cannot_run_is_refused(about, says):
    with pytest.raises(ExportError, match=says):
        darktable._refuse(OnnxAbout(model="x", **about))


def test_only_squares_are_packed(tmp_path):
    with pytest.raises(UsageError, match="one square size"):
        darktable.package(ExportOptions(model="limpid_denoise", output=tmp_path / "x.dtmodel", static=(64, 96)))
