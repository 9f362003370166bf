"""Small photos in every format, made on the spot."""

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from limpid.image.exif import upright
from limpid.image.photo import Metadata, Photo
from limpid.layers.pixels import white

ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF/></x:xmpmeta>'
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF")
ALL_FORMATS = (*FORMATS, "GIF")
UPRIGHT = {  # orientation → how an upright picture is stored, as Pillow names it
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def exif(orientation: int = 1, thumbnail: bytes | None = None) -> bytes:
    """An EXIF block with camera, GPS position and date, without the leading Exif."""
    block = Image.Exif()
    block[0x010F], block[0x0112] = "Maker", orientation
    block.get_ifd(0x8769)[36867] = "2020:01:01 00:00:00"
    block.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 14.25), 3: "E", 4: (11.0, 34.0, 31.5)})
    raw = bytearray(block.tobytes()[6:])
    if thumbnail is not None:  # a second directory at the end, with the picture behind it
        link = 8 + 2 + 12 * struct.unpack_from(">H", raw, 8)[0]
        assert raw[:2] == b"MM"
        struct.pack_into(">I", raw, link, len(raw))
        start = len(raw) + 2 + 2 * 12 + 4
        raw += struct.pack(">HHHIIHHIII", 2, 0x0201, 4, 1, start, 0x0202, 4, 1, len(thumbnail), 0) + thumbnail
    return bytes(raw)


def samples(dtype: str, height: int = 17, width: int = 23, channels: int = 3, seed: int = 0) -> np.ndarray:
    """Noise that uses the whole range of the depth."""
    draw = np.random.default_rng(seed).random((height, width, channels))
    top = white(dtype)
    return (draw * top).round().astype(dtype) if top > 1 else draw.astype(dtype)


def photo(dtype: str = "uint8", *, channels: int = 3, alpha: bool = False, described: bool = True) -> Photo:
    """A photo from memory with all metadata there is."""
    kept = Metadata(exif=upright(exif(), 1)[0], xmp=XMP, icc=ICC, dpi=(300.0, 300.0)) if described else Metadata()
    see_through = samples(dtype, channels=1, seed=1)[..., 0] if alpha else None
    if see_through is not None:
        see_through[:3] = 0  # wholly transparent: colours there are data all the same
    return Photo(pixels=samples(dtype, channels=channels), alpha=see_through, metadata=kept)


def picture(mode: str = "RGB", size: tuple[int, int] = (23, 17)) -> Image.Image:
    """A smooth picture, so that lossy formats stay close."""
    x, y = np.meshgrid(np.linspace(0, 255, size[0]), np.linspace(0, 255, size[1]))
    channels = [x, y, 255 - x, 255 - y][: len(Image.new(mode, (1, 1)).getbands())]
    return Image.fromarray(np.dstack(channels).round().astype(np.uint8).squeeze(), mode)


def encoded(image: Image.Image, format: str, **settings: Any) -> bytes:
    """The file that Pillow makes of a picture."""
    if format == "JPEG" and "exif" in settings:
        settings["exif"] = b"Exif\0\0" + settings["exif"]
    buffer = BytesIO()
    image.save(buffer, format, **settings)
    return buffer.getvalue()


def png(samples: np.ndarray, *extra: bytes) -> bytes:
    """A 16-bit PNG written from the specification alone: no filter, one IDAT, ``extra`` chunks before it."""
    height, width, channels = samples.shape
    raw = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    parts = [png_chunk(b"IHDR", header), *extra, png_chunk(b"IDAT", zlib.compress(raw)), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
