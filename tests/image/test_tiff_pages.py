"""Of a TIFF with several pages the photo at full size is read, and a raw photo is refused: never a thumbnail."""

import io

import numpy as np
import pytest
import tifffile

from limpid.errors import PhotoError
from limpid.image.read import read, size
from photo_samples import samples

SMALL, FULL = samples("uint8", 6, 8), samples("uint8", 48, 64, seed=1)
COPY, MASK, REDUCED = 1, 4, 2
FILTER, DNG_VERSION, OLD_KIND = 32803, 50706, 255


def file(*pages: tuple[np.ndarray, dict[str, object]], order: str = "<", **settings: object) -> bytes:
    """A TIFF of these pages."""
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, byteorder=order, **settings) as writer:
        for array, described in pages:
            writer.write(array, metadata=None, **({"photometric": "rgb"} | described))
    return buffer.getvalue()


def with_below(order: str, deep: np.ndarray, **settings: object) -> bytes:
    return file((SMALL, {"subifds": 1, "subfiletype": COPY}), (deep, {"subfiletype": 0} | settings), order=order)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_the_page_at_full_size_is_read_wherever_it_lies(order, big, dtype, compression):
    full = samples(dtype, 48, 64, seed=1)
    settings = {"subfiletype": 0, "compression": compression}
    mask = np.ones((48, 64), bool), {"subfiletype": MASK, "photometric": "mask"}
    for data in (
        file((SMALL, {"subfiletype": COPY}), (full, settings), order=order, bigtiff=big),
        file((SMALL, {"subfiletype": COPY, "subifds": 1}), (full, settings), order=order, bigtiff=big),
        file((full, {"subifds": 1} | settings), (SMALL, {"subfiletype": COPY}), order=order, bigtiff=big),
        file(mask, (SMALL, {"subfiletype": COPY}), (full, settings), order=order, bigtiff=big),
    ):
        found = read(data)
        assert np.array_equal(found.pixels, full)
        assert size(data) == (48, 64)
        assert not any("page" in note for note in found.notes)


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_old_tag_of_a_reduced_copy_counts_too(order):
    data = file((SMALL, {"extratags": [(OLD_KIND, 3, 1, REDUCED, True)]}), (FULL, {}), order=order)
    assert np.array_equal(read(data).pixels, FULL)


def test_of_copies_alone_the_largest_is_read_and_of_true_pages_the_first_with_a_note():
    copies = file((SMALL, {"subfiletype": COPY}), (FULL, {"subfiletype": COPY}))
    assert np.array_equal(read(copies).pixels, FULL)
    pages = file((SMALL, {"subfiletype": 0}), (FULL, {"subfiletype": 0}))
    found = read(pages)
    assert np.array_equal(found.pixels, SMALL)
    assert found.notes == ("first page of several",)


def test_the_full_page_has_the_orientation_and_description_of_the_first():
    turned = [(274, 3, 1, 6, True), (700, 1, 4, b"<x/>", True)]
    data = file((SMALL, {"subfiletype": COPY, "subifds": 1, "extratags": turned}), (FULL, {"subfiletype": 0}))
    found = read(data)
    assert np.array_equal(found.pixels, np.rot90(FULL, -1))
    assert size(data) == (64, 48)
    assert found.metadata.xmp == b"<x/>"


def raw_photos() -> dict[str, bytes]:
    """Files as cameras write them: a thumbnail that any reader shows, and the sensor's values below or behind it."""
    sensor = samples("uint16", 48, 64, 1, seed=2)[..., 0]
    unfinished = {"photometric": FILTER, "subfiletype": 0, "extratags": [(33421, 3, 2, (2, 2), True)]}
    named = [(DNG_VERSION, 1, 4, b"\1\4\0\0", True)]
    marked = bytearray(file((FULL, {})))
    marked[8:8] = b"CR\2\0"
    kinds = {}
    for order in ("<", ">"):
        kinds |= {
            f"sensor below {order}": with_below(order, sensor, **unfinished),
            f"sensor behind {order}": file((SMALL, {"subfiletype": COPY}), (sensor, unfinished), order=order),
            f"sensor alone {order}": file((sensor, unfinished), order=order),
            f"DNG by its version {order}": file((SMALL, {"subfiletype": COPY, "extratags": named}), order=order),
            f"linear {order}": file((SMALL, {}), (samples("uint16"), {"photometric": 34892}), order=order),
        }
    return kinds | {"Canon by its mark": bytes(marked)}


RAW = raw_photos()


@pytest.mark.parametrize("kind", RAW)
@pytest.mark.parametrize("name", ["shot.dng", "shot.tif", "shot.jpg"])
def test_a_raw_photo_is_refused_under_any_name(tmp_path, kind, name):
    path = tmp_path / name
    path.write_bytes(RAW[kind])
    for door in (read, size):
        with pytest.raises(PhotoError, match=r"raw photo.*develop"):
            door(path)


@pytest.mark.parametrize("extension", ["dng", "NEF", "cr2", "arw", "pef", "3fr", "orf"])
def test_a_name_of_a_raw_photo_is_believed_where_only_a_preview_can_be_read(tmp_path, extension):
    path = tmp_path / f"shot.{extension}"
    path.write_bytes(file((FULL, {})))
    with pytest.raises(PhotoError, match="raw photo"):
        read(path)


@pytest.mark.parametrize(
    "magic",
    [
        b"FUJIFILMCCD-RAW 0201",
        b"IIU\0\x18\0\0\0",
        b"IIRO\x08\0\0\0",
        b"MMOR\0\0\0\x08",
        b"FOVb",
        b"\0MRM",
        b"II\x1a\0\0\0HEAPCCDR\2\0",
        b"\0\0\0\x18ftypcrx \0\0\0\1crx isom",
        b"II*\0\x08\0\0\0IIII",
    ],
)
def test_raw_photos_that_are_no_tiff_are_named(magic):
    with pytest.raises(PhotoError, match="raw photo.*developed"):
        read(magic + bytes(64))
