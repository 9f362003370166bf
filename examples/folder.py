"""A whole folder with one network, loaded once: ``python examples/folder.py PHOTOS OUT``; the tree below PHOTOS is kept.

The command ``limpid separate PHOTOS -o OUT --jobs 3`` does the same and more; this shows the parts.
"""

import sys
from pathlib import Path

import limpid
from limpid.image.find import find


def separate_all(photos: Path, out: Path) -> dict[Path, str]:
    """Write the transmission of every photo below ``photos``; returns what was wrong with those that could not be done."""
    separator, failed = limpid.load(), {}
    for found in find([photos]).photos:
        target = out / found.path.relative_to(found.root)
        try:
            photo = limpid.read(found.path)
            limpid.write(separator(photo).transmission, target, like=photo, overwrite=True)
        except limpid.LimpidError as error:  # one bad photo does not stop the rest
            failed[found.path] = str(error)
    return failed


if __name__ == "__main__":
    for message in separate_all(Path(sys.argv[1]), Path(sys.argv[2])).values():
        print(message, file=sys.stderr)
