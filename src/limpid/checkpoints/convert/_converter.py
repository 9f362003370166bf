"""What every converter is: it recognises the published files of one network and renames them into ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from limpid.catalogue import Settings
from limpid.checkpoints.convert._shapes import Shapes


@dataclass(frozen=True, kw_only=True)
class Told:
    """Settings completed by what no tensor shows, and one line on what had to be assumed; empty when nothing was."""

    settings: Settings
    remark: str = ""


class Converter:
    """Published keys and shapes ↔ a network of the catalogue, by its name ``model``."""

    model: str

    def recognise(self, shapes: Shapes) -> Settings | None:
        """Settings of the network that has exactly these keys and shapes, None when there is none."""
        raise NotImplementedError

    def convert(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The same tensors under our keys, which are the published ones unless a converter says otherwise."""
        return dict(tensors)

    def tell(self, settings: Settings, path: Path) -> Told:
        """What the name of the file and what lies beside it say of settings that leave no trace in tensors."""
        return Told(settings=settings)
