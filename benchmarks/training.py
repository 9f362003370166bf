"""How long a training waits for its data, with the shipped recipe ``limpid``, one worker and one computing thread; prints JSON.

The share of the time between two steps that the loop spends waiting for the next batch, over the steps after the first ones, beside
the same with no worker, where the training itself makes every item (the baseline). Photos are smooth random ones on disk. Promise:
less than 10 %.
"""

import json
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from limpid.physics.seeds import generator
from limpid.recipe.load import load
from limpid.training.assemble import assemble
from limpid.training.set_up import launch, set_up

STEPS, WARM_UP, PHOTOS = 16, 4, 60


def photos(folder: Path, seed: int) -> Path:
    folder.mkdir()
    draw = generator(seed, "photos")
    for number in range(PHOTOS):
        grid = draw.integers(0, 256, (24, 32, 3), dtype=np.uint8)
        photo = cv2.resize(grid, (480, 360), interpolation=cv2.INTER_CUBIC)
        Image.fromarray(photo).save(folder / f"{seed}_{number}.jpg", quality=92)
    return folder


def waited(places: list[str], workers: int) -> dict[str, float]:
    loaded = load("limpid", [*places, f"data.workers={workers}", "train.threads=1"])
    fabric = launch(loaded.recipe, "cpu")
    run = set_up(loaded, (assembly := assemble(loaded)), fabric, resume=None, init=None, force=False)
    waits, begin = [], 0.0
    with run.batches(assembly.stream, assembly.task) as batches:
        for done in run.steps(batches):
            waits.append(done.waited)
            begin = begin or time.perf_counter() * (done.step == WARM_UP)
            if done.step == WARM_UP + STEPS:
                break
    seconds = time.perf_counter() - begin
    return {"share": round(sum(waits[WARM_UP:]) / seconds, 4), "samples_per_second": round(STEPS * run.per_step / seconds, 2)}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        trained, held, leaves = (photos(Path(folder) / name, seed) for seed, name in enumerate(("photos", "held", "leaves")))
        places = [f"PHOTOS={trained}", f"HELD={held}", f"LEAVES={leaves}"]
        found = {f"{workers}_workers": waited(places, workers) for workers in (0, 1)}
    print(json.dumps({"waiting_for_data": found, "promise": "1_workers.share < 0.10"}))


if __name__ == "__main__":
    main()
