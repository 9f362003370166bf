"""Guided rebuilding against plain enlargement of the change, with perfect layers at a third of the size; prints JSON.

Pictures: scikit-image's, blended by three formation models. A row per model: PSNR in dB of enlarging the transmission itself, of
enlarging the change, and of guided rebuilding with several windows and regularisers.
"""

import json

import numpy as np
import torch
from skimage import data
from skimage.transform import resize
from torch import Tensor

from limpid import catalogue
from limpid.image.size import shrink
from limpid.metrics.psnr import psnr
from limpid.physics.seeds import generator
from limpid.runtime.guided_upsampling import apply_guidance, enlarge, fit_guidance

SIDE, FACTOR = 384, 3
MODELS = {"subtractive": {}, "screen": {"transmission_gain": (1.0, 1.0)}, "glass": {"defocus": (0.3, 1.0)}}


def pictures() -> list[Tensor]:
    scenes = (data.astronaut(), data.coffee(), data.chelsea(), data.rocket())
    squares = (resize(scene, (SIDE, SIDE), anti_aliasing=True).astype(np.float32) for scene in scenes)
    return [torch.from_numpy(square).permute(2, 0, 1).contiguous() for square in squares]


def small(image: Tensor) -> Tensor:
    pixels = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
    return torch.from_numpy(shrink(pixels, SIDE // FACTOR, SIDE // FACTOR)).permute(2, 0, 1)


def scores(mixed: Tensor, truth: Tensor) -> dict[str, float]:
    rows, photo = (0, SIDE), small(mixed)
    change = photo - small(truth)
    found = {
        "transmission enlarged": psnr(enlarge(small(truth), rows, SIDE, SIDE), truth),
        "change enlarged": psnr(mixed - enlarge(change, rows, SIDE, SIDE), truth),
    }
    for radius in (1, 2, 4):
        for epsilon in (1e-4, 1e-2):
            fitted = {"change": fit_guidance(photo, change, radius=radius, epsilon=epsilon)}
            rebuilt = mixed - apply_guidance(mixed, photo, fitted, rows, SIDE)["change"]
            found[f"guided r={radius} eps={epsilon:g}"] = psnr(rebuilt, truth)
    return found


def main() -> None:
    scenes = pictures()
    for name, settings in MODELS.items():
        formation = catalogue.find("mixtures", name).build(**settings)
        tables = []
        for index, scene in enumerate(scenes):
            parameters = formation.draw(generator(1, name, index), (SIDE, SIDE))
            mixture = formation.apply(scene, scenes[(index + 1) % len(scenes)], parameters)
            tables.append(scores(mixture.input, mixture.transmission))
        print(json.dumps({"mixture": name, **{key: round(float(np.mean([t[key] for t in tables])), 2) for key in tables[0]}}))


if __name__ == "__main__":
    main()
