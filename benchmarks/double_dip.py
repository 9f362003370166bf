"""What Double-DIP makes of two textures that add up, by the number of steps; prints JSON, a line every 400 steps.

Stripes and a chequerboard of 96×96 pixels in two colours each, at half strength; the score is the mean PSNR of both layers in their
better order, and `trivial` that of half the photo for both. `python benchmarks/double_dip.py [STEPS] [SEED]`, one thread.
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


def textures() -> tuple[Tensor, Tensor]:
    """Upright stripes, red and dark, four pixels wide, and a chequerboard of twelve, blue and dark: (3, 96, 96) each, 0…1."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    stripes, board = columns // 4 % 2 > 0, (rows // 12 + columns // 12) % 2 > 0
    return _coloured(stripes, (0.9, 0.3, 0.2), (0.2, 0.1, 0.3)), _coloured(board, (0.2, 0.8, 0.9), (0.1, 0.2, 0.2))


def _coloured(pattern: np.ndarray, high: tuple[float, ...], low: tuple[float, ...]) -> Tensor:
    above, below = (np.reshape(colour, (3, 1, 1)) for colour in (high, low))
    return torch.from_numpy(np.where(pattern, above, below)).float()


def main() -> None:
    steps, seed = (int(sys.argv[place]) if len(sys.argv) > place else usual for place, usual in ((1, 2400), (2, 0)))
    torch.set_num_threads(1)
    halves = torch.cat([texture / 2 for texture in textures()])
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
