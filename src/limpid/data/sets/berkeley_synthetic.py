"""The sources of Zhang's synthetic pairs: 13,700 photos to stand behind the glass and as many, same-named, to be mirrored."""

from limpid.catalogue import SetEntry
from limpid.data.layout import PHOTO, FolderSet, Layout, inside


def berkeley_synthetic(*, counts: tuple[int, ...] = (13700,)) -> FolderSet:
    """``synthetic/{transmission_layer,reflection_layer}/<name>``, blended on the fly by the ``zhang`` mixture."""
    folders = {"transmission_layer": "transmission", "reflection_layer": "reflection"}
    layout = Layout(
        looks="[synthetic/]{transmission_layer,reflection_layer}/<name>",
        pattern=rf"{inside('synthetic')}(?P<layer>{'|'.join(folders)})/(?P<stem>[^/]+){PHOTO}",
        roles=folders,
    )
    return FolderSet(name="berkeley_synthetic", layouts=(layout,), counts=counts, required=("transmission", "reflection"))


ENTRY = SetEntry(
    build=berkeley_synthetic,
    tasks=("reflection",),
    source="Zhang, Ng & Chen, CVPR 2018, arXiv:1806.05376",
    home="https://github.com/ceciliavision/perceptual-reflection-removal",
)
