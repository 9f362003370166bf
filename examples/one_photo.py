"""Take the reflection off one photo: ``python examples/one_photo.py PHOTO`` writes both layers beside it."""

import sys
from pathlib import Path

import limpid


def separate(path: Path, *, strength: float = 1.0) -> list[Path]:
    """Write ``STEM.transmission.EXT`` and ``STEM.reflection.EXT`` with the metadata of the photo; returns their paths."""
    photo = limpid.read(path)
    layers = limpid.separate(path, strength=strength)
    written = []
    for name in ("transmission", "reflection"):
        target = path.with_stem(f"{path.stem}.{name}")
        written.append(limpid.write(layers[name], target, like=photo, overwrite=True).path)
    if layers.confidence == 0:
        print("nothing to remove was found; the photo comes back as it was")
    return written


if __name__ == "__main__":
    print(*separate(Path(sys.argv[1])), sep="\n")
