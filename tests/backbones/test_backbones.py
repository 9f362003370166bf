"""Promises of every backbone, and each against the library that its weights come from."""

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from limpid import catalogue
from limpid.backbones._backbone import MEAN, STD
from limpid.backbones.vgg19 import SLICES, Vgg19
from limpid.blocks._torchvision import mend
from limpid.errors import UnknownNameError, WeightsError

NAMES = catalogue.names("backbones")
STRIDES = {"vgg19": (1, 2, 4, 8, 16), "hgnetv2": (4, 8, 16, 32), "efficientnet_lite0": (2, 4, 8, 16)}
CHANNELS = {
    "vgg19": (64, 128, 256, 512, 512),
    "hgnetv2": (64, 256, 512, 1024),
    "efficientnet_lite0": (16, 24, 40, 112),
    "dinov3_vitt": (192,) * 4,
    "dinov3_vits16": (384,) * 4,
    "dinov3_vits16plus": (384,) * 4,
    "dinov3_vitb16": (768,) * 4,
}
SMALL = ["dinov3_vits16", "dinov3_vitt", "efficientnet_lite0", "hgnetv2", "vgg19"]


def build(name, **settings):
    torch.manual_seed(0)
    return catalogue.find("backbones", name).build(**settings)


def nudge(backbone):
    for name, tensor in backbone.state_dict().items():
        if tensor.is_floating_point() and name not in ("mean", "std") and "periods" not in name:
            tensor += 0.02 * torch.randn(tensor.shape).abs()
    return backbone


@pytest.fixture
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("LIMPID_OFFLINE", "1")
    monkeypatch.setenv("LIMPID_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("limpid.backbones._backbone.find_spec", lambda name: None)  # packages that bring weights
    return tmp_path / "cache"


def test_the_catalogue_holds_the_published_seven():
    assert set(CHANNELS) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_maps_have_the_published_names_channels_and_strides(name):
    with torch.device("meta"):
        backbone, photo = build(name), torch.empty(2, 3, 64, 96)
        maps = backbone(photo)
    assert tuple(maps) == tuple(backbone.channels)
    assert tuple(backbone.channels.values()) == CHANNELS[name]
    strides = STRIDES.get(name, (16,) * 4)
    sizes = [(2, channels, 64 // stride, 96 // stride) for channels, stride in zip(CHANNELS[name], strides, strict=True)]
    assert [tuple(features.shape) for features in maps.values()] == sizes


@pytest.mark.parametrize("name", SMALL)
def test_frozen_yet_gradients_reach_the_photo(name):
    backbone, photo = build(name).train(), torch.rand(1, 3, 32, 32, requires_grad=True)
    assert not any(module.training for module in backbone.modules())
    assert not any(parameter.requires_grad for parameter in backbone.parameters())
    sum(features.square().mean() for features in backbone(photo).values()).backward()
    assert float(photo.grad.abs().sum()) > 0


@pytest.mark.parametrize("name", NAMES)
def test_missing_weights_are_an_error_that_says_where_and_which(name, offline):
    with torch.device("meta"):
        backbone = build(name)
    with pytest.raises(WeightsError) as caught:
        backbone.fill("pretrained")
    for part in (backbone.home.files[0], str(offline), backbone.home.page, "--backbone-weights"):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)
    assert backbone.origin is None


def test_random_weights_are_only_used_when_asked_for(offline):
    backbone = build("hgnetv2")
    backbone.fill("none")
    assert backbone.origin == "none"


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("way", ["file", "folder", "cache"])
def test_published_files_fill_it_wherever_they_lie(name, way, offline, tmp_path, monkeypatch):
    source, backbone = nudge(build(name)), build(name)
    published = {key.removeprefix("model."): tensor for key, tensor in source.state_dict().items() if key not in ("mean", "std")}
    folder = offline if way == "cache" else tmp_path / "weights"
    folder.mkdir()
    path = folder / backbone.home.files[0]
    torch.save({"model": published}, path)
    monkeypatch.setattr("limpid.weights.fetch._is_whole", lambda path, remote: True)  # whose checksum these random numbers lack
    backbone.fill({"file": str(path), "folder": str(folder), "cache": "pretrained"}[way])
    assert backbone.origin == str(path)
    assert all(torch.equal(tensor, backbone.state_dict()[key]) for key, tensor in source.state_dict().items())


def test_a_file_of_another_network_is_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"features.0.weight": torch.zeros(64, 3, 5, 5)}, path)
    with pytest.raises(WeightsError, match=r"'features.0.weight' is \(64, 3, 5, 5\), expected \(64, 3, 3, 3\)"):
        build("vgg19").fill(path)
    with pytest.raises(WeightsError, match="'model.stem.stem1.conv.weight' is missing"):
        build("hgnetv2").fill(path)
    with pytest.raises(WeightsError, match="there is no such file"):
        build("vgg19").fill(tmp_path / "none.pth")
    with pytest.raises(WeightsError, match="holds no weights of this backbone; looked for vgg19-dcbb9e9d.pth"):
        build("vgg19").fill(tmp_path)


def test_damaged_and_executable_files_are_refused(tmp_path):
    class Canary:
        def __reduce__(self):
            return (open, (str(tmp_path / "canary"), "w"))

    torch.save({"features.0.weight": Canary()}, tmp_path / "bad.pth")
    (tmp_path / "cut.safetensors").write_bytes(b"12345")
    save_file({"features.0.weight": torch.full((64, 3, 3, 3), torch.nan)}, tmp_path / "nan.safetensors")
    for name, message in (
        ("bad.pth", "was not opened: its pickle asks for io.open"),
        ("cut.safetensors", "damaged"),
        ("nan.safetensors", "NaN"),
    ):
        with pytest.raises(WeightsError, match=message):
            build("vgg19").fill(tmp_path / name)
    assert not (tmp_path / "canary").exists()


class Around(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone, self.head = build("hgnetv2"), nn.Linear(2, 2)


def test_a_checkpoint_may_leave_the_backbone_out_but_not_a_part_of_it():
    network = Around()
    state = network.state_dict()
    network.load_state_dict({key: tensor for key, tensor in state.items() if key.startswith("head.")}, strict=True)
    assert network.backbone.origin is None
    part = {key: tensor for key, tensor in state.items() if not key.endswith("stem1.conv.weight")}
    with pytest.raises(RuntimeError, match=r"Missing key.*backbone.model.stem.stem1.conv.weight"):
        network.load_state_dict(part, strict=True)
    with pytest.raises(RuntimeError, match="Missing key"):
        network.load_state_dict({key: tensor for key, tensor in state.items() if key.startswith("backbone.")}, strict=True)
    with pytest.raises(RuntimeError, match="Missing key"):
        network.backbone.load_state_dict({}, strict=True)
    network.load_state_dict(state, strict=True)
    assert network.backbone.origin == "checkpoint"


@pytest.mark.parametrize("normalised", [False, True])
def test_vgg_is_torchvisions(normalised):
    mend()
    vgg = pytest.importorskip("torchvision").models.vgg
    reference = vgg.make_layers(vgg.cfgs["E"]).eval()
    backbone = Vgg19(taps=(*SLICES, "conv3_2", "relu5_1"), normalised=normalised)
    backbone.load_state_dict(
        {**backbone.state_dict(), **{f"features.{key}": value for key, value in reference.state_dict().items()}}
    )
    photo = torch.rand(1, 3, 48, 64)
    features = (photo - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1) if normalised else photo
    expected = {}
    with torch.inference_mode():
        for index, layer in enumerate(reference):
            features = layer(features.clone())
            expected[index] = features.clone()
        maps = backbone(photo)
    indices = {"relu1_2": 3, "relu2_2": 8, "relu3_4": 17, "relu4_4": 26, "relu5_4": 35, "conv3_2": 12, "relu5_1": 29}
    assert list(maps) == sorted(maps, key=indices.__getitem__)
    for tap, index in indices.items():
        assert torch.allclose(maps[tap], expected[index], atol=1e-5), tap
    with pytest.raises(UnknownNameError, match="did you mean 'relu3_1'"):
        Vgg19(taps=("relu31",))


@pytest.mark.parametrize("tap", ["relu1_2", "relu3_1", "relu5_4"])
def test_nothing_beyond_the_reach_of_vgg_matters_and_all_within_does(tap):
    backbone, columns = build("vgg19", taps=(tap,)).double(), 640

    def enlarged(photo):
        return F.interpolate(backbone(photo)[tap], size=photo.shape[-2:], mode="bilinear", align_corners=False)

    photo = torch.rand(1, 3, 16, columns, dtype=torch.float64)
    furthest = 0
    for start in range(312, 328):
        changed = photo.clone()
        changed[..., start] += 1
        touched = (enlarged(changed) != enlarged(photo)).any(dim=1).any(dim=1)[0].nonzero().flatten()
        furthest = max(furthest, int((touched - start).abs().max()))
    assert furthest == backbone.reach


def test_transformers_are_timms_with_meta_keys():
    mend()
    timm = pytest.importorskip("timm")
    torch.manual_seed(1)
    reference = timm.create_model("vit_small_patch16_dinov3_qkvb", num_classes=0).eval()
    for block in reference.blocks:
        for tensor in (block.attn.q_bias, block.attn.v_bias, block.gamma_1, block.gamma_2):
            tensor.data.normal_()
    meta = {"mask_token": torch.zeros(1, 384), "rope_embed.periods": reference.rope.periods}
    for key, tensor in reference.state_dict().items():
        stem, _, last = key.rpartition(".")
        if last == "q_bias":
            value = reference.get_parameter(f"{stem}.v_bias")
            meta[f"{stem}.qkv.bias"] = torch.cat((tensor, torch.randn(384), value.data))
            meta[f"{stem}.qkv.bias_mask"] = torch.cat((torch.ones(384), torch.zeros(384), torch.ones(384)))
        elif last in ("gamma_1", "gamma_2"):
            meta[f"{stem}.ls{last[-1]}.gamma"] = tensor
        elif last != "v_bias":
            meta["storage_tokens" if key == "reg_token" else key] = tensor
    backbone = build("dinov3_vits16")
    backbone.load_state_dict({**backbone.state_dict(), **backbone.rename(meta)})
    photo = torch.rand(1, 3, 48, 64)
    with torch.inference_mode():
        normal = (photo - backbone.mean) / backbone.std
        final, blocks = reference.forward_intermediates(normal, indices=[0, 4, 7, 11])
        maps = backbone(photo)
    for features, expected in zip(maps.values(), blocks, strict=True):
        assert torch.allclose(features, expected, atol=1e-5)
    expected = final[:, 5:].transpose(1, 2).reshape(1, 384, 3, 4)
    with torch.inference_mode():
        assert torch.allclose(backbone.final(photo), expected, atol=1e-5)
    meta["blocks.3.attn.qkv.bias_mask"] = torch.ones(1152)
    with pytest.raises(WeightsError, match=r"blocks.3.attn.qkv.bias adds a bias to the keys"):
        backbone.rename(meta)


@pytest.mark.parametrize("prefix", ["", "_model.", "backbone.dinov3._model."])
def test_the_tiny_transformer_takes_detector_keys_and_rounded_periods(prefix):
    source, backbone = nudge(build("dinov3_vitt")), build("dinov3_vitt")
    source.model.rope.periods += 1
    published = {
        f"{prefix}{key.removeprefix('model.')}": value for key, value in source.state_dict().items() if key.startswith("model.")
    }
    published[f"{prefix}rope_embed.periods"] = published.pop(f"{prefix}rope.periods")
    if prefix.startswith("backbone."):
        published["backbone.sta.weight"] = published["decoder.weight"] = torch.zeros(2)
    backbone.load_state_dict({**backbone.state_dict(), **backbone.rename(published)})
    photo = torch.rand(1, 3, 32, 40)
    with torch.inference_mode():
        expected, maps = source(photo), backbone(photo)
        assert torch.equal(maps["block_11"], expected["block_11"])
        assert torch.equal(backbone.final(photo), maps["block_11"])
    assert backbone.covered(32, 40) == (32, 48)
    assert tuple(maps["block_0"].shape) == (1, 192, 2, 3)


def test_hgnet_takes_detector_keys_and_leaves_the_photo_raw():
    mend()
    timm = pytest.importorskip("timm")
    torch.manual_seed(1)
    reference = timm.create_model("hgnetv2_b0").eval()
    backbone = build("hgnetv2")
    detector = {f"backbone.{key}": tensor for key, tensor in reference.state_dict().items()} | {"encoder.weight": torch.zeros(1)}
    backbone.load_state_dict(backbone.rename(detector), strict=True)
    photo = torch.rand(1, 3, 50, 70)
    with torch.inference_mode():
        expected = reference.forward_intermediates(photo, intermediates_only=True)
        maps = backbone(photo)
    assert all(torch.equal(features, wanted) for features, wanted in zip(maps.values(), expected, strict=True))
    assert F.interpolate(maps["stage4"], size=(50, 70)).shape[-2:] == photo.shape[-2:]
