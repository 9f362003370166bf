"""Published DSRNet files of every generation, and those of its Mamba variants.

Layers that serve both streams are stored once (``seq``) or twice under two names (``seq_l`` and ``seq_r``: everywhere in the first
release, in the residue module since). Where the two differ, published code keeps what it reads last, ``seq_r``.
"""

import re
from collections.abc import Iterable, Mapping

from torch import Tensor

from limpid.catalogue import Entry, Settings
from limpid.checkpoints.convert._converter import Converter
from limpid.checkpoints.convert._shapes import Shapes, shapes_of

_BACKBONE = "backbone."
_LANDMARKS = ("ending.seq.0.weight", "intro.ch_map0.seq.0.weight", "lrm.tail.0.weight", "middle_blks.0.a_l")
"""Without these 4-D entries it is no DSRNet, whatever else there is."""


class DSRNetConverter(Converter):
    """Reads all settings from keys and shapes; accepts what then fits key by key and shape by shape."""

    model = "dsrnet"

    def recognise(self, shapes: Shapes) -> Settings | None:
        """Settings of ``models.dsrnet``, or None. The backbone may be there or not, as in our own files."""
        found = {_name(key): tuple(shapes[key]) for key in _once(shapes)}
        if not all(len(shape) == 4 and min(shape) > 0 for shape in (found.get(key, ()) for key in _LANDMARKS)):
            return None
        if any(found[_name(key)] != tuple(shape) for key, shape in shapes.items()):  # two names of one layer, unlike
            return None
        settings = _settings(found)
        expected = shapes_of(self.model, settings)
        if not any(key.startswith(_BACKBONE) for key in found):
            expected = {key: shape for key, shape in expected.items() if not key.startswith(_BACKBONE)}
        return settings if found == expected else None

    def convert(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The same tensors, shared ones once."""
        return {_name(key): tensors[key] for key in _once(tensors)}


def _name(key: str) -> str:
    return re.sub(r"\.seq_[lr]\.", ".seq.", key)


def _once(keys: Iterable[str]) -> list[str]:
    """Keys without the aliases that are overwritten."""
    present = set(keys)
    return [key for key in keys if ".seq_l." not in key or key.replace(".seq_l.", ".seq_r.") not in present]


def _settings(found: Shapes) -> Settings:
    levels = _count(found, "downs")
    return {
        "width": found["ending.seq.0.weight"][1],
        "encoder": tuple(_count(found, f"encoders.{level}") for level in range(levels)),
        "middle": _count(found, "middle_blks"),
        "decoder": tuple(_count(found, f"decoders.{level}") for level in range(levels)),
        "residue": (_count(found, "lrm.blocks_inter"), _count(found, "lrm.blocks_merge")),
        "shared_scale": "middle_blks.0.b" in found,
        "body": _kind(found, "middle_blks.0"),
        "pyramid": _kind(found, "intro.block5.0"),
    }


def _count(found: Shapes, prefix: str) -> int:
    """How many numbered children a module has."""
    return len({match[1] for key in found if (match := re.match(rf"{re.escape(prefix)}\.(\d+)\.", key))})


def _kind(found: Shapes, block: str) -> str:
    """What mixes distant pixels, by where Mamba's rates lie in a block."""
    places = {"block1.2.seq.0": "mamba", "block1.0.seq.0": "mamba_first", "block1.1.mamba": "mamba_gate"}
    kinds = [kind for place, kind in places.items() if f"{block}.{place}.mamba_model.A_log" in found]
    return kinds[0] if kinds else "attention"


ENTRY = Entry(build=DSRNetConverter, source="mingcv/DSRNet (all generations), shayandaneshvar/mamba-reflection")
