"""The last layer of ``light_unet`` by ridge regression on synthetic scenes, its body kept: a minute of one core.

``python benchmarks/fit_last_layer.py BODY.safetensors OUT.safetensors [PHOTOS] [COUNT]``. Least squares of the logarithm of the
shading that colour Retinex leaves, each pixel weighted by the square of its albedo, as errors of albedo are in proportion to it.
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from limpid.blocks.retinex import retinex_shading
from limpid.checkpoints import file
from limpid.data.sources.intrinsic import intrinsic
from limpid.layers.encoding import to_linear
from limpid.models.light_unet import LightUNet
from limpid.physics.seeds import generator

RIDGE = 3e-4  # of the mean square of the features
LIMIT = 1.5  # of what is to be corrected, natural logarithm


def targets(shading: Tensor, guess: Tensor) -> Tensor:
    """What the three channels of the answer should be, (1, 3, H, W), while the tanh of the tint is nearly linear."""
    red, green, blue = (to_linear(shading)[None].clamp_min(1e-3).log() - guess).clamp(-LIMIT, LIMIT).chunk(3, dim=1)
    brightness = (red + 2 * green + blue) / 4
    return torch.cat((brightness, 2 * (red - brightness), 2 * (blue - brightness)), dim=1)


def main(body: str, out: str, photos: str = "", count: str = "80") -> None:
    """Fit and save."""
    checkpoint = file.read(Path(body))
    network = LightUNet()
    network.load_state_dict({name: tensor.float() for name, tensor in checkpoint.tensors.items()})
    unet = network.eval().light.unet
    scenes = intrinsic(size=(96, 96), photos=photos or None, length=int(count), turn=False, seed=4242)
    sides = unet.ending.in_channels * 9 + 1
    gram, moment, total = torch.zeros(sides, sides).double(), torch.zeros(sides, 12).double(), 0.0
    with torch.inference_mode():
        for place in range(len(scenes)):
            pair = scenes.pair(place, 0, generator(1, place))
            photo = pair.input[None]
            guess = retinex_shading(photo)
            features = unet.features(torch.cat((photo * 2 - 1, guess), dim=1))
            columns = F.unfold(features, 3, padding=1)[0].T.double()
            columns = torch.cat((columns, torch.ones(len(columns), 1).double()), dim=1)
            wanted = F.pixel_unshuffle(targets(pair.layers["shading"], guess), 2)[0].flatten(1).T.double()
            weight = F.avg_pool2d(pair.layers["albedo"].mean(0)[None, None].square(), 2).flatten()[:, None].double()
            gram += columns.T @ (weight * columns)
            moment += columns.T @ (weight * wanted)
            total += float(weight.sum())
    scale = gram.diagonal().mean()
    solved = torch.linalg.solve(gram + RIDGE * scale * torch.eye(sides).double(), moment)
    unet.ending.weight.data = solved[:-1].T.reshape(12, -1, 3, 3).float()
    unet.ending.bias.data = solved[-1].float()
    file.save(Path(out), file.Checkpoint(model="light_unet", settings={}, tensors=network.state_dict(), notes=checkpoint.notes))


if __name__ == "__main__":
    main(*sys.argv[1:])
