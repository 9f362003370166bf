"""Peak memory of `limpid separate`, planned and measured, each photo in a process of its own; prints JSON, a line a photo.

Measured: the peak of resident memory above a process that has the command line's modules imported and no weights loaded, which
is what `--max-memory` limits. `ratio` is planned by measured; `within` says that the limit was kept, or that a warning said what
is needed. `python benchmarks/memory.py [MEGAPIXELS,…] [LIMIT,…] [FORMAT,…] [auto,full,…] [TASK]`, all sizes by default; Linux.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from skimage import data

SIZES = {0.1: (387, 258), 2: (1732, 1155), 12: (4243, 2828), 24: (6000, 4000), 60: (9487, 6325)}
LIMITS = ("400MB", "600MB", "1GB", "2GB")
FORMATS = ("jpg", "png", "avif")
RESOLUTIONS = ("auto", "full")


def photo(folder: Path, megapixels: float) -> Path:
    """A JPEG behind glass, so that the network has something to do."""
    size = SIZES[megapixels]
    path = folder / f"{megapixels:g}mp.jpg"
    scene, mirrored = (Image.fromarray(picture).resize(size) for picture in (data.coffee(), data.astronaut()))
    Image.blend(scene, mirrored, 0.35).save(path, quality=92)
    return path


def resident(field: str) -> float:
    """A line of this process's status, VmHWM for the most that was resident so far, MB."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024 / 1e6


def run(path: str, limit: str, format: str, resolution: str, task: str) -> None:
    """What one process does: the work of `limpid separate`, and a report on it."""
    import limpid.cli.main  # noqa: F401
    from limpid.files import parse_bytes
    from limpid.runtime.batch import run_jobs
    from limpid.runtime.options import PhotoOptions
    from limpid.runtime.photo_jobs import plan_jobs

    before = resident("VmHWM")  # what is resident now may be less: systems take back pages of code that rest
    folder = str(Path(path).parent / "out")
    options = PhotoOptions(
        photos=[path], output=folder, max_memory=parse_bytes(limit), format=format, resolution=resolution, overwrite=True
    )
    (report,) = run_jobs(plan_jobs(options, task), options, task)
    assert report.error is None, report.error
    measured, allowed = resident("VmHWM") - before, parse_bytes(limit) / 1e6
    planned, seconds = (float(value) for value in re.findall(r"about (\d+) MB and ([\d.]+) s", report.plan)[0])
    warned = any("more than the" in warning for warning in report.warnings)
    row = {"plan": report.plan, "measured_mb": round(measured), "ratio": round(planned / measured, 2)}
    row |= {"within": warned or measured <= allowed, "warned": warned, "seconds": report.seconds, "planned_seconds": seconds}
    print(json.dumps(row))


def main() -> None:
    wanted = dict(enumerate(sys.argv[1:]))
    sizes = [float(size) for size in wanted[0].split(",")] if 0 in wanted else list(SIZES)
    limits, formats, resolutions = (
        wanted[index].split(",") if index in wanted else every for index, every in ((1, LIMITS), (2, FORMATS), (3, RESOLUTIONS))
    )
    with tempfile.TemporaryDirectory() as folder:
        for megapixels in sizes:
            path = photo(Path(folder), megapixels)
            for limit, format, resolution in ((a, b, c) for a in limits for b in formats for c in resolutions):
                arguments = [str(path), limit, format, resolution, wanted.get(4, "reflection")]
                child = subprocess.run([sys.executable, __file__, "--child", *arguments], capture_output=True, text=True)
                if child.returncode:
                    raise SystemExit(child.stderr)
                row = {"megapixels": megapixels, "limit": limit, "format": format, "resolution": resolution}
                print(json.dumps(row | json.loads(child.stdout)), flush=True)


if __name__ == "__main__":
    run(*sys.argv[2:]) if sys.argv[1:2] == ["--child"] else main()
