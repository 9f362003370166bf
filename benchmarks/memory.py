"""Peak memory and speed of `limpid separate` on JPEGs of 1, 12 and 24 megapixels, each in a process of its own; prints JSON.

Baseline: the same command with `--resolution full --tile off`, which runs the network on the whole photo at once.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data
from skimage.transform import resize

SIZES = {1: (1224, 816), 12: (4243, 2828), 24: (6000, 4000)}
SETTINGS = {
    "default": [],
    "600MB": ["--max-memory", "600MB"],
    "full": ["--resolution", "full"],
    "full 600MB": ["--resolution", "full", "--max-memory", "600MB"],
}


def photo(folder: Path, megapixels: int) -> Path:
    width, height = SIZES[megapixels]
    scene = (resize(data.coffee(), (height, width), order=1) * 255).astype(np.uint8)
    path = folder / f"{megapixels}mp.jpg"
    Image.fromarray(scene).save(path, quality=92)
    return path


def measured(path: Path, options: list[str]) -> dict[str, float]:
    command = [sys.executable, "-m", "limpid", "separate", str(path), "--overwrite", "-q", *options]
    started = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    with Image.open(path.with_suffix(".transmission.jpg")) as written, Image.open(path) as read:
        if written.size != read.size:
            raise SystemExit(f"{written.size} came out of {read.size}")
    return {"peak_rss_gb": round(usage.ru_maxrss * 1024 / 1e9, 3), "seconds": round(seconds, 2)}


def main() -> None:
    baseline = "full whole" if "--baseline" in sys.argv else None
    settings = {**SETTINGS, **({baseline: ["--resolution", "full", "--tile", "off"]} if baseline else {})}
    with tempfile.TemporaryDirectory() as folder:
        for megapixels in SIZES:
            path = photo(Path(folder), megapixels)
            for name, options in settings.items():
                row = measured(path, options)
                row["seconds_per_megapixel"] = round(row["seconds"] / megapixels, 3)
                print(json.dumps({"megapixels": megapixels, "settings": name, **row}), flush=True)


if __name__ == "__main__":
    main()
