"""Damaged photos of every format through reading and writing; prints JSON: how many, and every one that misbehaved.

Misbehaving: any error but a PhotoError, more than 5 s, more than 1 GB on top. First argument: how many (10,000), second: seed (0).
The bytes of a miscreant are kept beside the working directory as `mutated-SEED-NUMBER.bin`. Memory is read from /proc; Linux.
"""

import io
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image
from skimage import data

from limpid.errors import PhotoError
from limpid.image.read import read
from limpid.image.write import write

SECONDS, BYTES = 5.0, 1e9
_TELLING = (b"\0", b"\xff", b"\x7f", b"\x80", b"\x01", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f")
"""What a careless reader stumbles over: limits of signed and unsigned numbers of one and four bytes, either end first."""


def sound() -> list[bytes]:
    """Small photos in every format and in many of their layouts, with EXIF and profile where they go."""
    photo = Image.fromarray(data.astronaut()).resize((48, 40))
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Maker", 6
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 14.25)})
    kept = {"exif": exif.tobytes(), "icc_profile": b"\0" * 200}
    made = [(photo, format, kept) for format in ("JPEG", "PNG", "WEBP", "AVIF")]
    made += [(photo, "JPEG", {"progressive": True}), (photo, "WEBP", {"lossless": True}), (photo, "TIFF", {"exif": exif})]
    made += [(photo.convert(mode), "PNG", {}) for mode in ("L", "LA", "P", "1", "RGBA", "I;16")]
    made += [(photo.convert(mode), "JPEG", {}) for mode in ("L", "CMYK")]
    made += [(photo.convert(mode), "TIFF", {}) for mode in ("L", "LA", "P", "1", "CMYK", "LAB", "RGBA")]
    made += [(photo, "TIFF", {"compression": name}) for name in ("tiff_lzw", "tiff_deflate", "packbits", "jpeg")]
    made += [(photo.convert(mode), "BMP", {}) for mode in ("RGB", "L", "P", "1", "RGBA")]
    made += [(photo, "GIF", {}), (photo, "GIF", {"save_all": True, "append_images": [photo.rotate(180)]})]
    files = []
    for picture, format, settings in made:
        buffer = io.BytesIO()
        picture.save(buffer, format, **settings)
        files.append(buffer.getvalue())
    samples = np.asarray(photo)
    for dtype, more in ((np.uint16, {}), (np.float32, {}), (np.uint16, {"tile": (16, 16)}), (np.uint16, {"bigtiff": True})):
        for order in "<>":
            buffer = io.BytesIO()
            scaled = samples.astype(dtype) * dtype(257 if dtype is np.uint16 else 1 / 255)
            tifffile.imwrite(buffer, scaled.astype(dtype), photometric="rgb", byteorder=order, **more)
            files.append(buffer.getvalue())
    return files


def mutants(files: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Files with bytes changed, put in, cut off, moved, and with telling numbers in places, mostly in their headers."""
    draw = np.random.default_rng(seed)
    for _ in range(count):
        mutant = bytearray(files[draw.integers(len(files))])
        for _ in range(int(draw.integers(1, 6))):
            reach = min(400, len(mutant)) if draw.random() < 0.7 else len(mutant)
            at, kind = int(draw.integers(max(reach, 1))), draw.integers(5)
            if kind == 0:
                mutant[at : at + 1] = draw.bytes(1)
            elif kind == 1:
                mutant[at:at] = draw.bytes(int(draw.integers(1, 6)))
            elif kind == 2:
                value = _TELLING[draw.integers(len(_TELLING))]
                mutant[at : at + len(value)] = value
            elif kind == 3:
                start = int(draw.integers(max(len(mutant), 1)))
                mutant[at : at + 40] = mutant[start : start + 40]
            elif draw.random() < 0.3:
                del mutant[at:]
        yield bytes(mutant)


def resident(field: str) -> int:
    """VmRSS (now) or VmHWM (the most since it was reset) of this process, bytes."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def judge(mutant: bytes, allow_truncated: bool) -> str:
    """What became of one: ``read``, ``refused``, or what was wrong."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here on
    before, started = resident("VmRSS"), time.perf_counter()
    try:
        photo = read(mutant, allow_truncated=allow_truncated)
        write(photo.pixels[:64, :64], io.BytesIO(), format=photo.format if photo.format != "GIF" else "PNG")
        became = "read"
    except PhotoError as fault:
        became = "refused" if "\n" not in str(fault) else f"more than a line: {fault}"
    except Exception as fault:  # noqa: BLE001 - this is what is looked for
        became = f"{type(fault).__name__}: {fault}"
    seconds, grown = time.perf_counter() - started, resident("VmHWM") - before
    if seconds > SECONDS:
        return f"{seconds:.1f} s ({became})"
    return f"{grown / 1e6:.0f} MB ({became})" if grown > BYTES else became


def main(count: int = 10_000, seed: int = 0) -> Counter[str]:
    became: Counter[str] = Counter()
    for number, mutant in enumerate(mutants(sound(), count, seed)):
        verdict = judge(mutant, allow_truncated=number % 2 == 1)
        became[verdict] += 1
        if verdict not in ("read", "refused"):
            Path(f"mutated-{seed}-{number}.bin").write_bytes(mutant)
    print(json.dumps({"photos": count, **became}))
    return became


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
