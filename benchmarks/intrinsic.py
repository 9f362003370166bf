"""Held-out synthetic scenes: errors of albedo free of scale, of the trivial answer, of colour Retinex and of a network; as JSON.

``python benchmarks/intrinsic.py [MODEL] [COUNT]``; MODEL: ``default`` or a checkpoint. Scenes of 128 pixels, seed 31337, no photos.
"""

import json
import sys

import numpy as np

from limpid.data.sources.intrinsic import intrinsic
from limpid.layers.task import TASKS
from limpid.metrics.lmse import lmse
from limpid.metrics.si_mse import si_mse
from limpid.physics.seeds import generator
from limpid.runtime.load import load


def main(model: str = "default", count: str = "40") -> None:
    """Print means over the scenes."""
    task = TASKS["intrinsic"]
    scenes = intrinsic(size=(128, 128), length=int(count), turn=False, seed=31337)
    methods = {"retinex": load("retinex", task="intrinsic"), "network": load(model, "cpu", task="intrinsic")}
    found: dict[str, list[float]] = {}
    for place in range(len(scenes)):
        pair = scenes.pair(place, 0, generator(0, place))
        answers = {"trivial": task.trivial(pair.input), **{name: method(pair.input) for name, method in methods.items()}}
        for name, layers in answers.items():
            for layer in task.layers:
                for measure in (si_mse, lmse):
                    value = float(measure(layers[layer].clamp(0, 1), pair.layers[layer]))
                    found.setdefault(f"{name} {measure.__name__} {layer}", []).append(value)
    print(json.dumps({name: round(float(np.mean(values)), 5) for name, values in found.items()}, indent=2))  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
