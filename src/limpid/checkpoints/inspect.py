"""What a weight file is, for people: ``limpid inspect`` and ``limpid convert``."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from limpid import catalogue
from limpid.catalogue import Setting, Settings
from limpid.checkpoints import file
from limpid.checkpoints.experiment import newest_generator
from limpid.checkpoints.onnx_file import SUFFIX, read_onnx
from limpid.checkpoints.recognise import size_of
from limpid.checkpoints.unwrap import Weights
from limpid.errors import UsageError
from limpid.files import sha256
from limpid.weights import manifest

UNSTATED = "not stated in the file"
"""Licence and data of a file that says nothing of them."""

_GRAPH = {"taps", "multiple", "minimum", "size", "head", "batch", "tiling", "radius", "precision", "weights_sha256", "version"}


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """One weight file: the network it holds and what is known of it.

    ``size``: a named size of the network, or None; ``parameters``: trained numbers in the file; ``bytes``: of the file;
    ``precision``: the kinds of numbers; ``licence`` and ``trained_on``: as the file or our manifest says; ``notes``: the rest;
    ``remarks``: what was chosen or assumed on opening the file.
    """

    file: str
    bytes: int
    sha256: str
    model: str
    size: str | None
    settings: Settings
    tasks: tuple[str, ...]
    layers: tuple[str, ...]
    parameters: int
    precision: tuple[str, ...]
    source: str
    licence: str
    trained_on: str
    notes: Settings
    remarks: tuple[str, ...] = ()


def inspect(path: Path, weights: Weights = "averaged") -> Inspection:
    """Read a file, or the newest generator of a folder, build its network and say what it is.

    ``weights``: which of two sets side by side. Raises WeightsError like ``file.read`` and ``file.build``.

    >>> found = inspect(manifest.locate("limpid_denoise"))
    >>> found.model, found.size, found.tasks, found.licence
    ('nafnet', 'limpid', ('deblur', 'denoise'), 'Apache-2.0')
    """
    if path.suffix == SUFFIX:
        return _inspect_onnx(path)
    path = newest_generator(path)
    checkpoint = file.read(path, weights)
    network = file.build(checkpoint, source=str(path))
    entry = catalogue.find("models", checkpoint.model)
    checksum = sha256(path)
    row = next((row for row in manifest.rows().values() if row.sha256 == checksum), None)
    notes = dict(checkpoint.notes)
    return Inspection(
        file=str(path),
        bytes=path.stat().st_size,
        sha256=checksum,
        model=checkpoint.model,
        size=size_of(checkpoint.model, checkpoint.settings),
        settings=dict(checkpoint.settings),
        tasks=entry.tasks,
        layers=entry.layers,
        parameters=sum(p.numel() for name, p in network.named_parameters() if name in checkpoint.tensors),
        precision=tuple(sorted({str(tensor.dtype).removeprefix("torch.") for tensor in checkpoint.tensors.values()})),
        source=entry.source,
        licence=str(notes.pop("licence", row.licence if row else UNSTATED)),
        trained_on=str(notes.pop("trained_on", row.trained_on if row else UNSTATED)),
        notes=notes,
        remarks=checkpoint.remarks,
    )


def _inspect_onnx(path: Path) -> Inspection:
    """An ONNX file, as it speaks of itself."""
    found = read_onnx(path)
    about = found.about
    notes = about.model_dump(include=_GRAPH, exclude_none=True, exclude_defaults=True)
    return Inspection(
        file=str(path),
        bytes=path.stat().st_size,
        sha256=sha256(path),
        model=about.model,
        size=None,
        settings=about.settings,
        tasks=about.tasks,
        layers=about.layers,
        parameters=found.parameters,
        precision=found.kinds,
        source=about.source,
        licence=about.licence or UNSTATED,
        trained_on=about.trained_on or UNSTATED,
        notes={"graph": about.graph, "takes": "one size" if about.size else "any size", **notes},
        remarks=() if found.ours else ("says nothing of itself; known by its inputs and outputs",),
    )


def convert(
    path: Path,
    out: Path,
    *,
    overwrite: bool = False,
    weights: Weights = "averaged",
    settings: Mapping[str, Setting] | None = None,
) -> Inspection:
    """Write what ``path`` holds as a safetensors file that says what it is, and say what was written.

    ``settings``: those that no tensor shows, such as an activation, where what is assumed is wrong. Raises UsageError when ``out``
    exists, lies nowhere or has another ending, WeightsError when ``path`` cannot be opened or does not fit the settings.
    """
    if path.suffix == SUFFIX:
        raise UsageError(f"{path} is a graph, whose weights have no names of ours; convert the file that it was made from")
    if out.suffix != ".safetensors":
        raise UsageError(f"{out} must end in .safetensors, the one format that runs nothing")
    if out.exists() and not overwrite:
        raise UsageError(f"{out} exists; choose another name or add --overwrite")
    if not out.parent.is_dir():
        raise UsageError(f"{out.parent} is no folder; create it or choose another place")
    checkpoint = file.read(path, weights)
    stated = replace(checkpoint, settings={**checkpoint.settings, **(settings or {})})
    file.build(stated, source=str(path))
    file.save(out, stated)
    kept = tuple(remark for remark in checkpoint.remarks if not any(name in remark for name in settings or ()))
    return replace(inspect(out), remarks=kept)
