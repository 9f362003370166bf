"""What a reflection remover gains on large photos: photographs of 900 px behind reflections of one another, made in linear light.

Transmission T, reflection a·G_σ(R), a 0.25…0.8, σ 1…9 px, sum clipped; PSNR of the transmission against T, gain over the untouched
input, with the network followed everywhere (``force``) and as it answers by itself. Prints JSON, a line a pair.
Usage: python benchmarks/large_blends.py [MODEL] [FOLDER] [COUNT]; FOLDER holds at least three large clean photos.
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import torch

from limpid import load
from limpid.data.decode import pixels
from limpid.image.formats import is_photo
from limpid.image.size import fit, shrink
from limpid.metrics.psnr_joint import psnr_joint

_SIDE, _GAMMA, _NEXT = 900, 2.2, 2


def photo(path: Path) -> np.ndarray:
    picture = pixels(path)
    return shrink(picture, *fit(picture.shape[0], picture.shape[1], _SIDE)) / 255.0


def blend(scene: np.ndarray, mirrored: np.ndarray, amount: float, sigma: float) -> np.ndarray:
    """A photo (H, W, 3), uint8, of two, 0…1."""
    beside = cv2.resize(mirrored, (scene.shape[1], scene.shape[0]), interpolation=cv2.INTER_AREA)
    light = scene**_GAMMA + amount * cv2.GaussianBlur(beside**_GAMMA, (0, 0), sigma)
    return (np.clip(light, 0, 1) ** (1 / _GAMMA) * 255 + 0.5).astype(np.uint8)


def main() -> None:
    separator = load(sys.argv[1] if len(sys.argv) > 1 else "default")
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parents[2] / "shared" / "data" / "clean_large"
    paths = sorted(path for path in folder.rglob("*") if is_photo(path))[: int(sys.argv[3]) if len(sys.argv) > 3 else 6]
    if len(paths) <= _NEXT:
        print(json.dumps({"skipped": f"{folder} holds {len(paths)} photos; at least {_NEXT + 1} are needed"}))
        return
    draw, gains = np.random.default_rng(5), []
    for place, path in enumerate(paths):
        scene, mirrored = photo(path), photo(paths[(place + _NEXT) % len(paths)])
        sigma, amount = draw.uniform(1, 9), draw.uniform(0.25, 0.8)
        mixed = blend(scene, mirrored, amount, sigma)
        truth = torch.from_numpy(scene).permute(2, 0, 1)
        before = psnr_joint(torch.from_numpy(mixed).permute(2, 0, 1) / 255, truth)
        answers = [separator(mixed, force=force) for force in (True, False)]
        forced, own = (psnr_joint(answer.transmission, truth) - before for answer in answers)
        gains.append((forced, own))
        row = {"photo": path.name, "sigma": round(sigma, 1), "amount": round(amount, 2), "input": round(before, 2)}
        print(json.dumps({**row, "forced": round(forced, 2), "gain": round(own, 2), "confidence": round(answers[1].confidence, 2)}))
    forced, own = np.mean(gains, axis=0)
    print(json.dumps({"pairs": len(gains), "mean gain, forced": round(float(forced), 2), "mean gain": round(float(own), 2)}))


if __name__ == "__main__":
    main()
