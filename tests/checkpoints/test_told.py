"""Settings that no tensor shows are read from a file's name and what lies beside it, or assumed aloud, or stated by the user."""

import json

import pytest
import torch
import torch.nn.functional as F

from limpid import catalogue, create_model
from limpid.checkpoints import file
from limpid.checkpoints.inspect import convert, inspect
from limpid.errors import WeightsError

RSTOR = {"encoder": (1, 1), "middle": 1, "decoder": (1, 1), "width": 4}


def published(folder, name, model="unet", **settings):
    """A file of published keys, with no branch asleep."""
    torch.manual_seed(0)
    network = create_model(model, None, **settings)
    state = {
        key.replace(".attention.", ".sca."): value + 0.1 * torch.randn(value.shape) for key, value in network.state_dict().items()
    }
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    torch.save({"params": state}, folder / name)
    return folder / name


def config(path, activation, **more):
    architecture = {"activation": activation, "layer_norm_flag": False, **more}
    path.with_name("config.json").write_text(json.dumps({"model": {"name": "NAFNet", "architecture": architecture}}))


ACTIVATIONS = {
    "LeakyReLU": ("leaky_relu", F.leaky_relu),
    "ReLU": ("relu", F.relu),
    None: ("none", lambda features: features),
}


@pytest.mark.parametrize("said", ACTIVATIONS)
def test_the_activation_is_that_of_the_config_beside(tmp_path, said):
    path = published(tmp_path, "best_model.pt", **RSTOR)
    config(path, said)
    checkpoint = file.read(path)
    name, activate = ACTIVATIONS[said]
    assert checkpoint.settings["activation"] == name
    assert checkpoint.remarks == ()
    block = file.build(checkpoint, source="w").encoders[0][0]
    features = torch.randn(1, 4, 5, 5)
    inner = activate(block.conv2(block.conv1(features)))
    once = features + block.beta * block.conv3(inner)
    with torch.inference_mode():
        assert torch.allclose(block(features), once + block.gamma * block.conv5(activate(block.conv4(once))), atol=1e-6)


@pytest.mark.parametrize(
    "beside", [None, "not json", "[]", '{"model": 3}', '{"model": {"architecture": {"activation": ["a"]}}}', "GELU"]
)
def test_without_a_word_on_it_relu_is_assumed_aloud(tmp_path, beside):
    path = published(tmp_path, "best_model.pt", **RSTOR)
    if beside == "GELU":
        config(path, beside)
    elif beside is not None:
        path.with_name("config.json").write_text(beside)
    checkpoint = file.read(path)
    assert checkpoint.settings["activation"] == "relu"
    assert "its activation leaves no trace in a file" in checkpoint.remarks[0]


def test_what_is_assumed_can_be_stated_on_converting(tmp_path):
    path = published(tmp_path, "w.pt", **RSTOR)
    about = convert(path, tmp_path / "out.safetensors", settings={"activation": "leaky_relu"})
    assert about.settings["activation"] == "leaky_relu"
    assert about.remarks == ()
    assert inspect(tmp_path / "out.safetensors").settings["activation"] == "leaky_relu"
    with pytest.raises(WeightsError, match="the setting activation is 'tanh'"):
        convert(path, tmp_path / "other.safetensors", settings={"activation": "tanh"})
    with pytest.raises(WeightsError, match="did you mean 'activation'"):
        convert(path, tmp_path / "other.safetensors", settings={"activatoin": "relu"})
    assert not (tmp_path / "other.safetensors").exists()


LOCAL = {"width": 2, "encoder": (1, 1, 1, 28), "middle": 1, "decoder": (1, 1, 1, 1)}
PATHS = {
    "NAFNet-GoPro-width32.pth": 384,
    "nafnet-reds-width64.pth": 384,
    "NAFNet-GoPro-width32/models/net_g_latest.pth": 384,
    "net_g_latest.pth": None,
    "NAFNet-SIDD-width32.pth": None,
    "far/gopro/experiments/mine/models/net_g_latest.pth": None,
}


@pytest.mark.parametrize("name", PATHS)
def test_local_means_are_those_of_networks_tested_so(tmp_path, name):
    checkpoint = file.read(published(tmp_path, name, "nafnet", **LOCAL))
    assert checkpoint.settings["local_window"] == PATHS[name]
    assert any("takes means over the whole photo" in remark for remark in checkpoint.remarks) is (PATHS[name] is None)


def test_other_nets_need_no_word_on_their_means(tmp_path):
    checkpoint = file.read(published(tmp_path, "w.pth", "nafnet", **{**LOCAL, "encoder": (1, 1, 1, 2)}))
    assert checkpoint.remarks == ()


GREY = [
    ("nafnet", {"width": 4, "encoder": (1, 1), "middle": 1, "decoder": (1, 1)}),
    ("nafnet", {"width": 4, "encoder": (1,), "middle": 1, "decoder": (1,), "shuffle": 2}),
    ("unet", RSTOR),
    ("stacked", {"width": 4, "layers": 4}),
]


@pytest.mark.parametrize(("model", "settings"), GREY)
@pytest.mark.parametrize("grey", [True, False])
def test_grey_networks_are_opened_and_see_each_channel_alone(tmp_path, model, settings, grey):
    checkpoint = file.read(published(tmp_path, "w.pth", model, grey=grey, **settings))
    assert (checkpoint.model, checkpoint.settings["grey"]) == (model, grey)
    network = file.build(checkpoint, source="w")
    photo = torch.rand(2, 3, 16, 24)
    with torch.inference_mode():
        together = network(photo).restored
        apart = network(photo * torch.tensor([1.0, 0.0, 0.0])[:, None, None]).restored
    assert together.shape == photo.shape
    assert torch.allclose(together[:, 0], apart[:, 0], atol=1e-6) is grey


def test_usi3d_without_mapping_takes_styles_of_its_authors(tmp_path):
    torch.manual_seed(0)
    network = create_model("usi3d", "tiny", mapping=0).eval()
    parts = {part: getattr(network, part).state_dict() for part in ("i", "r", "s")}
    torch.save(parts, tmp_path / "gen.pt")
    checkpoint = file.read(tmp_path / "gen.pt")
    assert (checkpoint.model, checkpoint.settings["mapping"]) == ("usi3d", 0)
    assert "has no mapping" in checkpoint.remarks[0]
    photo = torch.rand(1, 3, 32, 48)
    with torch.inference_mode():
        content, style = network.i.encode(photo)
        layers = file.build(checkpoint, source="w")(photo)
        assert torch.equal(layers.albedo, network.r.decode(content, torch.full_like(style, 10.0)))
        assert torch.equal(layers.shading, network.s.decode(content, torch.full_like(style, -10.0)))


def test_the_dropout_of_ibclns_test_script_is_stated():
    assert "runs with dropout on" in catalogue.find("models", "ibcln").source
