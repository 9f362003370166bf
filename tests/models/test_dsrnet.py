"""All sizes of DSRNet: parameters, recognition from keys and shapes, and figures of the published networks (dsrnet_mamba.md §7)."""

from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from limpid import catalogue, create_model
from limpid.blocks.mamba import Mamba
from limpid.blocks.mutual import MutualBlock
from limpid.blocks.naf import ChannelNorm
from limpid.blocks.scan import reference
from limpid.checkpoints.convert.dsrnet import DSRNetConverter
from limpid.models.dsrnet import Residue
from published_fill import figures, fill

ENTRY = catalogue.find("models", "dsrnet")
PARAMETERS = {
    "s": 9_871_590,
    "m": 53_553_830,
    "l": 124_602_022,
    "l_nature": 123_667_622,
    "mdsrnet_l": 209_067_942,
    "mdsrnet_v1_l": 262_450_854,
    "mxdsrnet_l": 213_050_598,
    "mgdsrnet_l": 340_611_750,
}
ENTRIES = {
    "s": 715,
    "m": 767,
    "l": 1071,
    "l_nature": 1035,
    "mdsrnet_l": 1323,
    "mdsrnet_v1_l": 1503,
    "mxdsrnet_l": 1400,
    "mgdsrnet_l": 1863,
}
FIGURES = {
    "s": (
        [0.02142123, 0.56685868, 0.23982746, 0.15707923],
        [0.08072166, 0.15655020, 0.17591098, 0.03229958],
        [0.04424402, 0.38847229, -0.15664592, 0.02755507],
    ),
    "m": (
        [0.10948937, 0.02639035, 0.05785115, 0.09158775],
        [0.15595990, 0.04219619, 0.03059487, 0.12347439],
        [0.07794623, 0.36783110, -0.04925290, 0.06338340],
    ),
    "l": (
        [0.10958917, 0.02628487, 0.05781537, 0.09170822],
        [0.15596169, 0.04217764, 0.03058677, 0.12339287],
        [0.07810963, 0.36678166, -0.04844987, 0.06220838],
    ),
    "l_nature": (
        [0.10958917, 0.02628487, 0.05781537, 0.09170822],
        [0.15596169, 0.04217764, 0.03058677, 0.12339287],
        [0.07830295, 0.36537411, -0.04634366, 0.06277747],
    ),
    "mdsrnet_l": (
        [0.06557648, 0.43799243, 0.04944541, 0.05342470],
        [0.07601122, 0.43820292, 0.05717243, 0.08402865],
        [0.07642053, 0.40049637, 0.00082904, 0.18376544],
    ),
    "mxdsrnet_l": (
        [-11.68428579, 242.91629089, -0.44892177, 0.18920427],
        [-9.59415099, 65.22121700, 0.01041052, 0.15985937],
        [0.02582787, 0.86604130, 0.18680309, 0.23279150],
    ),
    "mgdsrnet_l": (
        [0.08653870, 0.02090983, 0.07270429, 0.07710414],
        [0.09219192, 0.01020252, 0.08019936, 0.07159196],
        [0.07376079, 0.39530127, -0.05846716, 0.04578500],
    ),
    "mdsrnet_v1_l": (
        [0.08648083, 0.02088786, 0.07275663, 0.07701793],
        [0.09225139, 0.01020187, 0.08014277, 0.07166848],
        [0.07365629, 0.39592093, -0.05894411, 0.04544775],
    ),
}


def on_meta(size):
    with torch.device("meta"):
        return create_model("dsrnet", size)


def published_shapes(network, *, first_release=False):
    """Keys and shapes as the authors' code saves them: shared layers of the residue module (at first, all) under two names."""
    shapes = {}
    for name, value in network.state_dict().items():
        if name.startswith("backbone."):
            continue
        twice = ".seq." in name and (first_release or name.startswith("lrm."))
        for alias in (".seq_l.", ".seq_r.") if twice else (".seq.",):
            shapes[name.replace(".seq.", alias)] = tuple(value.shape)
    return shapes


def as_published(name):
    return name.replace(".seq.", ".seq_r.") if name.startswith(("lrm.", "intro.seq", "blocks_inter.")) else name


def settings_in_full(size):
    signature = {
        "width": 64,
        "encoder": (2, 2, 4, 8),
        "middle": 12,
        "decoder": (2, 2, 2, 2),
        "residue": (2, 4),
        "shared_scale": True,
    }
    return {**signature, "body": "attention", "pyramid": "attention", **ENTRY.sizes[size]}


@pytest.mark.parametrize("size", PARAMETERS)
def test_parameters_and_entries_are_those_of_the_published_network(size):
    network = on_meta(size)
    own = {name: value for name, value in network.named_parameters() if not name.startswith("backbone.")}
    assert sum(value.numel() for value in own.values()) == PARAMETERS[size]
    assert len(published_shapes(network)) == ENTRIES[size]


@pytest.mark.parametrize("size", ENTRY.sizes)
def test_every_size_is_recognised(size):
    network, converter = on_meta(size), DSRNetConverter()
    assert converter.recognise(published_shapes(network)) == settings_in_full(size)
    own = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert converter.recognise(own) == settings_in_full(size)


def test_the_first_release_is_recognised_and_converted():
    network, converter = on_meta("l"), DSRNetConverter()
    shapes = published_shapes(network, first_release=True)
    assert len(shapes) == 1851
    assert converter.recognise(shapes) == settings_in_full("l")
    converted = converter.convert({name: torch.empty(shape, device="meta") for name, shape in shapes.items()})
    assert set(converted) == {name for name in network.state_dict() if not name.startswith("backbone.")}


def test_what_does_not_fit_exactly_is_another_architecture():
    converter, shapes = DSRNetConverter(), published_shapes(on_meta("tiny"))
    assert converter.recognise({}) is None
    assert converter.recognise({"ending.seq.0.weight": (3, 64, 3, 3)}) is None
    for name in ("lrm.tail.0.bias", "downs.0.seq.0.weight", "middle_blks.0.a_l", "encoders.0.0.a_l"):
        assert converter.recognise({key: shape for key, shape in shapes.items() if key != name}) is None, name
    assert converter.recognise({**shapes, "another.weight": (1,)}) is None
    assert converter.recognise({**shapes, "ending.seq.0.weight": (3, 5, 3, 3)}) is None
    assert converter.recognise({**shapes, "ending.seq.0.weight": ()}) is None
    assert converter.recognise({**shapes, "lrm.intro.seq_l.0.bias": (9,)}) is None


def test_of_two_names_the_last_one_read_counts():
    tensors = {
        "lrm.intro.seq_l.0.bias": torch.zeros(2),
        "lrm.intro.seq_r.0.bias": torch.ones(2),
        "ending.seq.0.bias": torch.ones(3),
    }
    converted = DSRNetConverter().convert(tensors)
    assert list(converted) == ["lrm.intro.seq.0.bias", "ending.seq.0.bias"]
    assert torch.equal(converted["lrm.intro.seq.0.bias"], torch.ones(2))
    only = DSRNetConverter().convert({"lrm.intro.seq_l.0.bias": torch.ones(2)})
    assert list(only) == ["lrm.intro.seq.0.bias"]


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [((2, 4), [0.18442546, 0.36965803, -0.06928172, -0.20226434]), ((2, 2), [0.18134955, 0.36243535, -0.06317796, -0.22572283])],
)
def test_the_residue_module_gives_the_published_figures(blocks, expected):
    module = Residue(4, blocks).double()
    fill(module, as_published)
    c, i, j = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in (4, 6, 5)), indexing="ij")
    angle = 0.3 * c + 0.2 * i + 0.5 * j
    found = module(torch.stack((torch.sin(angle), torch.cos(angle))))
    assert found.shape == (1, 3, 6, 5)
    assert figures(found) == pytest.approx(expected, abs=2e-8)


class StandIn(nn.Module):
    """Maps in place of VGG's."""

    def forward(self, photo):
        height, width = photo.shape[-2:]
        return {
            f"relu{m}_1": self.map(m, channels, height >> m - 1, width >> m - 1)
            for m, channels in enumerate((64, 128, 256, 512, 512), 1)
        }

    @staticmethod
    def map(m, channels, height, width):
        c, i, j = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in (channels, height, width)), indexing="ij")
        return torch.sin(0.05 * c + 0.3 * i + 0.17 * j + m).abs()[None]


QUICK = ("s", "l", "mxdsrnet_l")
"""The others take a minute each; their golden cases are run every time."""


@pytest.mark.parametrize("size", [pytest.param(size, marks=[] if size in QUICK else pytest.mark.exhaustive) for size in FIGURES])
def test_networks_give_the_published_figures(size):
    network = on_meta(size).double().to_empty(device="cpu").eval()
    fill(network, as_published)
    network.backbone = StandIn()
    c, i, j = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in (3, 32, 48)), indexing="ij")
    with torch.inference_mode():
        layers = network((0.5 + 0.5 * torch.sin(0.1 * i + 0.2 * j + c))[None])
    for layer, expected in zip(layers.values(), FIGURES[size], strict=True):
        assert figures(layer) == pytest.approx(expected, rel=1e-5 if size == "mxdsrnet_l" else 0, abs=2e-8)


def test_the_residue_module_can_be_left_out():
    network = create_model("dsrnet", "tiny").eval()
    photo = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        whole = network(photo)
        network.answers_residual = False
        part = network(photo)
    assert list(whole) == ["transmission", "reflection", "residual"]
    assert list(part) == ["transmission", "reflection"]
    assert torch.equal(whole.transmission, part.transmission)


def literal_mamba(layer, tokens):
    """The layer as published: a convolution, then one token after the other."""
    inner, gate = layer.in_proj(tokens).chunk(2, dim=-1)
    inner = F.silu(layer.conv1d(inner.transpose(1, 2))[..., : tokens.shape[1]].transpose(1, 2))
    low_rank, write, read = layer.x_proj(inner).split(layer._parts, dim=-1)
    mixed = reference.scan(inner, F.softplus(layer.dt_proj(low_rank)), -torch.exp(layer.A_log), write, read)
    return layer.out_proj((mixed + layer.D * inner) * F.silu(gate))


def literal_norm(norm, features):
    mean = features.mean(1, keepdim=True)
    scaled = (features - mean) / ((features - mean).square().mean(1, keepdim=True) + norm.epsilon).sqrt()
    return norm.weight[:, None, None] * scaled + norm.bias[:, None, None]


def test_blocks_of_mamba_are_as_exact_as_the_published_ones(monkeypatch):
    """Over a stack whose gates multiply unbounded values: what float32 loses is lost in the 1×1 convolutions of both."""
    torch.manual_seed(0)
    exact = nn.Sequential(*(MutualBlock(32, kind="mamba") for _ in range(4))).double().eval()
    fill(exact)
    single, streams = deepcopy(exact).float(), torch.rand(8, 32, 12, 16, dtype=torch.float64)

    def loss():
        with torch.inference_mode():
            return float((single(streams.float()) - expected).square().mean().sqrt())

    with torch.inference_mode():
        expected = exact(streams)
    ours = loss()
    monkeypatch.setattr(Mamba, "forward", literal_mamba)
    monkeypatch.setattr(ChannelNorm, "forward", literal_norm)
    with torch.inference_mode():
        assert torch.allclose(exact(streams), expected, rtol=1e-9, atol=1e-9)
    assert 0 < ours < 1.5 * loss()
