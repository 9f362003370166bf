"""The pair synthesiser against the published way of doing it, one thread; prints JSON.

Same specification on both sides: a random window of each of two photos in memory is brought to 224 x 224, flipped at times, and
blended by the screen formation (Hu & Guo, ICCV 2023). The baseline follows the published code: the crop as float64,
resized in float64, then a two-dimensional convolution per channel by SciPy. Rounds of both alternate, so that other work on the
machine slows both alike; the rates are medians over the rounds. Promise: at least 100 items a second.
"""

import json
import time
from collections.abc import Callable
from statistics import median

import cv2
import numpy as np
import torch
from scipy.signal import convolve2d

from limpid.data.augment import Augment
from limpid.data.sources.mixture import MixedPairs
from limpid.data.stream import Stream
from limpid.physics.mixtures.screen import Screen
from limpid.physics.seeds import generator

SIDE, SMALLEST, PHOTOS, ROUNDS, ITEMS = 224, 224, 24, 9, 25
SEED = 5
AUGMENT = Augment(window=SMALLEST, stretch=SIDE)


def smooth_photos() -> list[np.ndarray]:
    """Random photos of the size of VOC's, smooth as real ones are."""
    draw = generator(SEED, "photos")
    coarse = draw.integers(0, 256, (PHOTOS, 24, 32, 3), dtype=np.uint8)
    return [cv2.resize(grid, (500, 375), interpolation=cv2.INTER_CUBIC) for grid in coarse]


def naive_crop(photo: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    drawn = AUGMENT.draw(draw, (photo.shape[0], photo.shape[1]))
    left, top, right, bottom = map(int, drawn["box"])
    whole = photo.astype(np.float64) / 255
    crop = whole[top:bottom, left:right]
    method = cv2.INTER_AREA if bottom - top > SIDE else cv2.INTER_CUBIC
    resized = cv2.resize(np.ascontiguousarray(crop), (SIDE, SIDE), interpolation=method)
    return resized[:, ::-1] if drawn["flip"] else resized


def naive_item(photos: list[np.ndarray], index: int) -> np.ndarray:
    """The photo through glass of item ``index``, (224, 224, 3), from the same draws as the stream."""
    draw = generator(SEED, 0, index, "item")
    draw.choice(1, p=[1.0])  # which source
    place = int(draw.integers(len(photos)))
    other = (place + int(draw.integers(1, len(photos)))) % len(photos)
    behind = naive_crop(photos[place], draw)
    draw.random()  # whether the item is a clean one
    mirrored = naive_crop(photos[other], draw)
    draw.choice(1, p=[1.0])  # which formation
    drawn = Screen(share=1.0).draw(draw, (SIDE, SIDE))
    offsets = np.arange(drawn["kernel"]) - drawn["kernel"] // 2
    profile = np.exp(-(offsets**2) / (2 * drawn["sigma"] ** 2))
    window = np.outer(profile, profile) / profile.sum() ** 2
    soft = np.stack([convolve2d(mirrored[..., channel], window, mode="same") for channel in range(3)], axis=-1)
    t, r = drawn["transmission_gain"] * behind, drawn["reflection_gain"] * soft
    return t + r - t * r


def rate(make: Callable[[int], object], start: int) -> float:
    begin = time.perf_counter()
    for index in range(start, start + ITEMS):
        make(index)
    return ITEMS / (time.perf_counter() - begin)


def main() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    photos = smooth_photos()
    blends = MixedPairs(photos, mixtures=[(Screen(share=1.0), 1.0)], augment=AUGMENT, seed=SEED, partner="random")
    pairs = Stream([(blends, 1.0)], epochs=1, seed=SEED, length=10**6)
    difference = max(
        float(np.abs(pairs[index].input.permute(1, 2, 0).numpy() - naive_item(photos, index)).max()) for index in range(5)
    )
    fast, naive = [], []
    for number in range(ROUNDS):
        fast.append(rate(pairs.__getitem__, number * ITEMS))
        naive.append(rate(lambda index: naive_item(photos, index), number * ITEMS))
    result = {
        "items per second": round(median(fast), 1),
        "slowest round": round(min(fast), 1),
        "naive items per second": round(median(naive), 1),
        "ratio": round(median(one / other for one, other in zip(fast, naive, strict=True)), 2),
        "largest difference": round(difference, 5),
        "promise": 100,
        "kept": median(fast) >= 100,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
