"""Quality of a reflection model: PSNR on CEILNet's 100 synthetic test pairs, and how little clean Kodak photos change; prints JSON.

Protocol: specs/evaluation.md §3 'PSNR-bandwise', prediction clamped and not rounded, each band capped at 100 dB, mean over images.
Usage: python benchmarks/reflection.py [MODEL] [DATA]; DATA holds ceilnet_synthetic/{blended,transmission_layer} and kodak24/.
"""

import json
import sys
from pathlib import Path

from limpid import load, read
from limpid.metrics.psnr import psnr
from limpid.metrics.psnr_joint import psnr_joint
from limpid.runtime.separator import Separator


def pairs(separator: Separator, folder: Path) -> dict[str, object]:
    scores = []
    for path in sorted((folder / "blended").glob("*.png")):
        mixed, truth = read(path).tensor(), read(folder / "transmission_layer" / path.name).tensor()
        ours = separator(mixed)["transmission"]
        scores.append((psnr(ours, truth), psnr_joint(ours, truth), psnr(mixed, truth), psnr(0.8 * mixed, truth)))
    if not scores:
        return {"skipped": f"{folder} holds no pairs"}
    names = ("psnr", "psnr_joint", "untouched", "input_times_0.8")
    means = {name: round(sum(column) / len(scores), 4) for name, column in zip(names, zip(*scores, strict=True), strict=True)}
    return {"images": len(scores), **means}


def clean(separator: Separator, folder: Path) -> dict[str, object]:
    scores = {path.name: psnr(separator(path)["transmission"], read(path).tensor()) for path in sorted(folder.glob("*.png"))}
    if not scores:
        return {"skipped": f"{folder} holds no photos"}
    worst = {name: round(score, 2) for name, score in sorted(scores.items(), key=lambda item: item[1])[:5]}
    return {"images": len(scores), "psnr_to_input": round(sum(scores.values()) / len(scores), 2), "worst": worst}


def main() -> None:
    separator = load(sys.argv[1] if len(sys.argv) > 1 else "default")
    data = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parents[2] / "shared" / "data"
    who = {"model": separator.name, "precision": separator.precision}
    print(json.dumps({**who, "data": "ceilnet_synthetic", **pairs(separator, data / "ceilnet_synthetic")}))
    print(json.dumps({**who, "data": "kodak24, clean", **clean(separator, data / "kodak24")}))


if __name__ == "__main__":
    main()
