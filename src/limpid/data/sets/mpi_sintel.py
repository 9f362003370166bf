"""MPI-Sintel for intrinsic images: rendered frames with their albedo, and their shading where it was asked of the authors."""

from limpid.catalogue import SetEntry
from limpid.data.layout import PHOTO, FolderSet, Layout, inside


def mpi_sintel(*, counts: tuple[int, ...] = (890, 1064)) -> FolderSet:
    """``training/{clean,albedo,shading}/<scene>/frame_<n>.png`` → ``<scene>_<n>``, or USI3D's ``MPI-auxilliary-{input,…}``.

    890 frames of 18 scenes are usual, 1,064 is the whole training part.
    """
    roles = {"clean": "input", "input": "input", "albedo": "albedo", "shading": "shading"}
    released = Layout(
        looks="[training/]{clean,albedo,shading}/<scene>/frame_<n>.png",
        pattern=rf"{inside('training')}(?P<layer>clean|albedo|shading)/(?P<scene>[^/]+)/frame_(?P<frame>\d+){PHOTO}",
        roles=roles,
        stem="{scene}_{frame}",
    )
    flat = Layout(
        looks="[MPI/]MPI-auxilliary-{input,albedo,shading}/<stem>.png",
        pattern=rf"{inside('MPI')}MPI-auxilliary-(?P<layer>input|albedo|shading)/(?P<stem>[^/]+){PHOTO}",
        roles=roles,
    )
    return FolderSet(
        name="mpi_sintel", layouts=(released, flat), counts=counts, required=("input", "albedo"), optional=("shading",)
    )


ENTRY = SetEntry(
    build=mpi_sintel,
    tasks=("intrinsic",),
    source="Butler et al., ECCV 2012",
    scenes=r"(?P<scene>.+)_\d+$",
    synthetic=True,
    home="http://sintel.is.tue.mpg.de/",
)
