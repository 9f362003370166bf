"""Local means at test time, padding and reach of the restoration networks."""

import pytest
import torch
import torch.nn.functional as F

from limpid import create_model
from limpid.blocks.naf import SlidingMean
from limpid.errors import SettingError
from limpid.models.nafnet import NafNet


def lively(network):
    torch.manual_seed(0)
    for parameter in network.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    return network.eval()


def pooled(features, window):
    """The same by sliding over every window."""
    height, width = features.shape[-2:]
    rows, columns = min(window, height), min(window, width)
    means = F.avg_pool2d(features, (rows, columns), stride=1)
    down, across = height - means.shape[-2], width - means.shape[-1]
    return F.pad(means, (across // 2, across - across // 2, down // 2, down - down // 2), mode="replicate")


@pytest.mark.parametrize("window", [1, 2, 5, 8, 12, 15])
def test_sliding_mean_equals_pooling(window):
    features = torch.randn(2, 3, 12, 16, dtype=torch.float64)
    assert torch.allclose(SlidingMean(window)(features), pooled(features, window), atol=1e-12)


@pytest.mark.parametrize("window", [None, 16, 17])
def test_a_window_that_covers_the_map_is_the_mean_of_the_map(window):
    features = torch.randn(2, 3, 12, 16)
    assert torch.equal(SlidingMean(window)(features), features.mean((2, 3), keepdim=True))


def test_sliding_mean_of_a_large_map_stays_exact():
    features = torch.rand(1, 1, 40, 4000) + 5
    expected = pooled(features.double(), 24)
    assert torch.allclose(SlidingMean(24)(features).double(), expected, rtol=1e-5)


def test_sliding_mean_is_differentiable():
    features = torch.randn(1, 2, 5, 7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(SlidingMean(3), features)


def test_sliding_mean_keeps_float32_sums_under_autocast():
    features = torch.rand(1, 2, 64, 600).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        mean = SlidingMean(48)(features)
    assert mean.dtype == torch.bfloat16
    assert torch.allclose(mean.float(), pooled(features.float(), 48), atol=4e-3)


def test_windows_shrink_with_the_levels():
    with torch.device("meta"):
        network = create_model("nafnet", "gopro_width32")
    levels = (*network.encoders, network.middle_blks)
    assert [level[0].attention[0].window for level in levels] == [384, 192, 96, 48, 24]
    assert [level[0].attention[0].window for level in network.decoders] == [48, 96, 192, 384]


def test_local_means_change_photos_larger_than_the_window_alone():
    frame = {"width": 4, "encoder": (1, 1), "decoder": (1, 1)}
    plain, local = lively(NafNet(**frame)), NafNet(**frame, local_window=384).eval()
    local.load_state_dict(plain.state_dict())
    small, large = torch.rand(1, 3, 384, 320), torch.rand(1, 3, 512, 512)
    with torch.inference_mode():
        assert torch.allclose(plain(small).restored, local(small).restored, atol=1e-6)
        assert not torch.allclose(plain(large).restored, local(large).restored, atol=1e-4)


@pytest.mark.parametrize("name", ["nafnet", "unet"])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (125, 131)])
def test_any_size_is_padded_with_zeros_and_cropped(name, size):
    network = lively(create_model(name, "tiny"))
    photo = torch.rand(1, 3, *size)
    height, width = (-(-side // 4) * 4 for side in size)
    padded = F.pad(photo, (0, width - size[1], 0, height - size[0]))
    with torch.inference_mode():
        restored, whole = network(photo).restored, network(padded).restored
    assert restored.shape == photo.shape
    assert torch.allclose(restored, whole[..., : size[0], : size[1]])


@pytest.mark.parametrize(
    ("settings", "side"),  # restoration.md §3.4: full width of what one pixel sees
    [
        ({"encoder": (1, 1, 2), "decoder": (1, 1, 1)}, 64),
        ({"encoder": (1, 1, 1, 2), "decoder": (1, 1, 1, 1)}, 128),
        ({"encoder": (1, 1, 1, 28), "decoder": (1, 1, 1, 1)}, 544),
    ],
)
def test_receptive_radius_without_attention(settings, side):
    radius = NafNet(width=2, **settings, attention=False).radius
    cell = 2 ** len(settings["encoder"])
    assert 2 * radius + 2 - cell == side  # the nearest corner of a cell sees a cell less a pixel further than the other side


def test_networks_that_see_everything_promise_no_radius():
    assert create_model("nafnet", "tiny", local_window=384).radius is None


@pytest.mark.parametrize(("layers", "kernel", "side"), [(8, 3, 29), (4, 5, 25)])
def test_reach_of_stacked_convolutions(layers, kernel, side):
    assert 2 * create_model("stacked", layers=layers, kernel=kernel).radius + 1 == side


def test_impossible_settings_are_refused():
    with pytest.raises(SettingError, match="as many levels"):
        NafNet(encoder=(1,), decoder=(1, 1))
    with pytest.raises(SettingError, match="must be even"):
        NafNet(width=4, feed_forward=3)
    with pytest.raises(SettingError, match="even number of layers"):
        create_model("stacked", layers=3)
    with pytest.raises(SettingError, match="odd kernel"):
        create_model("stacked", kernel=4)
    with pytest.raises(SettingError, match="at least 1 feature"):
        SlidingMean(0)
