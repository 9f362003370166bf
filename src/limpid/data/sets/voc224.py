"""Pascal VOC 2012 as the field trains on it: 15,287 centre crops of 224 pixels, chosen by a published list."""

import hashlib
from pathlib import Path

from limpid.catalogue import SetEntry
from limpid.data.layout import FolderSet, photos
from limpid.data.preprocessing import centre_crop
from limpid.errors import DataError
from limpid.files import read_file

LIST_SHA256 = "66b9bbc03dfded80c672325189a653518cac77ce820596651c421851c14ff84e"
"""Of ``VOC2012_224_train_png.txt`` as ERRNet publishes it; CEILNet's differs by a folder before each name."""


def voc224(*, names: Path, sha256: str = LIST_SHA256) -> FolderSet:
    """``VOCdevkit/VOC2012/JPEGImages/<id>.jpg`` → ``<id>.png``, the photos of the list ``names`` alone.

    ``PNGImages`` holds what others have cropped already, 224 pixels a side.

    Raises DataError for a list that is missing or not the published one (``sha256``).
    """
    stems = listed(names, sha256)
    return FolderSet(
        name="voc224",
        layouts=tuple(photos(folder, stem=r"\d{4}_\d{6}") for folder in ("JPEGImages", "PNGImages")),
        counts=(len(stems),),
        stems=stems,
        required=("photo",),
        change=centre_crop(224),
    )


def listed(names: Path, sha256: str) -> frozenset[str]:
    """Stems of a list of file names, one a line, folders before them ignored; DataError for another list."""
    try:
        lines = read_file(names).split(b"\n")
    except OSError as error:
        raise DataError(f"{names} cannot be read ({error.strerror}); give the published VOC2012_224_train_png.txt") from error
    bare = [line.rpartition(b"/")[2] for line in lines]
    digest = hashlib.sha256(b"\n".join(bare)).hexdigest()
    if digest != sha256:
        raise DataError(f"{names} is not the published list: its names have the SHA-256 {digest[:12]}…, expected {sha256[:12]}…")
    return frozenset(Path(line.decode().strip()).stem for line in bare if line.strip())


ENTRY = SetEntry(
    build=voc224,
    source="Everingham et al., IJCV 2010; list and crop: Fan et al., ICCV 2017, Wei et al., CVPR 2019",
    home="http://host.robots.ox.ac.uk/pascal/VOC/voc2012/",
    counts=(15287,),
)
