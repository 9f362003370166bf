"""What Double-DIP makes of two textures that add up, by the number of steps; prints JSON, a line every 400 steps.

Stripes and a chequerboard of 96×96 pixels in random colours, each at half strength; the score is the mean PSNR of both layers in
their better order, and `trivial` that of half the photo for both. `python benchmarks/double_dip.py [STEPS] [SEED]`, one thread.
"""

import json
import sys
import time

import numpy as np
import torch
from torch import Tensor

from limpid.metrics.psnr_permuted import psnr_permuted
from limpid.runtime.double_dip import Drawn, fit_layers

SIDE = 96
EVERY = 400


def textures(seed: int) -> tuple[Tensor, Tensor]:
    """Stripes at any angle and a chequerboard, (3, 96, 96), 0…1."""
    draw = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    angle, cells = draw.uniform(0, np.pi), draw.integers(8, 16)
    stripes = np.sin((columns * np.cos(angle) + rows * np.sin(angle)) * 2 * np.pi / draw.uniform(6, 10)) > 0
    board = (rows // cells + columns // cells) % 2 > 0
    return tuple(_coloured(pattern, draw) for pattern in (stripes, board))  # type: ignore[return-value]


def _coloured(pattern: np.ndarray, draw: np.random.Generator) -> Tensor:
    low, high = draw.uniform(0.0, 0.4, (3, 1, 1)), draw.uniform(0.6, 1.0, (3, 1, 1))
    return torch.from_numpy(np.where(pattern, high, low)).float()


def main() -> None:
    steps, seed = (int(sys.argv[place]) if len(sys.argv) > place else usual for place, usual in ((1, 2400), (2, 0)))
    torch.set_num_threads(1)
    halves = torch.cat([texture / 2 for texture in textures(seed)])
    photo, started = halves[:3] + halves[3:], time.process_time()
    trivial = psnr_permuted(torch.cat([photo / 2, photo / 2]), halves)

    def told(step: int, best: Drawn) -> None:
        if step % EVERY == 0:
            score = psnr_permuted(torch.cat(best.layers), halves)
            row = {"seed": seed, "step": step, "psnr": score, "trivial": trivial, "gain": score - trivial, "sum": best.psnr}
            row = {name: round(value, 2) for name, value in row.items()} | {"cpu_s": round(time.process_time() - started)}
            print(json.dumps(row), flush=True)

    fit_layers(photo, steps=steps, seed=seed, seen=told)


if __name__ == "__main__":
    main()
