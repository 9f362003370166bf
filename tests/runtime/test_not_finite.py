"""A network whose answer is no number is refused by its name; a black photo would say that all went well."""

import pytest
import torch

from limpid.errors import WeightsError
from limpid.image.photo import Photo
from limpid.layers.network import LayerNetwork, Needs
from limpid.layers.separation import Separation
from limpid.layers.task import TASKS
from limpid.runtime.memory import Cost
from limpid.runtime.separator import Separator


class Loud(LayerNetwork):
    """Answers the photo, but for one value of one layer in the last column."""

    needs, radius = Needs(multiple=16), 16

    def __init__(self, value, layer="transmission"):
        super().__init__()
        self.value, self.layer = value, layer

    def separate(self, mixed, recall=None):
        layers = {"transmission": mixed.clone(), "reflection": torch.zeros_like(mixed)}
        layers[self.layer][..., -1, -1] = self.value * (mixed[..., -1, -1] > 0.5)
        return Separation(layers)


def loud(value, layer="transmission"):
    made = Separator(Loud(value, layer), TASKS["reflection"], name="loud")
    made.cost = Cost(bytes_per_pixel=1000, seconds_per_pixel=1e-6)
    return made


def photo(height=64, width=96):
    return torch.linspace(0, 1, width).expand(3, height, width)


@pytest.mark.parametrize("layer", ["transmission", "reflection"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_the_network_is_named(value, layer):
    with pytest.raises(WeightsError, match=rf"^loud answers this photo with 3 NaN or infinite values in its {layer} \(float32\)"):
        loud(value, layer)(photo())


@pytest.mark.parametrize("settings", [{"resolution": "full", "tile": "192"}, {"resolution": "auto"}])
def test_one_bad_tile_or_a_rebuilt_photo_is_no_better(settings):
    with pytest.raises(WeightsError, match="loud"):
        loud(float("nan"))(photo(1616, 1616), **settings)


def test_large_numbers_are_clamped_as_ever():
    layers = loud(3e38)(photo())  # of which the sum overflows
    assert float(layers.transmission.max()) == 1
    assert torch.isfinite(layers.residual).all()


def test_a_lower_precision_is_blamed_first():
    made = loud(float("nan"))
    made.precision = "bfloat16"
    with pytest.raises(WeightsError, match="try --precision float32"):
        made(Photo(pixels=(photo().permute(1, 2, 0).numpy() * 255).astype("uint8")))
