"""What every backbone is: a frozen feature extractor from a photo to named maps, and where its weights come from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.errors import WeightsError
from limpid.weights.fetch import Remote, cache_folder, fetch
from limpid.weights.reader import read_tensors, refuse_unfit

MEAN = (0.485, 0.456, 0.406)
"""ImageNet mean of RGB, 0…1, encoded."""

STD = (0.229, 0.224, 0.225)
"""ImageNet standard deviation of RGB, 0…1, encoded."""


_CONSTANTS = ("mean", "std", "num_batches_tracked", "rope.periods")  # a published file may leave these to the code


@dataclass(frozen=True, kw_only=True)
class Home:
    """Where weights come from: published ``files`` (any one serves), the ``page`` to get them from, and what can be downloaded.

    ``package``: a Python package that brings one of the files, looked for where it is installed.
    """

    files: tuple[str, ...]
    page: str
    remote: Remote | None = None
    package: str | None = None

    def packaged(self) -> Path | None:
        """The file inside its installed package; None where there is none."""
        spec = None if self.package is None else find_spec(self.package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            for name in self.files:
                for path in Path(folder).rglob(name):
                    return path
        return None


class Backbone(nn.Module):
    """Photo (B, 3, H, W), 0…1, encoded → tap name → map (B, C, H/stride, W/stride), shallow to deep.

    Always frozen and in evaluation mode; gradients still pass to the photo, as losses need. ``channels``: tap → C, in order.
    ``reach``: pixels beyond which the photo cannot influence a map enlarged to its size, None when there is no bound.
    ``origin``: None until weights are filled in, then ``checkpoint``, a path, or ``none`` (random, asked for). A checkpoint may
    leave the whole backbone out (published ones often do); ``load_state_dict`` stays strict about a part of it.
    """

    home: Home
    channels: Mapping[str, int]
    reach: int | None = None

    def __init__(self) -> None:
        super().__init__()
        self.origin: str | None = None
        self._arriving = ("", False)  # prefix and presence of our keys in the state dict that is being loaded
        self.register_load_state_dict_pre_hook(_note_origin)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_post_hook(_excuse_absence)  # type: ignore[no-untyped-call]

    def stages(self, photo: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Taps one after another, so that a caller who is done with one need not hold it."""
        raise NotImplementedError

    def forward(self, photo: Tensor) -> dict[str, Tensor]:
        """All taps."""
        return dict(self.stages(photo))

    def covered(self, height: int, width: int) -> tuple[int, int]:
        """Size in pixels that the maps cover; larger than the photo where the backbone pads at the right and bottom."""
        return height, width

    def rename(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Tensors of a published file under our names; those that do not belong to the backbone are left out."""
        raise NotImplementedError

    def train(self, mode: bool = True) -> Self:
        """Stay in evaluation mode whatever the network around does."""
        return super().train(False)

    def freeze(self) -> None:
        """Take all parameters out of training; constructors end with it."""
        self.requires_grad_(False).eval()

    def fill(self, weights: str | Path) -> None:
        """Fill in weights: ``pretrained``, ``none`` (keep the random ones), or the path of a published file or of a folder with it.

        Does nothing for ``pretrained`` when the checkpoint brought them. Raises WeightsError for missing, damaged or foreign files.
        """
        if weights == "none":
            self.origin = self.origin or "none"
        elif weights != "pretrained":
            self.read(self._published(Path(weights)))
        elif self.origin is None:
            self.read(self.fetched())

    def read(self, path: Path) -> None:
        """Fill in the weights of one published file.

        Raises WeightsError when a tensor is missing, has another shape or holds NaN or infinity.
        """
        found, wanted = self.rename(read_tensors(path)), dict(self.state_dict())
        refuse_unfit(str(path), {name: found[name] for name in wanted if name in found})  # a detector's head may be anything
        for name, tensor in wanted.items():
            if name in found and found[name].shape == tensor.shape:
                wanted[name] = found[name]
            elif name in found or not name.endswith(_CONSTANTS):
                what = "is missing" if name not in found else f"is {tuple(found[name].shape)}, expected {tuple(tensor.shape)}"
                raise WeightsError(f"{path} does not hold this backbone: {name!r} {what}; give {self._wish()}")
        self.load_state_dict(wanted, strict=True)
        self.origin = str(path)

    def _published(self, path: Path) -> Path:
        if not path.is_dir():
            return path
        for name in self.home.files:
            if (path / name).is_file():
                return path / name
        raise WeightsError(f"{path} holds no weights of this backbone; looked for {self._wish()}")

    def fetched(self) -> Path:
        """The published file: from the cache, verified, from an installed package, or downloaded. Raises WeightsError."""
        remote = self.home.remote
        for name in self.home.files:
            if (cache_folder() / name).is_file() and not (remote and name == remote.name):
                return cache_folder() / name
        packaged = self.home.packaged()
        if packaged is not None:
            return packaged
        advice = f"looked for {self._wish()}; put it there or name it with --backbone-weights FILE|DIR (none: random)"
        if remote is None:
            raise WeightsError(f"the weights of this backbone have no public download, {advice}")
        try:
            return fetch(remote)
        except WeightsError as error:
            raise WeightsError(f"{error}; {advice}") from error

    def _wish(self) -> str:
        return f"{' or '.join(self.home.files)} (in {cache_folder()}; from {self.home.page})"


class Normalisation(Protocol):
    """Whoever keeps the statistics of ImageNet as buffers."""

    mean: Tensor
    std: Tensor


def add_statistics(module: nn.Module) -> None:
    """Register buffers ``mean`` and ``std`` of ImageNet, (1, 3, 1, 1); published files may bring their own."""
    for name, values in (("mean", MEAN), ("std", STD)):
        module.register_buffer(name, torch.tensor(values).reshape(1, 3, 1, 1))


def normalise(photo: Tensor, statistics: Normalisation) -> Tensor:
    """(x − mean) / std per channel; (B, 3, H, W) → the same."""
    return (photo - statistics.mean) / statistics.std


def pad_to_multiple(photo: Tensor, multiple: int) -> Tensor:
    """Reflect at the right and bottom to a multiple; sides must exceed the padding."""
    height, width = photo.shape[-2:]
    return F.pad(photo, (0, -width % multiple, 0, -height % multiple), mode="reflect")


def _note_origin(module: Backbone, state: Mapping[str, Tensor], prefix: str, *_: object) -> None:
    present = not prefix or any(name.startswith(prefix) for name in state)
    module.origin = "checkpoint" if present else module.origin
    module._arriving = (prefix, present)  # the post hook is not told


def _excuse_absence(module: Backbone, keys: Any) -> None:
    prefix, present = module._arriving
    if not present:
        keys.missing_keys[:] = [name for name in keys.missing_keys if not name.startswith(prefix)]
