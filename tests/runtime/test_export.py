"""Networks as ONNX files: each exports and answers as PyTorch does; what cannot be is said before minutes are spent."""

import json

import onnx
import pytest
import torch

from exported import checkpoint
from limpid import catalogue
from limpid.checkpoints.onnx_file import KEY, read_onnx
from limpid.errors import UsageError
from limpid.runtime.export import export
from limpid.runtime.export_graph import ExportError
from limpid.runtime.load import load
from limpid.runtime.onnx_network import run, session
from limpid.runtime.options import ExportOptions
from pictures import picture

NAMES = catalogue.names("models")
QUICK = ("limpid", "stacked")


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    """Export once what several tests look at: ``graph(name)``, ``graph(name, static=(64, 96))``."""
    made, folder = {}, tmp_path_factory.mktemp("graphs")

    def make(name, parts=None, **options):
        key = (name, *sorted((parts or {}).items()), *sorted(options.items()))
        if key not in made:
            out = folder / f"{name}{len(made)}.onnx"
            made[key] = export(ExportOptions(model=str(checkpoint(name, folder, **(parts or {}))), output=out, **options))
        return made[key]

    return make


@pytest.mark.parametrize("name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.exhaustive) for name in NAMES])
def test_every_network_exports_for_any_size_and_agrees(name, graph):
    exported = graph(name)
    assert len({one.size for one in exported.differences}) == 3
    assert exported.largest < 1e-4
    assert exported.about.size is None


@pytest.mark.parametrize(
    "name", ["limpid", *(pytest.param(name, marks=pytest.mark.exhaustive) for name in NAMES if name != "limpid")]
)
def test_every_network_exports_for_one_size_and_agrees(name, graph):
    size = (64, 96) if name == "limpid" else (256, 384)  # multiples of what any of them asks for
    exported = graph(name, static=size)
    assert exported.largest < 1e-4
    assert read_onnx(exported.path).about.size == size


def test_the_file_says_all_that_running_it_needs(graph, tmp_path):
    path = graph("limpid", static=(64, 96)).path
    said = json.loads({entry.key: entry.value for entry in onnx.load(path).metadata_props}[KEY])
    network = load(checkpoint("limpid", tmp_path)).network
    assert (said["model"], said["layers"], said["tasks"]) == ("limpid", ["transmission", "reflection"], ["reflection"])
    assert (said["multiple"], said["radius"]) == (16, network.radius)
    assert len(said["weights_sha256"]) == 64
    assert said["licence"] == "Apache-2.0"


def test_a_graph_that_differs_is_an_error_and_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr("limpid.runtime.parity.LIMITS", {"float32": 1e-12})
    out = tmp_path / "out.onnx"
    with pytest.raises(ExportError, match="differs from PyTorch by"):
        export(ExportOptions(model=str(checkpoint("stacked", tmp_path)), output=out, static=(32, 32)))
    assert [path.name for path in tmp_path.iterdir()] == ["stacked.safetensors"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"static": (50, 64)}, "multiples of 16"),
        ({"head_only": True}, "only hypercolumn networks have a head"),
        ({"static": (64, 64), "head": (32, 32)}, "only hypercolumn networks have a head"),
    ],
)
def test_what_cannot_be_exported_says_why_before_it_is_tried(options, says, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.export, "export", None)  # a call would fail otherwise
    with pytest.raises(ExportError, match=says):
        export(ExportOptions(model=str(checkpoint("limpid", tmp_path)), output=tmp_path / "out.onnx", **options))


@pytest.mark.exhaustive
@pytest.mark.parametrize("parts", [{}, {"backbone": "dinov3_vitt", "reduction": 16}], ids=["hgnetv2", "dinov3_vitt"])
@pytest.mark.parametrize("static", [None, (64, 96)])
def test_a_head_fed_by_our_own_backbone_gives_the_layers_of_the_whole(static, parts, graph, tmp_path):
    exported = graph("hypercolumn", parts, head_only=True, static=static)
    opened = read_onnx(exported.path)
    network = load(checkpoint("hypercolumn", tmp_path, **parts), precision="float32").network
    assert opened.inputs == (*network.backbone.channels, "input")
    photo = torch.rand(1, 3, *(static or (96, 128)))
    with torch.inference_mode():
        wanted, maps = network(photo), network.backbone(photo)
    found = run(session(opened), {**maps, "input": photo}, opened.about)
    assert all(torch.allclose(found[layer], wanted[layer], atol=1e-4) for layer in wanted)
    with pytest.raises(UsageError, match="head of a network"):
        load(exported.path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dynamic", "static"])
def test_eight_bits_are_near(kind, graph, tmp_path):
    photos = {"calibrate": picture(tmp_path / "photos" / "a.jpg").parent} if kind == "static" else {}
    exported = graph("stacked", static=(64, 64), quantise=kind, **photos)
    assert max(one.mean for one in exported.differences) < 0.05
    assert exported.about.precision == f"int8, {kind}"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"static": (64, 64), "dynamic": True}, "contradict"),
        ({"head": (64, 64)}, "needs --static"),
        ({"quantise": "static"}, "belong together"),
        ({"quantise": "dynamic", "precision": "float16"}, "not one of float16"),
    ],
)
def test_contradictions_are_refused(options, says, tmp_path):
    with pytest.raises(UsageError, match=says):
        ExportOptions(model="limpid", output=tmp_path / "out.onnx", **options)
