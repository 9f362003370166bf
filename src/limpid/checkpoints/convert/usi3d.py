"""USI3D's published files: three generators, splitter and merger in one dict; our keys are theirs behind the part's name."""

from pathlib import Path

from limpid.catalogue import Entry, Settings
from limpid.checkpoints.convert._converter import Converter, Told
from limpid.checkpoints.convert._shapes import Shapes, shapes_of

_NEEDED = (
    "i.enc_style.model.6.weight",
    "i.enc_content.model.0.conv.weight",
    "r.mlp.model.0.fc.weight",
)


class Usi3dConverter(Converter):
    """Reads width, style, blocks and depth of the mapping, if any, from shapes; with or without parts that only training uses."""

    model = "usi3d"

    def recognise(self, shapes: Shapes) -> Settings | None:
        """Settings of the network, or None when the keys and shapes are not exactly its own."""
        if not all(name in shapes and len(shapes[name]) >= 2 for name in _NEEDED):
            return None
        settings = {
            "width": shapes["i.enc_content.model.0.conv.weight"][0],
            "style": shapes["i.enc_style.model.6.weight"][0],
            "residuals": _count(shapes, "i.enc_content.model.3.model.{}.model.0.conv.weight"),
            "hidden": shapes["r.mlp.model.0.fc.weight"][0],
            "mapping": _count(shapes, "fs.mlp.model.{}.fc.weight"),
            "training_parts": "r.enc_content.model.0.conv.weight" in shapes,
        }
        if min(settings["residuals"], settings["width"], settings["style"], settings["hidden"]) < 1 or settings["mapping"] == 1:
            return None
        return settings if shapes_of(self.model, settings) == dict(shapes) else None

    def tell(self, settings: Settings, path: Path) -> Told:
        """What stands for the styles of a network without mapping."""
        remark = "" if settings["mapping"] else "has no mapping: its authors draw the styles around ±10, here they are ±10"
        return Told(settings=settings, remark=remark)


def _count(shapes: Shapes, name: str) -> int:
    """How many consecutive numbers, from 0, fill ``name`` to a key."""
    index = 0
    while name.format(index) in shapes:
        index += 1
    return index


ENTRY = Entry(build=Usi3dConverter, source="key tables of the authors' code (DreamtaleCore/USI3D); the file MPI.pt was not seen")
