"""Learned perceptual similarity: torchmetrics' network, with weights that are fetched in sight, never silently.

torchmetrics carries the linear heads (version 0.1) but lets torchvision download the backbone when it is built. Here the network is
built empty and filled from the cache, a file, or a checked download; without any of them it is an error, not a random network.
Its layers are run one after another, and compared in strips of rows, so that no more than one layer of both photos is in memory.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from limpid.backbones._backbone import Backbone, Home
from limpid.blocks._torchvision import mend
from limpid.catalogue import MetricEntry
from limpid.errors import MissingExtraError
from limpid.files import sha256
from limpid.metrics._measure import Metric, check_photos
from limpid.weights.fetch import Remote

VERSION = "0.1"
"""Version of the linear heads."""

_STRIP = 64  # rows of features that are compared at a time
_SEED = 0  # of a random network that was asked for: the same numbers every time

Network = Literal["alex", "vgg", "squeeze"]


class Trunk(Backbone):
    """Convolutions of torchvision as torchmetrics slices them; a published file names them ``features.N.*``.

    ``network``: torchmetrics' name; ``label``: for people; ``smallest``: least side of a photo, pixels;
    ``memory``: that of ``Metric``.
    """

    network: ClassVar[Network]
    label: ClassVar[str]
    smallest: ClassVar[int]
    memory: ClassVar[int]

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.freeze()

    def slices(self) -> list[nn.Module]:
        """The layers whose features are compared, shallow to deep, each taking the features of the one before."""
        children = list(self.net.children())
        return list(children[0]) if isinstance(children[0], nn.ModuleList) else children

    def rename(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Keys of torchvision under ours: ``net.slice2.3.weight`` or ``net.slices.1.3.weight`` is ``features.3.weight``."""
        public = {name: "features." + name.split(".", 3 if ".slices." in name else 2)[-1] for name in self.state_dict()}
        return {name: tensors[theirs] for name, theirs in public.items() if theirs in tensors}


def published(file: str) -> Home:
    """Where torchvision keeps ``file``, named after the first digits of its checksum."""
    url = f"https://download.pytorch.org/models/{file}"
    digits = file.removesuffix(".pth").rpartition("-")[2]
    return Home(files=(file,), page=url, remote=Remote(name=file, url=url, sha256=digits))


class Lpips:
    """Σ over layers of the mean over positions of w·(x̂ - ŷ)², x̂ and ŷ features normalised to length 1 over channels.

    ``trunk``: which network; ``weights``: ``pretrained``, ``none`` (random, in the name of the metric) or a path.
    Raises WeightsError when the weights cannot be had, MissingExtraError without torchmetrics and torchvision.
    """

    def __init__(self, trunk: type[Trunk], weights: str) -> None:
        self.network = _network(trunk.network)
        self.trunk = trunk(self.network.net)
        self.trunk.fill(weights)

    def __call__(self, estimate: Tensor, target: Tensor) -> float:
        """Distance of two (3, H, W) photos, 0…1, encoded; the estimate is clamped. Raises ShapeError and DataError."""
        check_photos(self.trunk.label, estimate, target, smallest=self.trunk.smallest)
        distance = 0.0
        with torch.inference_mode():
            x, y = (self._scaled(photo) for photo in (estimate, target))
            for layer, head in zip(self.trunk.slices(), self.network.lins, strict=True):
                x, y = layer(x), layer(y)
                strips = zip(x.split(_STRIP, dim=2), y.split(_STRIP, dim=2), strict=True)
                total = sum(float(head((_unit(mine) - _unit(theirs)).square()).sum()) for mine, theirs in strips)
                distance += total / (x.shape[2] * x.shape[3])
        return distance

    def _scaled(self, photo: Tensor) -> Tensor:
        """(3, H, W), 0…1 → what the first layer expects, (1, 3, H, W)."""
        signed = 2 * photo.detach().cpu().float().clamp(0, 1) - 1
        scaled: Tensor = self.network.scaling_layer(signed.unsqueeze(0))
        return scaled


def _unit(features: Tensor) -> Tensor:
    """Features, (1, C, H, W), brought to length 1 over channels."""
    return features / features.square().sum(1, keepdim=True).add(1e-8).sqrt()


def _network(name: Network) -> Any:
    if mend() == "absent":
        raise MissingExtraError("torchvision", "evaluate", "LPIPS")
    try:
        from torchmetrics.functional.image.lpips import _LPIPS
    except ModuleNotFoundError as error:
        raise MissingExtraError("torchmetrics", "evaluate", "LPIPS") from error
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)  # torchvision fills its layers from the global generator, which is put back
        return _LPIPS(pretrained=True, net=name, pnet_rand=True)


def entry(trunk: type[Trunk]) -> MetricEntry:
    """What the catalogue says of LPIPS on one of the three networks."""

    def metric(*, backbone_weights: str = "pretrained") -> Metric:
        """LPIPS of (3, H, W) photos, 0…1. At least 0, lower is better; the formula is that of ``Lpips``.

        ``backbone_weights``: ``pretrained`` (cache, else download), the path of torchvision's file or its folder, or ``none`` for
        a random network, which says so in its name, as does a file without the checksum of the published one. Raises WeightsError
        when the weights cannot be had, MissingExtraError without torchmetrics and torchvision.
        """
        return _metric(trunk, backbone_weights)

    return MetricEntry(
        build=metric,
        source="Zhang, Isola, Efros, Shechtman & Wang, CVPR 2018, arXiv:1801.03924; heads v0.1 of torchmetrics",
        licence="BSD-2-Clause (heads), BSD-3-Clause (torchvision's weights)",
    )


def _metric(trunk: type[Trunk], weights: str) -> Metric:
    compute = Lpips(trunk, weights)
    suffix, says, digest = _kind(compute.trunk)
    return Metric(
        name=f"lpips_{trunk.network}{suffix}",
        title=f"{trunk.label} v{VERSION}{says}",
        compute=compute,
        direction="lower",
        range=(0.0, torch.inf),
        digits=3,
        memory=trunk.memory,
        identity=digest,
    )


def _kind(trunk: Trunk) -> tuple[str, str, str]:
    """What the name and the title of a network say of its weights, and their SHA-256: published ones need no word."""
    if trunk.origin in (None, "none"):
        return "_random", ", random network", ""
    digest = sha256(Path(str(trunk.origin)))
    remote = trunk.home.remote
    known = remote is not None and digest.startswith(remote.sha256)
    return ("", "", digest) if known else ("_own", ", own weights", digest)
