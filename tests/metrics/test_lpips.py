"""LPIPS against its formula written out on torchvision's networks, filled with the same random numbers; no weights are fetched."""

import dataclasses
import hashlib

import pytest
import torch

from limpid import catalogue
from limpid.blocks._torchvision import mend
from limpid.errors import ShapeError, WeightsError
from limpid.metrics.lpips_alex import Alex
from metrics.pairs import pair, tensors

if mend() == "absent":
    pytest.skip("torchvision is not installed", allow_module_level=True)
pytest.importorskip("torchmetrics")

import torchvision  # noqa: E402

FILES = {
    "alex": ("alexnet", "alexnet-owt-7be5be79.pth", (1, 4, 7, 9, 11)),
    "vgg": ("vgg16", "vgg16-397923af.pth", (3, 8, 15, 22, 29)),
    "squeeze": ("squeezenet1_1", "squeezenet1_1-b8a52dc0.pth", (1, 4, 7, 9, 10, 11, 12)),
}
"""Name → torchvision's constructor, its file, and the layers that are compared."""


def build(name, weights):
    return catalogue.find("metrics", f"lpips_{name}").build(backbone_weights=str(weights))


@pytest.fixture(autouse=True)
def _offline(monkeypatch, tmp_path):
    monkeypatch.setenv("LIMPID_OFFLINE", "1")
    monkeypatch.setenv("LIMPID_CACHE", str(tmp_path / "cache"))


def published(name, folder):
    """A file as torchvision publishes it, with random numbers in it."""
    constructor, file, _ = FILES[name]
    torch.manual_seed(7)
    network = getattr(torchvision.models, constructor)(weights=None)
    torch.save(network.state_dict(), folder / file)
    return network.features.eval(), folder / file


def known_as_published(path, monkeypatch):
    """Take the checksum of a file of AlexNet for the published one; returns it."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    remote = dataclasses.replace(Alex.home.remote, sha256=digest[:8])
    monkeypatch.setattr(Alex, "home", dataclasses.replace(Alex.home, remote=remote))
    return digest


def slow_lpips(features, heads, taps, estimate, target):
    shift, scale = (torch.tensor(values).reshape(1, 3, 1, 1) for values in ((-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)))
    x, y = ((2 * photo[None].float() - 1 - shift) / scale for photo in (estimate, target))
    total = 0.0
    for index, layer in enumerate(features[: taps[-1] + 1]):
        x, y = layer(x), layer(y)
        if index in taps:
            unit_x, unit_y = (value / value.square().sum(1, keepdim=True).add(1e-8).sqrt() for value in (x, y))
            total += float(((unit_x - unit_y).square() * heads[taps.index(index)]).sum(1).mean())
    return total


@pytest.mark.parametrize("name", FILES)
def test_it_is_the_formula_on_the_network_of_the_file(name, tmp_path):
    features, path = published(name, tmp_path)
    metric = build(name, path)
    heads = [head.model[-1].weight for head in metric.compute.network.lins]
    assert all(
        float(head.min()) >= 0 < float(head.max()) for head in heads
    )  # learned under that constraint: these are the real ones
    estimate, target = tensors(*pair((67, 53)))
    with torch.no_grad():
        expected = slow_lpips(features, heads, FILES[name][2], estimate, target)
    assert metric(estimate, target) == pytest.approx(expected, rel=1e-4)
    assert metric.name == f"lpips_{name}_own"
    assert metric.title.endswith("own weights")
    assert name in metric.title
    assert "v0.1" in metric.title


@pytest.mark.parametrize("name", FILES)
def test_layers_and_strips_add_up_to_the_network_of_torchmetrics(name):
    metric = build(name, "none")
    estimate, target = tensors(*pair((350, 41)))  # more rows than one strip
    with torch.inference_mode():
        expected = float(metric.compute.network(estimate[None].float(), target[None].float(), normalize=True))
    assert metric(estimate, target) == pytest.approx(expected, rel=1e-4)


def test_the_folder_of_the_file_and_the_cache_serve_as_well(tmp_path, monkeypatch):
    _, path = published("alex", tmp_path)
    photos = tensors(*pair((40, 40)))
    expected = build("alex", path)(*photos)
    assert build("alex", tmp_path)(*photos) == expected
    (tmp_path / "cache").mkdir()
    path.rename(tmp_path / "cache" / path.name)
    with pytest.raises(WeightsError, match="checksum is wrong"):  # random numbers are not the published ones
        build("alex", "pretrained")
    known_as_published(tmp_path / "cache" / path.name, monkeypatch)
    assert build("alex", "pretrained")(*photos) == expected


@pytest.mark.parametrize("name", FILES)
def test_offline_it_is_an_error_that_names_file_and_remedy(name):
    with pytest.raises(WeightsError, match=rf"{FILES[name][1]}.*LIMPID_OFFLINE.*--backbone-weights"):
        build(name, "pretrained")


def test_weights_of_another_network_are_refused(tmp_path):
    _, path = published("alex", tmp_path)
    with pytest.raises(WeightsError, match="does not hold this backbone"):
        build("squeeze", path)


def test_a_random_network_says_so_and_is_always_the_same():
    before = torch.random.get_rng_state()
    metric, again = build("alex", "none"), build("alex", "none")
    assert torch.equal(torch.random.get_rng_state(), before)
    assert metric.name == "lpips_alex_random"
    assert "random network" in metric.title
    photos = tensors(*pair((40, 40)))
    assert metric(*photos) == again(*photos) > 0


def test_the_published_file_needs_no_word_and_its_contents_are_part_of_the_measure(tmp_path, monkeypatch):
    _, path = published("alex", tmp_path)
    digest = known_as_published(path, monkeypatch)
    metric = build("alex", path)
    assert (metric.name, metric.identity) == ("lpips_alex", digest)
    assert "own" not in metric.title


@pytest.mark.parametrize("name", FILES)
def test_the_least_side_is_what_the_network_can_see(name):
    metric = build(name, "none")
    side = metric.compute.trunk.smallest
    assert metric(torch.rand(3, side, side), torch.rand(3, side, side)) > 0
    with pytest.raises(ShapeError, match=f"at least {side} px"):
        metric(torch.rand(3, side - 1, 50), torch.rand(3, side - 1, 50))
