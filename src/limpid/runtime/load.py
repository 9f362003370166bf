"""From a name or a file to a Separator: ``limpid.load`` and ``limpid.separate``."""

from pathlib import Path

from torch import nn

from limpid import catalogue
from limpid.backbones._backbone import Backbone
from limpid.blocks.fuse_norms import fold_norms
from limpid.checkpoints import file
from limpid.errors import UnknownNameError, UsageError, WeightsError
from limpid.image.read import Source
from limpid.layers.separation import Separation
from limpid.progress import say
from limpid.runtime.device import choose_device, choose_precision
from limpid.runtime.separator import Separator
from limpid.weights import manifest


def load(
    name: str | Path = "default",
    device: str = "auto",
    precision: str = "auto",
    backbone_weights: str = "pretrained",
    *,
    task: str = "reflection",
) -> Separator:
    """Load a network ready to run on photos.

    ``name``: ``default`` (the shipped weights of ``task``), the name of shipped weights, or the path of a checkpoint.
    ``device``: ``auto``, ``cpu``, ``cuda``, ``mps``, …; ``precision``: ``auto``, ``float32``, ``bfloat16`` or ``float16``;
    ``backbone_weights``: ``pretrained``, ``none`` or a path, for networks that have a backbone. Raises UnknownNameError
    with the nearest name, WeightsError for damaged or foreign files, DeviceError, and UsageError for a backbone that is not there.
    """
    where = choose_device(device)
    label, path = _find(name, task)
    checkpoint = file.read(path)
    entry = catalogue.find("models", checkpoint.model)
    network = file.build(checkpoint, source=str(path))
    _fill_backbones(network, checkpoint.model, backbone_weights)
    fold_norms(network)
    if hasattr(network, "residual_wanted"):  # a learnt residual would be thrown away: the Separator completes the sum itself
        network.residual_wanted = False  # type: ignore[assignment]
    chosen = choose_precision(precision, where, entry.needs)
    return Separator(network, entry, name=label, device=where, precision=chosen, sha256=manifest.sha256(path))


def separate(photo: Source, model: str | Path = "default") -> Separation:
    """Separate one photo with the default settings; see ``Separator.__call__``."""
    return load(model)(photo)


def _fill_backbones(network: nn.Module, model: str, weights: str) -> None:
    """Fill what the checkpoint left out, from where the user says; random only when asked for, and said aloud."""
    backbones = [module for module in network.modules() if isinstance(module, Backbone)]
    if not backbones and weights != "pretrained":
        raise UsageError(f"{model} has no backbone to fill; leave out --backbone-weights {weights}")
    for backbone in backbones:
        backbone.fill(weights)
        if backbone.origin == "none":
            say(f"note: the backbone of {model} holds random numbers, as --backbone-weights none asks for; its layers mean nothing")


def _find(name: str | Path, task: str) -> tuple[str, Path]:
    """Label and path of the weights that ``name`` stands for."""
    if str(name) == "default":
        row = manifest.default(task)
        return row.name, manifest.locate(row.name)
    if str(name) in manifest.rows():
        return str(name), manifest.locate(str(name))
    path = Path(name)
    if path.suffix or len(path.parts) > 1 or path.exists():
        if not path.is_file():
            raise WeightsError(
                f"{path}: there is no such weight file; name shipped weights ({', '.join(manifest.rows())}) or a file"
            )
        return path.stem, path
    if str(name) in catalogue.names("models"):
        raise WeightsError(f"no weights are shipped for the network {str(name)!r}; name its checkpoint with --model FILE")
    raise UnknownNameError("model", str(name), {"default", *manifest.rows(), *catalogue.names("models")})
