"""The field's four numbers against the usual way of computing them, 100 photos of 224×224, one thread; prints JSON.

Baseline: PSNR and NCC in numpy, scikit-image's SSIM, and LMSE as a loop over windows, as published evaluation code has it. Rounds
of both alternate, so that other work on the machine slows both alike; rates are medians over the rounds. Also how much memory one
photo of 2304×3456 adds. Promise: at least 10 photos a second.
"""

import json
import resource
import time
from collections.abc import Callable
from statistics import median

import cv2
import numpy as np
import psutil
import torch
from skimage.metrics import structural_similarity

from limpid.metrics.lmse import lmse
from limpid.metrics.ncc import ncc
from limpid.metrics.psnr import psnr
from limpid.metrics.ssim import ssim
from limpid.physics.seeds import generator

SIDE, PHOTOS, ROUNDS = 224, 100, 5
LARGE = (2304, 3456)
WINDOW, STEP = 20, 10

Pair = tuple[np.ndarray, np.ndarray]


def pairs(count: int, size: tuple[int, int]) -> list[Pair]:
    """Estimates and targets, (3, H, W), float32, 0…1."""
    draw = generator(6, "pairs", *size)
    made = []
    for _ in range(count):
        target = cv2.resize(draw.random((24, 32, 3), dtype=np.float32), size[::-1], interpolation=cv2.INTER_LINEAR)
        estimate = 0.8 * target + 0.2 * draw.random(target.shape, dtype=np.float32)
        made.append((np.ascontiguousarray(estimate.transpose(2, 0, 1)), np.ascontiguousarray(target.transpose(2, 0, 1))))
    return made


def ours(pair: Pair) -> tuple[float, ...]:
    estimate, target = (torch.from_numpy(photo) for photo in pair)
    return psnr(estimate, target), ssim(estimate, target), ncc(estimate, target), lmse(estimate, target)


def naive(pair: Pair) -> tuple[float, ...]:
    estimate, target = (photo.astype(np.float64) for photo in pair)
    decibels = np.mean([10 * np.log10(1 / np.mean((x - y) ** 2)) for x, y in zip(estimate, target, strict=True)])
    structure = structural_similarity(target, estimate, data_range=1.0, channel_axis=0)
    x, y = (estimate - estimate.mean()) / estimate.std(), (target - target.mean()) / target.std()
    missed = total = 0.0
    for x_band, y_band in zip(estimate, target, strict=True):
        for top in range(0, x_band.shape[0] - WINDOW + 1, STEP):
            for left in range(0, x_band.shape[1] - WINDOW + 1, STEP):
                part = np.s_[top : top + WINDOW, left : left + WINDOW]
                alpha = np.sum(x_band[part] * y_band[part]) / np.sum(x_band[part] ** 2)
                missed += np.sum((y_band[part] - alpha * x_band[part]) ** 2)
                total += np.sum(y_band[part] ** 2)
    return float(decibels), float(structure), float(np.mean(x * y)), float(missed / total)


def rate(measure: Callable[[Pair], object], photos: list[Pair]) -> float:
    begin = time.perf_counter()
    for pair in photos:
        measure(pair)
    return len(photos) / (time.perf_counter() - begin)


def peak() -> float:
    """Largest resident size of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def large() -> dict[str, float]:
    """Seconds for one large photo, and memory beyond the photo itself at most."""
    photo = pairs(1, LARGE)[0]
    before, begin = psutil.Process().memory_info().rss / 2**20, time.perf_counter()
    ours(photo)
    return {"seconds": round(time.perf_counter() - begin, 2), "megabytes more": round(peak() - before)}


def main() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    photos = pairs(PHOTOS, (SIDE, SIDE))
    difference = max(abs(a - b) for pair in photos[:5] for a, b in zip(ours(pair), naive(pair), strict=True))
    fast, slow = [], []
    for _ in range(ROUNDS):
        fast.append(rate(ours, photos))
        slow.append(rate(naive, photos))
    result = {
        "photos per second": round(median(fast), 1),
        "slowest round": round(min(fast), 1),
        "naive photos per second": round(median(slow), 1),
        "ratio": round(median(one / other for one, other in zip(fast, slow, strict=True)), 2),
        "largest difference": float(f"{difference:.1e}"),
        "2304x3456": large(),
        "promise": 10,
        "kept": median(fast) >= 10,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
