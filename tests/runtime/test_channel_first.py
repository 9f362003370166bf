"""The rewrite for other runtimes answers as the network."""

import pytest
import torch

from limpid.blocks.naf import NafBlock
from limpid.models.limpid import DualBlock
from limpid.runtime.channel_first import channel_first
from network_samples import tiny


@pytest.mark.parametrize("name", ["limpid", "nafnet", "deconvolution", "unet"])
def test_it_answers_alike_and_leaves_the_network_as_it_is(name):
    network = tiny(name).eval()
    photo = torch.rand(1, 3, 64, 96)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    changed = channel_first(network)
    with torch.inference_mode():
        wanted, found = network(photo), changed(photo)
    assert all(torch.allclose(found[layer], wanted[layer], atol=2e-6) for layer in wanted)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    left = [module for module in changed.modules() if isinstance(module, DualBlock | NafBlock)]
    assert bool(left) == (name == "unet")  # whose blocks have neither norms nor gates
