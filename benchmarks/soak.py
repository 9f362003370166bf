"""Growth of resident memory over 1,000 photos through one Separator; prints JSON. Number of photos: first argument."""

import gc
import json
import sys

import psutil
import torch

from limpid import load


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    separator, process = load(), psutil.Process()
    generator = torch.Generator().manual_seed(0)
    marks = {}
    for index in range(count + 1):
        height, width = (int(torch.randint(64, 200, (1,), generator=generator)) for _ in range(2))
        separator(torch.rand(3, height, width, generator=generator))
        if index in (min(50, count // 10), count):  # the allocator has settled after the first photos
            gc.collect()
            marks[index] = process.memory_info().rss
    first, last = marks.values()
    print(json.dumps({"photos": count, "rss_mb": round(last / 1e6), "growth_mb": round((last - first) / 1e6, 1)}))


if __name__ == "__main__":
    main()
