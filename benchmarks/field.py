"""Seconds and peak memory of one 512×512 photo through every network, each in a process of its own with random weights.

Usage: python benchmarks/field.py [NETWORK …]; adds what it measures to docs/field.json, network by network. What stands there of
this machine is not measured again unless it is named, so that a run that was stopped goes on; on another machine all begins anew.
Seconds are of processor time on one thread, bytes the peak of the whole process, weights and libraries included; Linux.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "docs" / "field.json"
SIDE = 512
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def child(name: str) -> None:
    """Build the first size of a network, run one photo and print what it took."""
    import torch

    from limpid import create_model

    network, photo = create_model(name).eval(), torch.rand(1, 3, SIDE, SIDE)
    with torch.inference_mode():
        started = time.process_time()
        network(photo)
    spent = time.process_time() - started
    print(json.dumps({"seconds": round(spent, 1), "bytes": 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))


def machine() -> str:
    """The processor by its name, and PyTorch, which the numbers depend on as well."""
    from importlib.metadata import version

    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{named}, one thread, PyTorch {version('torch')}"


def known(here: str) -> dict[str, Any]:
    """What was measured on this machine, nothing where the file speaks of another."""
    found = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    return found if found.get("machine") == here else {"machine": here, "costs": {}}


def main(names: list[str]) -> int:
    """Measure the named networks, or all that are missing; returns how many could not be measured."""
    from limpid import list_models

    found, failed = known(machine()), 0
    for name in names or [name for name in list_models() if name not in found["costs"]]:
        run = [sys.executable, __file__, "--child", name]
        done = subprocess.run(run, capture_output=True, text=True, env=os.environ | ONE_THREAD)
        if done.returncode:
            failed += 1
            print(name, "could not be measured:", done.stderr.strip().rpartition("\n")[2], file=sys.stderr, flush=True)
            continue
        found["costs"][name] = json.loads(done.stdout)
        found["date"] = datetime.now(UTC).date().isoformat()
        print(name, found["costs"][name], flush=True)
        RESULTS.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return failed


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2])
    else:
        sys.exit(main(sys.argv[1:]) > 0)
