"""What DSRNet learnt to be neither layer is a layer by its own name, beside what its layers leave over."""

import pytest
import torch

from limpid.errors import UsageError
from limpid.image.read import read
from limpid.layers.task import find_task
from limpid.runtime.memory import Cost
from limpid.runtime.options import SeparationOptions
from limpid.runtime.separator import Separator
from network_samples import tiny


def made(name):
    separator = Separator(tiny(name).eval(), find_task("reflection"), name=name)
    separator.cost = Cost(bytes_per_pixel=5000, seconds_per_pixel=1e-5)
    return separator


def layers_of(separator, photo, names):
    bands = separator.bands(read(photo), SeparationOptions(resolution="full"), names)
    rows = [band.layers for band in bands]
    return {name: torch.cat([row[name] for row in rows], dim=1) for name in names}


@pytest.mark.parametrize("size", [(64, 96), (80, 70)])
def test_the_residue_is_what_the_network_answers(size):
    torch.manual_seed(0)
    separator, photo = made("dsrnet"), torch.rand(3, *size)
    layers = layers_of(separator, photo, ("transmission", "reflection", "residual", "residue"))
    mixed = read(photo).tensor()
    assert torch.allclose(layers["residual"], mixed - layers["transmission"] - layers["reflection"], atol=1e-6)
    if size == (64, 96):
        with torch.inference_mode():
            learnt = separator.network(mixed[None]).residual[0]
        assert torch.allclose(layers["residue"], learnt, atol=1e-5)
    assert float(layers["residue"].min()) < 0 < float(layers["residue"].std())


def test_the_residue_module_runs_only_when_asked():
    separator, calls = made("dsrnet"), []
    separator.network.lrm.register_forward_hook(lambda *_: calls.append(1))
    layers_of(separator, torch.rand(3, 64, 64), ("transmission", "residual"))
    assert calls == []
    layers_of(separator, torch.rand(3, 64, 64), ("residue",))
    assert calls == [1]
    assert separator.network.answers_residual is True  # as it was found


@pytest.mark.parametrize("name", ["limpid", "errnet"])
def test_networks_that_learnt_none_say_so(name):
    with pytest.raises(UsageError, match="learnt no residue; ask for the residual"):
        layers_of(made(name), torch.rand(3, 64, 64), ("residue",))
