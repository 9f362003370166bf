"""What forwards of the shipped networks cost, as `weights/manifest.json` states it under `costs`; prints JSON.

Bytes: activations alive at once on 384×384 pixels. Work: time on 384×384 pixels by that of `seconds_of_work`, the least of three
tries, of the process's own time on one thread. Bytes are counted in both precisions, work in float32: that of bfloat16 needs a
processor that has it.
"""

import json
import time
from collections.abc import Callable
from unittest import mock

import torch

from limpid import load
from limpid.runtime import cost
from limpid.weights import manifest

SIDE = 384


def least(work: Callable[[], object], tries: int = 3) -> float:
    times = []
    for _ in range(tries):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def main() -> None:
    torch.set_num_threads(1)
    with mock.patch("time.perf_counter", time.process_time):  # other processes of the machine do not count
        unit = min(cost.seconds_of_work(torch.device("cpu"), "float32") for _ in range(3))
    for name, row in manifest.rows().items():
        costs = {}
        for precision in load(name).network.needs.precisions:
            separator = load(name, precision=precision)
            photo = torch.rand(3, SIDE, SIDE)
            separator.known_cost = None
            separator.sha256 = None  # so that nothing is remembered
            separator.run(photo)
            costs[precision] = {"live_bytes": round(separator.cost.bytes_per_pixel / cost.MARGIN), "work": None}
            if precision == "float32":
                pixels = SIDE * SIDE
                costs[precision]["work"] = float(f"{least(lambda: separator.run(photo)) / pixels / unit:.3g}")  # noqa: B023
        for values in costs.values():
            values["work"] = values["work"] or costs["float32"]["work"]
        print(json.dumps({"weights": name, "model": row.model, "costs": costs}), flush=True)


if __name__ == "__main__":
    main()
