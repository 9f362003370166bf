"""Promise: dead leaves on one thread, at least 80 charts/s at 512 × 512 and 500 at 128 × 128.

Radius 1–2000 pixels, alpha 3, flat disks, sampling and colouring included.

Run: python benchmarks/leaves.py. Prints JSON. Beside the package run, by turns, two painters written here: the published one, which
touches the whole canvas for every leaf, and OpenCV circles from back to front. Both paint the published law, whose picture the
package must reproduce exactly; charts of the stationary law (more leaves, nothing left uncovered) are what the promise counts.
Times are medians of CPU seconds of this process (the machine may be shared); wall clock stands beside them. With a CUDA device the
CUDA backend runs as well.
"""

import json
import time
from collections.abc import Callable
from statistics import median

import cv2
import numpy as np
import torch
from numba import cuda

from limpid.physics.leaves.chart import chart
from limpid.physics.leaves.occlusion import Backend
from limpid.physics.leaves.settings import Chart
from limpid.physics.seeds import generator

STATIONARY = Chart()
PUBLISHED = Chart(law="published")
PROMISED = {128: 500.0, 512: 80.0}  # charts per second
CHARTS = {128: 100, 512: 20}  # of the package per round
ROUNDS = 7
FULL_CANVAS_ROUNDS = {128: 5, 512: 1}  # half a minute each at 512

Leaves = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def published_leaves(seed: int, side: int) -> Leaves:
    stream = np.random.default_rng(np.random.SeedSequence(seed))
    x, y = stream.integers(0, side, 30 * side), stream.integers(0, side, 30 * side)
    radius = (stream.uniform(2000.0**-2, 1.0, 30 * side) ** -0.5).round().astype(int)
    colours = np.random.default_rng(np.random.SeedSequence(int(stream.integers(0, 10**10))))
    return x, y, radius, colours.uniform(size=(30 * side, 3)).astype(np.float32)


def paint_full_canvas(seed: int, side: int) -> np.ndarray:
    """Front to back: each leaf is drawn on a scratch canvas, multiplied by the mask of what is uncovered, and added."""
    canvas, uncovered = np.zeros((side, side, 3), np.float32), np.ones((side, side, 1), np.float32)
    for x, y, radius, colour in zip(*published_leaves(seed, side), strict=True):
        scratch = np.zeros((side, side, 3), np.float32)
        cv2.circle(scratch, (int(x), int(y)), int(radius), colour.tolist(), -1)
        canvas += scratch * uncovered
        cv2.circle(uncovered, (int(x), int(y)), int(radius), 0, -1)
        if not uncovered.any():
            break
    return canvas + uncovered * 0.5


def paint_back_to_front(seed: int, side: int) -> np.ndarray:
    """The last leaf first, each over what lies there."""
    canvas = np.full((side, side, 3), 0.5, np.float32)
    x, y, radius, colours = (column.tolist() for column in published_leaves(seed, side))
    for index in reversed(range(len(x))):
        cv2.circle(canvas, (x[index], y[index]), radius[index], colours[index], -1)
    return canvas


def package(settings: Chart, backend: Backend = "auto") -> Callable[[int, int], np.ndarray]:
    def paint(seed: int, side: int) -> np.ndarray:
        stream = generator(seed) if settings.law == "stationary" else np.random.default_rng(np.random.SeedSequence(seed))
        return chart(settings, (side, side), stream, backend=backend).numpy().transpose(1, 2, 0)

    return paint


def same_picture(side: int) -> bool:
    """Whether the package paints what OpenCV and, where it takes no half minute, the full-canvas painter paint."""
    others = [paint_back_to_front] + ([paint_full_canvas] if FULL_CANVAS_ROUNDS[side] > 1 else [])
    return all(np.array_equal(package(PUBLISHED)(9, side), paint(9, side)) for paint in others)


def seconds(paint: Callable[[int, int], np.ndarray], seeds: range, side: int) -> tuple[float, float]:
    """CPU and wall seconds per chart."""
    cpu, wall = time.process_time(), time.perf_counter()
    for seed in seeds:
        paint(seed, side)
    return (time.process_time() - cpu) / len(seeds), (time.perf_counter() - wall) / len(seeds)


def measure(side: int) -> dict[str, object]:
    painters = {
        "limpid_stationary": (package(STATIONARY), CHARTS[side], ROUNDS),
        "limpid_published": (package(PUBLISHED), CHARTS[side], ROUNDS),
        "opencv_back_to_front": (paint_back_to_front, max(2, CHARTS[side] // 10), ROUNDS),
        "full_canvas": (paint_full_canvas, 1, FULL_CANVAS_ROUNDS[side]),
    }
    if cuda.is_available():
        painters["limpid_cuda"] = (package(STATIONARY, "cuda"), CHARTS[side] // 5, ROUNDS)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in painters}
    for turn in range(ROUNDS):
        for name, (paint, charts, rounds) in painters.items():
            if turn < rounds:
                times[name].append(seconds(paint, range(turn * charts, (turn + 1) * charts), side))
    cpu = {name: median(own for own, _ in pairs) for name, pairs in times.items()}
    wall = {name: median(passed for _, passed in pairs) for name, pairs in times.items()}
    rate = 1 / cpu["limpid_stationary"]
    return {
        "charts_per_cpu_second": {name: float(f"{1 / value:.4g}") for name, value in cpu.items()},
        "charts_per_wall_second": {name: float(f"{1 / value:.4g}") for name, value in wall.items()},
        "times_faster_than_full_canvas": round(cpu["full_canvas"] / cpu["limpid_stationary"], 1),
        "times_faster_than_opencv": round(cpu["opencv_back_to_front"] / cpu["limpid_stationary"], 2),
        "same_published_picture": same_picture(side),
        "promised": PROMISED[side],
        "kept": rate >= PROMISED[side],
    }


def main() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    for settings in (STATIONARY, PUBLISHED):
        package(settings)(0, 32)  # compile, or load what was compiled
    print(json.dumps({f"{side}x{side}": measure(side) for side in PROMISED}, indent=2))


if __name__ == "__main__":
    main()
