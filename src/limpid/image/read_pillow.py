"""Photos of 8 bits, decoded by Pillow: most formats take this road, and so do Pillow images from memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from limpid.image import cicp, exif, isobmff
from limpid.image.decoded import CutShortError, Decoded, Described, Header, check_size, split_alpha
from limpid.image.icc import to_rgb
from limpid.layers.pixels import Pixels

# Each is opened by its own class: no other parser can ever run, and Pillow's process-wide pixel limit and warning,
# which know nothing of --max-pixels, stay out of the way. The size is checked below before anything is decoded.
_READERS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "WEBP": WebPImageFile,
    "TIFF": TiffImageFile,
    "BMP": BmpImageFile,
    "AVIF": AvifImageFile,
    "GIF": GifImageFile,
}
_JPEG_END = b"\xff\xd9"
_IPTC, _BROKEN = 0x0404, "broken exif"


def header(file: BinaryIO, *, name: str, format: str, max_pixels: int) -> Header:
    """Size and metadata of the first frame. Raises PhotoError for one that is too large, and what Pillow raises for damage."""
    photo = _opened(file, name, format, max_pixels)
    return Header(width=photo.width, height=photo.height, **vars(_described(photo)))


def frames(file: BinaryIO, *, name: str, format: str, max_pixels: int) -> int:
    """How many frames there are. Raises as ``header`` does."""
    return int(getattr(_opened(file, name, format, max_pixels), "n_frames", 1))


def decode(file: BinaryIO, *, name: str, format: str, max_pixels: int, fill: bool = False, frame: int | None = None) -> Decoded:
    """Decode a photo, or the first frame or another one of an animation, colours as RGB or grey.

    ``fill``: show what there is of a JPEG or BMP that is cut short. Raises PhotoError for one that is too large,
    CutShortError, EOFError for a frame that is not there, and whatever Pillow raises for damage.
    """
    photo = _opened(file, name, format, max_pixels)
    if fill:
        file.seek(0)
        rest = _JPEG_END if format == "JPEG" else bytes(4 * photo.width * photo.height)
        photo = _READERS[format](BytesIO(file.read() + rest))
    with _noticing_cuts(fillable=format in ("JPEG", "BMP")):
        if frame:
            photo.seek(frame)
        photo.load()
    decoded = from_image(photo)
    if format == "AVIF":
        file.seek(0)
        _tell_avif(file.read(), decoded)
    if format == "JPEG" and "mp" in photo.info:
        decoded.notes.append("further pictures in the file (gain map, depth, preview) dropped")
    if frame is None and getattr(photo, "is_animated", False):
        decoded.notes.append(f"first frame of {getattr(photo, 'n_frames', 'several')}")
    return decoded


def from_image(photo: Image.Image) -> Decoded:
    """Pixels and metadata of a loaded Pillow image of any mode; raises ValueError for one that no photo has."""
    notes: list[str] = []
    pixels, alpha = _samples(photo, notes)
    decoded = Decoded(pixels=pixels, alpha=alpha, notes=notes).described(_described(photo))
    if photo.mode in ("CMYK", "LAB", "YCbCr", "HSV"):
        decoded.icc = None
    return decoded


def _opened(file: BinaryIO, name: str, format: str, max_pixels: int) -> ImageFile.ImageFile:
    """The file as Pillow opens it, nothing decoded yet."""
    if format == "WEBP":  # its reader allots the whole canvas when opened
        check_size(name, *_webp_size(file.read(30)), max_pixels)
        file.seek(0)
    with _noticing_cuts(fillable=False):
        photo = _opened_avif(file) if format == "AVIF" else _READERS[format](file)
    check_size(name, *photo.size, max_pixels)
    return photo


def _opened_avif(file: BinaryIO) -> ImageFile.ImageFile:
    """An AVIF; its boxes alone say which way up it is, but Pillow looks into the EXIF as well and trips over a damaged one."""
    try:
        return AvifImageFile(file)
    except Exception:  # noqa: BLE001 - damaged metadata raises anything; what is wrong with the picture is raised again below
        file.seek(0)
        photo = AvifImageFile(BytesIO(isobmff.without_exif(file.read())))
        photo.info[_BROKEN] = True
        return photo


def _described(photo: Image.Image) -> Described:
    info, dpi = photo.info, photo.info.get("dpi")
    found = Described(
        exif=info.get("exif") or None,
        xmp=_packet(info.get("xmp")),
        icc=info.get("icc_profile") or None,
        dpi=(float(dpi[0]), float(dpi[1])) if dpi and all(value > 0 for value in dpi) else None,
    )
    resources = info.get("photoshop")
    if isinstance(resources, dict) and isinstance(resources.get(_IPTC), bytes):
        found.iptc = resources[_IPTC]
    if isinstance(photo, AvifImageFile):
        found.orientation = exif.orientation_of(found.exif or b"") or 1
        found.notes += ["broken EXIF dropped"] if _BROKEN in info else []
    return found


def _tell_avif(data: bytes, decoded: Decoded) -> None:
    """What Pillow leaves out: the colours by code points, how many bits there were, a gain map."""
    codes = isobmff.code_points(data)
    if codes is not None and not decoded.icc:
        decoded.icc = cicp.profile_of(*codes, grey=decoded.pixels.shape[2] == 1, notes=decoded.notes)
    if (depth := isobmff.depth(data)) > 8:
        decoded.notes.append(f"{depth}-bit AVIF read with 8 bits")
    if isobmff.has_gain_map(data):
        decoded.notes.append("further pictures in the file (gain map) dropped")


@contextmanager
def _noticing_cuts(*, fillable: bool) -> Iterator[None]:
    """What Pillow says of a file that ends too early becomes a CutShortError."""
    try:
        yield
    except OSError as fault:
        if "truncated" in str(fault).lower():
            raise CutShortError(fillable=fillable) from fault
        raise


def _samples(photo: Image.Image, notes: list[str]) -> tuple[Pixels, Pixels | None]:
    mode = photo.mode
    if mode.startswith("I;16") or mode == "I":
        return _whole_numbers(photo), None
    if mode == "F":
        raise ValueError("a Pillow image of mode F has no range; pass an array of 0…1 instead")
    if mode == "1":
        notes.append("black and white converted to grey")
        photo = photo.convert("LA" if "transparency" in photo.info else "L")
    elif mode in ("P", "PA"):
        clear = mode == "PA" or "transparency" in photo.info
        notes.append(f"palette converted to RGB{'A' if clear else ''}")
        photo = photo.convert("RGBA" if clear else "RGB")
    elif mode in ("CMYK", "LAB", "YCbCr", "HSV"):
        photo = to_rgb(photo, notes)
    elif mode in ("L", "RGB") and "transparency" in photo.info:
        notes.append("transparent colour converted to an alpha channel")
        photo = photo.convert("LA" if mode == "L" else "RGBA")
    elif mode in ("La", "RGBa", "RGBX"):
        photo = photo.convert({"La": "LA", "RGBa": "RGBA", "RGBX": "RGB"}[mode])
    elif mode not in ("L", "LA", "RGB", "RGBA"):
        raise ValueError(f"its mode {mode} is none of a photo")
    return split_alpha(np.asarray(photo))


def _whole_numbers(photo: Image.Image) -> Pixels:
    samples = np.asarray(photo)
    if samples.min() < 0 or samples.max() > 65535:
        raise ValueError(f"its samples run from {samples.min()} to {samples.max()}; expected 0 to 65535")
    return samples.astype(np.uint16)[..., None]


def _packet(xmp: bytes | str | tuple[bytes, ...] | None) -> bytes | None:
    if isinstance(xmp, str):
        return xmp.encode()
    return xmp if isinstance(xmp, bytes) and xmp else None


def _webp_size(head: bytes) -> tuple[int, int]:
    """Width and height of the canvas (RFC 9649, sections 2.5 to 2.7)."""
    kind, little = head[12:16], int.from_bytes
    if kind == b"VP8X":
        return little(head[24:27], "little") + 1, little(head[27:30], "little") + 1
    if kind == b"VP8L":
        bits = little(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return little(head[26:28], "little") & 0x3FFF, little(head[28:30], "little") & 0x3FFF
