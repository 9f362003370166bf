"""Separation at working resolution, rebuilt, against `--resolution full`, on photos whose layers are known; prints JSON.

The scene behind the glass is a mosaic of four Kodak photos (1536×1024 pixels, detail down to the pixel), the reflected one a fifth,
enlarged twice and mixed by `glass` with soft or sharp reflections. A row per kind: PSNR and SSIM of the transmission, mean over
scenes, for the untouched photo and both ways, and seconds. Usage: python benchmarks/resolution.py [KODAK] [PICTURES]; scenes go
to PICTURES as input, truth, auto and full.
"""

import json
import sys
import time
from pathlib import Path
from statistics import mean, median

import torch
import torch.nn.functional as F
from torch import Tensor

from limpid import load, read
from limpid.catalogue import find
from limpid.image.write import write
from limpid.metrics.psnr import psnr
from limpid.metrics.ssim import ssim
from limpid.physics.seeds import generator

KINDS = {"soft": (6.0, 10.0), "medium": (2.0, 4.0), "sharp": (0.3, 1.0)}
MOST = 5  # scenes


def mosaic(photos: list[Tensor]) -> Tensor:
    return torch.cat([torch.cat(photos[:2], 2), torch.cat(photos[2:4], 2)], 1)


def scenes(folder: Path, defocus: tuple[float, float]) -> list[tuple[Tensor, Tensor]]:
    photos = [photo for path in sorted(folder.glob("*.png")) if (photo := read(path).tensor()).shape == (3, 512, 768)]
    formation = find("mixtures", "glass").build(defocus=defocus, brightness=(4.0, 12.0))
    found = []
    for number in range(min(MOST, len(photos) // 5)):
        *behind, mirrored = photos[5 * number : 5 * number + 5]
        draw = generator(7, number, "resolution")
        truth = mosaic(behind)
        other = F.interpolate(mirrored[None], scale_factor=2, mode="bicubic")[0].clamp(0, 1)
        mixture = formation.apply(truth, other, formation.draw(draw, (1024, 1536)))
        found.append((mixture.input, mixture.transmission))
    return found


def main() -> None:
    kodak = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "shared" / "data" / "kodak24"
    separator = load()
    rows, count = [], 0
    for kind, defocus in KINDS.items():
        scores: dict[str, list[tuple[float, float]]] = {"input": [], "auto": [], "full": []}
        seconds: dict[str, list[float]] = {"auto": [], "full": []}
        for number, (mixed, truth) in enumerate(scenes(kodak, defocus)):
            scores["input"].append((psnr(mixed, truth), ssim(mixed, truth)))
            shown = {"input": mixed, "truth": truth}
            for way in ("auto", "full"):
                begin = time.perf_counter()
                shown[way] = separator(mixed, resolution=way)["transmission"]
                seconds[way].append(time.perf_counter() - begin)
                scores[way].append((psnr(shown[way], truth), ssim(shown[way], truth)))
            if len(sys.argv) > 2:
                keep(Path(sys.argv[2]), f"{kind}_{number}", shown)
        means = {
            way: {"psnr": round(mean(p for p, _ in found), 2), "ssim": round(mean(s for _, s in found), 4)}
            for way, found in scores.items()
        }
        count = len(scores["input"])
        rows.append({"reflections": kind, **means, "seconds": {way: round(median(took), 1) for way, took in seconds.items()}})
    print(json.dumps({"scenes": count, "size": "1536×1024", "threads": torch.get_num_threads(), "rows": rows}, indent=2))


def keep(folder: Path, name: str, shown: dict[str, Tensor]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for way, picture in shown.items():
        write(picture, folder / f"{name}_{way}.png", overwrite=True)


if __name__ == "__main__":
    main()
