"""PSNR of a model on CEILNet's 100 synthetic test pairs beside the untouched input and the input times 0.8; prints JSON.

Protocol: specs/evaluation.md §3 'PSNR-bandwise', prediction clamped and not rounded, each band capped at 100 dB, mean over images.
Usage: python benchmarks/ceilnet.py [MODEL] [FOLDER]; the folder holds blended/ and transmission_layer/.
"""

import json
import sys
from pathlib import Path

from limpid import load, read
from limpid.metrics.psnr import psnr


def main() -> None:
    model = sys.argv[1] if len(sys.argv) > 1 else "default"
    default = Path(__file__).parents[2] / "shared" / "data" / "ceilnet_synthetic"
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else default
    paths = sorted((folder / "blended").glob("*.png"))
    if not paths:
        print(json.dumps({"skipped": f"{folder} holds no pictures"}))
        return
    separator, scores = load(model), []
    for path in paths:
        mixed, truth = read(path).tensor(), read(folder / "transmission_layer" / path.name).tensor()
        ours = separator(mixed)["transmission"]
        scores.append((psnr(ours, truth), psnr(ours, truth, joint=True), psnr(mixed, truth), psnr(0.8 * mixed, truth)))
    names = ("psnr", "psnr_joint", "untouched", "input_times_0.8")
    means = {name: round(sum(column) / len(scores), 4) for name, column in zip(names, zip(*scores, strict=True), strict=True)}
    print(json.dumps({"model": separator.name, "precision": separator.precision, "images": len(scores), **means}))


if __name__ == "__main__":
    main()
