"""Seconds and peak memory of one 512×512 photo through every network against reflections, each in a process of its own.

Usage: python benchmarks/field.py [NETWORK …]; adds what it measures to docs/field.json. Weights are random: they cost the same.
"""

import json
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "field.json"
SIDE = 512


def child(name: str) -> None:
    """Build the published size, run one photo and print what it took."""
    import torch

    from limpid import create_model

    with torch.device("meta"):
        network = create_model(name).eval()
    network.to_empty(device="cpu")
    for tensor in network.state_dict().values():
        tensor.fill_(1e-3)
    photo = torch.rand(1, 3, SIDE, SIDE)
    with torch.inference_mode():
        started = time.process_time()
        network(photo)
    spent = time.process_time() - started
    print(json.dumps({"seconds": round(spent, 1), "bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))


def main(names: list[str]) -> None:
    """Measure the named networks, or all against reflections."""
    from limpid import list_models

    found = json.loads(PAGE.read_text(encoding="utf-8")) if PAGE.is_file() else {"machine": "", "costs": {}}
    found["machine"] = f"{platform.machine()} CPU, one thread, seconds of processor time"
    for name in names or list_models("reflection"):
        done = subprocess.run([sys.executable, __file__, "--child", name], capture_output=True, text=True, check=True)
        found["costs"][name] = json.loads(done.stdout)
        print(name, found["costs"][name], flush=True)
        PAGE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2])
    else:
        main(sys.argv[1:])
