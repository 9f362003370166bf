"""Two workers of Ray against one warm worker, one thread each, and where the time of a photo goes; prints JSON.

Arguments: photos (24), workers (2), side in pixels (512). The promise: two workers on two free cores do at least 1.5 times what one
does. The rate of the workers counts from their first photo to their last, as a long run would see it. ``predicted`` is a model of
what other numbers of workers would do; docs/scale.md says what it leaves out.
"""

import json
import sys
import tempfile
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from limpid import load, read, write
from limpid.runtime.options import PhotoOptions
from limpid.scale.photo_rows import PhotoRow
from limpid.scale.photo_worker import PhotoWorker
from limpid.scale.photos import plan_run, run_photos

NETWORK_BYTES, DISK_BYTES = 1.25e9, 500e6
"""Bytes a second that a machine's network (10 Gbit) and disk are taken to carry in the model."""


def make(folder: Path, count: int, side: int) -> list[Path]:
    """Photos of smooth colours with grain, so that their files are of the size of real ones."""
    draw = np.random.default_rng(0)
    paths = []
    for number in range(count):
        coarse = Image.fromarray(draw.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize((side, side), Image.Resampling.BICUBIC)
        grain = draw.normal(0, 6, (side, side, 3))
        paths.append(folder / f"{number:04d}.jpg")
        Image.fromarray(np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8)).save(paths[-1], quality=92)
    return paths


def stages(paths: list[Path], folder: Path) -> dict[str, float]:
    """Seconds of one photo in decoding, in the network and what surrounds it, and in encoding: medians."""
    separator = load(device="cpu")
    taken: dict[str, list[float]] = {"decode": [], "separate": [], "encode": []}
    for path in [paths[0], *paths[:8]]:
        begun = time.perf_counter()
        photo = read(path)
        decoded = time.perf_counter()
        layers = separator(path)
        separated = time.perf_counter()
        for name in ("transmission", "reflection"):
            write(layers[name], folder / f"{name}.jpg", like=photo, overwrite=True)
        taken["decode"].append(decoded - begun)
        taken["separate"].append(separated - decoded - (decoded - begun))  # which decodes once more
        taken["encode"].append(time.perf_counter() - separated)
    return {name: float(np.median(times[1:])) for name, times in taken.items()}


def one_worker(paths: list[Path], options: PhotoOptions, folder: Path) -> float:
    """Photos a second of one warm worker with one thread."""
    worker = PhotoWorker(options, "reflection", threads=1)
    worker.process(PhotoRow(source=str(paths[0]), folder=str(folder / "warm")))
    begun = time.perf_counter()
    for path in paths:
        worker.process(PhotoRow(source=str(path), folder=str(folder / "one")))
    return len(paths) / (time.perf_counter() - begun)


def by_ray(options: PhotoOptions) -> float:
    """Photos a second from the first outcome to the last."""
    run = plan_run(options, "reflection")
    times = [time.perf_counter() for outcome in run_photos(run) if outcome.error is None]
    assert len(times) == len(run.rows.rows)
    skipped = 2 * (options.workers or 1)  # the first photo of each worker pays for its start
    return (len(times) - skipped) / (times[-1] - times[skipped - 1])


def predicted(stage: dict[str, float], read_bytes: float, written_bytes: float) -> dict[str, float]:
    """Photos a second of so many workers of one machine: processor, disk or network, whichever ends first."""
    each = 1 / sum(stage.values())
    most = min(NETWORK_BYTES / read_bytes, DISK_BYTES / written_bytes)
    return {str(workers): round(min(workers * each, most), 2) for workers in (1, 2, 4, 8, 16, 64, 256)}


def main() -> None:
    count, workers, side = (int(word) for word in (*sys.argv[1:], *("24", "2", "512")[len(sys.argv) - 1 :]))
    if find_spec("ray") is None:
        print(json.dumps({"skipped": "ray is not installed; pip install 'limpid[scale]'"}))
        return
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        paths = make(folder / "in", count, side)
        stage = stages(paths, folder)
        options = PhotoOptions(photos=(str(folder / "in"),), output=str(folder / "ray"), engine="ray", max_memory=10**9, quiet=True)
        one = one_worker(paths, options, folder)
        many = by_ray(replace(options, workers=workers, threads=1))
        written = sum(path.stat().st_size for path in (folder / "one").iterdir()) / count
        taken = sum(path.stat().st_size for path in paths) / count
    result = {
        "photos": count,
        "side": side,
        "one_per_s": round(one, 3),
        "workers": workers,
        "ray_per_s": round(many, 3),
        "ratio": round(many / one, 2),
        "seconds": {key: round(value, 4) for key, value in stage.items()},
        "predicted": predicted(stage, taken, written),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
