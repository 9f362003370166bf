"""Blocks of DSRNet and of its Mamba variants against figures that the published modules gave (dsrnet_mamba.md §7)."""

import pytest
import torch

from limpid.blocks.mamba import ImageMamba, Mamba
from limpid.blocks.mutual import MutualBlock
from published_fill import figures, fill

BLOCKS = [
    ("attention", True, [0.65183761, 0.38004096, 0.01291522, -0.86852665], [-0.22505796, 0.63578589, 1.04149436, -0.94586346]),
    ("attention", False, [0.65426114, 0.38847778, 0.00298406, -0.87874941], [-0.22438823, 0.67289803, 0.97535497, -0.87804421]),
    ("mamba", True, [0.64046711, 0.40877020, 0.00899316, -0.87442724], [-0.22354222, 0.63784094, 1.03376350, -0.94551763]),
    ("mamba_first", True, [0.72243649, 0.77850355, 0.00845898, -0.69851048], [-0.19059572, 0.79792911, 1.05642525, -0.73170041]),
    ("mamba_gate", True, [0.65281836, 0.39627755, 0.01883081, -0.69340134], [-0.22460153, 0.62634036, 1.04692308, -0.73055695]),
]


def streams():
    c, i, j = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in (4, 6, 5)), indexing="ij")
    angle = 0.3 * c + 0.2 * i + 0.5 * j
    return torch.stack((torch.sin(angle), torch.cos(angle)))


@pytest.mark.parametrize(("kind", "shared_scale", "first", "second"), BLOCKS)
def test_blocks_give_the_published_figures(kind, shared_scale, first, second):
    block = MutualBlock(4, kind=kind, shared_scale=shared_scale).double()
    fill(block)
    found = block(streams())
    assert figures(found[0]) == pytest.approx(first, abs=2e-8)
    assert figures(found[1]) == pytest.approx(second, abs=2e-8)


def test_mamba_gives_the_published_figures():
    layer = Mamba(4).double()
    fill(layer)
    t, d = torch.meshgrid(torch.arange(7, dtype=torch.float64), torch.arange(4, dtype=torch.float64), indexing="ij")
    found = layer(torch.cos(0.3 * t + 0.7 * d)[None])
    assert figures(found) == pytest.approx([-0.00057127, 0.00698051, -0.00447367, -0.01956620], abs=1e-8)
    assert found[0, 3].tolist() == pytest.approx([0.0074597611, -0.0049940952, 0.0023641966, 0.0003434495], abs=1e-10)


def test_mamba_counts_the_published_parameters():
    for channels, count in {3: 396, 32: 9_920, 48: 19_680, 64: 32_640, 256: 437_760}.items():
        assert sum(parameter.numel() for parameter in Mamba(channels).parameters()) == count


def test_a_fresh_mamba_steps_between_a_thousandth_and_a_tenth():
    steps = torch.nn.functional.softplus(Mamba(64).dt_proj.bias.detach())
    assert 1e-3 * 0.999 <= float(steps.min()) < 5e-3
    assert 0.05 < float(steps.max()) <= 0.1 * 1.001


def test_a_pixel_influences_itself_and_what_is_read_after_it():
    layer = ImageMamba(4).double()
    features = torch.randn(1, 4, 5, 6, dtype=torch.float64, requires_grad=True)
    layer(features)[0, :, 2, 3].sum().backward()
    touched = features.grad[0].abs().sum(0) > 0
    expected = torch.arange(30).reshape(5, 6) <= 2 * 6 + 3
    assert torch.equal(touched, expected)


def test_streams_of_a_batch_do_not_mix():
    block = MutualBlock(4, shared_scale=False).double()
    fill(block)
    first, second = torch.randn(2, 3, 4, 6, 5, dtype=torch.float64).unbind()
    together = block(torch.cat((first, second)))
    for index in range(3):
        alone = block(torch.stack((first[index], second[index])))
        assert torch.allclose(together[index], alone[0])
        assert torch.allclose(together[3 + index], alone[1])


def test_a_fresh_block_changes_nothing():
    assert torch.equal(MutualBlock(4)(streams().float()), streams().float())


def test_mamba_keeps_its_state_in_single_precision_under_autocast():
    torch.manual_seed(0)
    layer, tokens = Mamba(16), torch.randn(1, 500, 16)
    with torch.inference_mode():
        expected = layer(tokens)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = layer(tokens)
    assert found.dtype == torch.bfloat16
    assert float((found - expected).abs().max()) < 0.03 * float(expected.abs().max())
