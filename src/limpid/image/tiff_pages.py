"""Which page of a TIFF is its photo: pages may be small copies, and the photo may lie in a directory below another."""

import struct
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import tifffile

from limpid.errors import PhotoError
from limpid.image.formats import unread_kind

Page = tifffile.TiffPage

_BROKEN = (ValueError, TypeError, KeyError, OverflowError, struct.error, MemoryError)  # what tifffile raises for broken directories
_MOST = 32  # pages that are looked at; a photo comes early
_COPY, _MASK = 1, 4  # bits of NewSubfileType (TIFF 6.0, section 8)
_NEW_SUBFILE_TYPE, _SUBFILE_TYPE, _REDUCED = 254, 255, 2
_COLOUR_FILTER, _LINEAR_RAW = 32803, 34892
_RAW_COMPRESSIONS = frozenset({32767, 32769, 32770, 34713, 34892, 65000, 65535})  # Sony, Epson, Samsung, Nikon, DNG, Kodak, Pentax
_DNG_VERSION, _SLICES = 50706, 50752  # Adobe's mark, Canon's


def photo_page(tiff: tifffile.TiffFile, name: str, frame: int = 0) -> tuple[Page, bool]:
    """The page of the photo at full size, or of a later ``frame``, and whether others hold further pictures.

    The first page that is no reduced copy and no mask counts, or a larger one below it. Raises PhotoError for a raw photo, which
    has yet to be developed, and IndexError for a frame that is not there.
    """
    pages = list(_pages(tiff))
    if unread_kind(Path(name)) == "raw" or any(map(_is_raw, pages)):
        raise PhotoError(f"{name}: it is a raw photo, of which only previews could be read; develop it first")
    pictures = [page for page in pages if not _flags(page) & (_COPY | _MASK)] or [max(pages, key=_area)]
    tops = list(dict.fromkeys(page.treeindex[0] for page in pictures))
    of_frame = [page for page in pictures if page.treeindex[0] == tops[frame]]
    below = [page for page in of_frame if page.treeindex[:-1] == of_frame[0].treeindex]
    return max([of_frame[0], *below], key=_area), len(tops) > 1


def count_pictures(tiff: tifffile.TiffFile) -> int:
    """How many pages hold pictures of their own, not copies of another; 32 pages are looked at."""
    pages = list(_pages(tiff))
    return len({page.treeindex[0] for page in pages if not _flags(page) & (_COPY | _MASK)}) or 1


def _pages(tiff: tifffile.TiffFile) -> Iterator[Page]:
    """The first pages, each followed by those below it, as far as they can be read."""
    for index in range(_MOST):
        try:
            page = tiff.pages[index].aspage()
        except IndexError:
            return
        except _BROKEN:
            if index == 0:
                raise
            return
        yield page
        with suppress(IndexError, *_BROKEN):
            yield from [one.aspage() for one in islice(page.pages or (), _MOST)]


def _area(page: Page) -> int:
    return int(page.imagewidth) * int(page.imagelength)


def _flags(page: Page) -> int:
    new, old = (page.tags.get(tag) for tag in (_NEW_SUBFILE_TYPE, _SUBFILE_TYPE))
    if new is not None and isinstance(new.value, int):
        return int(new.value)
    return _COPY if old is not None and old.value == _REDUCED else 0


def _is_raw(page: Page) -> bool:
    marked = any(tag in page.tags for tag in (_DNG_VERSION, _SLICES))
    return marked or page.photometric in (_COLOUR_FILTER, _LINEAR_RAW) or page.compression in _RAW_COMPRESSIONS
