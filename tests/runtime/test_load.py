"""``limpid.load`` opens anybody's file and fills the backbone that it left out from where the user says."""

import pytest
import torch
from PIL import Image
from skimage.data import chelsea

import limpid
from limpid import create_model, load
from limpid.errors import UsageError, WeightsError


@pytest.fixture
def dsrnet(tmp_path):
    """A DSRNet file as its authors publish it: without the VGG-19 that the network reads."""
    torch.manual_seed(0)
    state = create_model("dsrnet", "tiny").state_dict()
    path = tmp_path / "dsrnet_tiny.pt"
    torch.save({"weight": {key: t for key, t in state.items() if not key.startswith("backbone.")}, "epoch": 14}, path)
    return path


@pytest.fixture
def no_network(tmp_path, monkeypatch):
    monkeypatch.setenv("LIMPID_OFFLINE", "1")
    monkeypatch.setenv("LIMPID_CACHE", str(tmp_path / "cache"))


def test_a_missing_backbone_is_an_error_that_names_its_file(dsrnet, no_network):
    with pytest.raises(WeightsError, match=r"vgg19-dcbb9e9d\.pth.*--backbone-weights"):
        load(dsrnet)


def test_a_random_backbone_is_said_aloud(dsrnet, no_network, capsys):
    separator = load(dsrnet, backbone_weights="none")
    assert "random numbers" in capsys.readouterr().err
    assert separator.name == "dsrnet_tiny"
    assert separator.network.backbone.origin == "none"


def test_a_backbone_comes_from_a_file(dsrnet, no_network, tmp_path, capsys):
    features = {
        f"features.{key}": torch.full_like(t, 0.25)
        for key, t in create_model("dsrnet", "tiny").backbone.features.state_dict().items()
    }
    torch.save({**features, "classifier.0.weight": torch.ones(2, 2)}, tmp_path / "vgg19-dcbb9e9d.pth")
    for weights in (tmp_path, tmp_path / "vgg19-dcbb9e9d.pth"):
        separator = load(dsrnet, backbone_weights=str(weights))
        assert float(separator.network.backbone.features[0].weight.mean()) == 0.25
    assert capsys.readouterr().err == ""


def test_a_network_without_backbone_refuses_weights_for_one(tmp_path):
    torch.save({"params": create_model("stacked", "tiny").state_dict()}, tmp_path / "w.pth")
    assert load(tmp_path / "w.pth").name == "w"
    with pytest.raises(UsageError, match="stacked has no backbone to fill"):
        load(tmp_path / "w.pth", backbone_weights="none")


def test_usi3d_opens_and_runs(tmp_path):
    network = create_model("usi3d", "tiny", training_parts=True)
    torch.save({part: getattr(network, part).state_dict() for part in ("i", "r", "s", "fs", "fm")}, tmp_path / "gen_00000100.pt")
    layers = load(tmp_path / "gen_00000100.pt")(torch.rand(3, 33, 47))
    assert list(layers) == ["albedo", "shading"]
    assert layers.albedo.shape == (3, 33, 47)


def test_one_call_takes_every_option_that_the_separator_takes(tmp_path):
    assert (limpid.separate(chelsea()).transmission - limpid.separate(chelsea(), force=True).transmission).abs().max() > 0
    Image.new("L", (7, 5)).save(tmp_path / "mask.png")
    with pytest.raises(UsageError, match="the hint has 7x5 pixels, the photo 451x300"):
        limpid.separate(chelsea(), hint=tmp_path / "mask.png")
