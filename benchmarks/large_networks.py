"""DSIT and RDNet, with random weights of the published sizes, on a photo of a megapixel: peak memory of the whole process.

`limpid separate` runs on a checkpoint file, so that opening it counts: whole within 6 GB, at a reduced working size within 3 GB,
and with 1 GB, less than the weights, of which a refusal in one line is expected. Usage: python benchmarks/large_networks.py
[NETWORK …]; prints JSON, a line a run; minutes each on one core, 1.3 GB of disk at a time; Linux.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

RUNS = (("6GB", "full"), ("3GB", "auto"), ("1GB", "auto"))
"""--max-memory and --resolution."""

NETWORKS = ("dsit", "rdnet")
SIZE = (1155, 866)


def checkpoint(name: str, path: Path) -> None:
    """A file of random weights."""
    from limpid import catalogue, create_model
    from limpid.checkpoints import file

    settings, network = catalogue.settings_of(catalogue.find("models", name), None), create_model(name)
    file.save(path, file.Checkpoint(model=name, settings=settings, tensors=network.state_dict(), notes={}))


def photo(path: Path) -> None:
    """Two pictures blended."""
    from PIL import Image
    from skimage import data

    scene, mirrored = (Image.fromarray(picture).resize(SIZE) for picture in (data.coffee(), data.astronaut()))
    Image.blend(scene, mirrored, 0.35).save(path, quality=92)


def child(*arguments: str) -> None:
    """Run one command and print its peak; a process of its own, since the peak is that of all its children."""
    done = subprocess.run([sys.executable, "-m", "limpid", "separate", *arguments, "-v"], capture_output=True, text=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = round(used.ru_utime + used.ru_stime)
    row = {"exit": done.returncode, "peak_gb": round(used.ru_maxrss * 1024 / 1e9, 2), "seconds": seconds}
    print(json.dumps(row | {"says": done.stderr.strip().splitlines()[-3:]}, ensure_ascii=False))


def main(names: list[str]) -> None:
    """One network after the other, each with every limit."""
    for name in names or NETWORKS:
        with tempfile.TemporaryDirectory() as folder:
            weights, picture = Path(folder) / f"{name}.safetensors", Path(folder) / "photo.jpg"
            subprocess.run([sys.executable, __file__, "--checkpoint", name, str(weights)], check=True)
            photo(picture)
            for limit, resolution in RUNS:
                shared = [str(picture), "-m", str(weights), "-o", str(Path(folder) / "out"), "--overwrite"]
                run = [sys.executable, __file__, "--child", *shared, "--max-memory", limit, "--resolution", resolution]
                cache = {"XDG_CACHE_HOME": folder}  # what forwards cost is not remembered from other runs
                done = subprocess.run(run, capture_output=True, text=True, check=True, env=os.environ | cache)
                row = {"network": name, "limit": limit, "resolution": resolution}
                print(json.dumps(row | json.loads(done.stdout), ensure_ascii=False), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*sys.argv[2:])
    elif sys.argv[1:2] == ["--checkpoint"]:
        checkpoint(sys.argv[2], Path(sys.argv[3]))
    else:
        main(sys.argv[1:])
