"""Peak resident memory of `limpid evaluate` on one 2304×3456 pair, the size that broke other code, with ERRNet's hypercolumn; JSON.

Weights are random, those of the backbone too, since only memory and time count. The command runs in a process of its own with one
thread, an hour or so; the peak is that of its whole life, imports included. Promise: below 3 GB.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from limpid import create_model
from limpid.checkpoints import file
from limpid.physics.seeds import generator

HEIGHT, WIDTH = 2304, 3456
PROMISE = 3.0  # GB


def pair(folder: Path) -> None:
    """Write one input with its truth in the tidy layout."""
    draw = generator(6, "evaluate")
    truth, veil = (cv2.resize(draw.random((24, 36, 3), dtype=np.float32), (WIDTH, HEIGHT)) for _ in range(2))
    for name, photo in (("blended", 0.8 * truth + 0.2 * veil), ("transmission_layer", truth)):
        (folder / name).mkdir(parents=True)
        cv2.imwrite(str(folder / name / "large.png"), (255 * photo).round().astype(np.uint8))


def weights(path: Path) -> None:
    """Write a checkpoint of ERRNet with a hypercolumn, random."""
    torch.manual_seed(0)
    network = create_model("errnet", "hypercolumn")
    tensors = {name: tensor for name, tensor in network.state_dict().items() if not name.startswith("backbone.")}
    file.save(path, file.Checkpoint(model="errnet", settings={}, tensors=tensors, notes={}))


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pair(folder / "set")
        weights(folder / "errnet.safetensors")
        command = [sys.executable, "-m", "limpid", "evaluate", "-m", f"errnet={folder / 'errnet.safetensors'}"]
        command += ["--on", f"large={folder / 'set'}", "--report", str(folder / "out"), "--backbone-weights", "none"]
        command += ["--traces", "none", "--quiet", *sys.argv[1:]]
        started = time.perf_counter()
        subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
        scores = json.loads((folder / "out" / "results.json").read_text(encoding="utf-8"))["scores"]
        network = next(score for score in scores if score["model"] == "errnet")
        result = {
            "size": [HEIGHT, WIDTH],
            "seconds": round(seconds, 1),
            "seconds of the network": round(network["seconds"], 1),
            "gb of the process": round(peak, 2),
            "gb the network adds": round(network["peak_bytes"] / 1e9, 2),
            "psnr": round(network["values"]["psnr"], 2),
            "promise": PROMISE,
            "kept": peak < PROMISE,
        }
        print(json.dumps(result))


if __name__ == "__main__":
    main()
