"""The library that reads HEIC, in a process of its own: a damaged file can crash it, and with it every photo of a batch.

Run as ``python -m limpid.image.heif_child header|decode`` with the file on standard input, it writes arrays to standard output.
"""

import io
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

_SECONDS = 120
_BLOCKS = ("exif", "xmp", "icc_profile")


class HeifError(Exception):
    """Why a file could not be decoded."""


def main_picture(data: bytes, *, decoded: bool) -> Mapping[str, np.ndarray]:
    """What the library says of the main picture of a file, and with ``decoded`` its ``rows``, in a process of its own.

    ``size``: width and height; ``exif``, ``xmp``, ``icc_profile``: bytes, ``nclx``: code points of primaries and transfer, where
    there are any; ``premultiplied``, ``others``: flags. Raises HeifError where the library refuses the file, crashes or hangs.
    """
    command = [sys.executable, "-m", __name__, "decode" if decoded else "header"]
    try:
        answer = subprocess.run(command, input=data, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise HeifError(f"its decoder did not end within {_SECONDS} s") from error
    if answer.returncode < 0:
        raise HeifError("its decoder crashed")
    if answer.returncode:
        lines = answer.stderr.decode("utf-8", "replace").split("\n")
        raise HeifError(next((line for line in reversed(lines) if line.strip()), "no reason given"))
    with np.load(io.BytesIO(answer.stdout), allow_pickle=False) as arrays:
        return dict(arrays)


def look(data: bytes, *, decoded: bool) -> dict[str, np.ndarray]:
    """What ``main_picture`` gives, in this process."""
    from pi_heif import open_heif

    photos = open_heif(data, convert_hdr_to_8bit=False)
    photo: Any = photos[photos.primary_index]
    info, tag = photo.info, photo.info.get("nclx_profile")
    said = {block: np.frombuffer(info[block], np.uint8) for block in _BLOCKS if info.get(block)}
    if tag:
        said["nclx"] = np.array([tag["color_primaries"], tag["transfer_characteristics"]], np.int64)
    others = bool(len(photos) > 1 or info.get("depth_images") or info.get("aux"))
    flags = {"premultiplied": np.array(bool(photo.premultiplied_alpha)), "others": np.array(others)}
    # rows may be longer than the photo is wide, and the memory of the library goes with it
    rows = {"rows": np.asarray(photo)[:, : photo.size[0]].copy()} if decoded else {}
    return {"size": np.array(photo.size), **said, **flags, **rows}


def main() -> None:
    """Answer the process that started this one."""
    try:
        found = look(sys.stdin.buffer.read(), decoded=sys.argv[1] == "decode")
    except Exception as fault:  # damaged files make the library raise anything at all
        raise SystemExit(str(fault) or type(fault).__name__) from None
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **found)
    sys.stdout.buffer.write(file.getbuffer())


if __name__ == "__main__":
    main()
