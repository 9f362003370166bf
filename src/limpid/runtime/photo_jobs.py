"""Which photos go through which networks into which files: names and places, all checked before any network is loaded."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from limpid.errors import UsageError
from limpid.files import megabytes
from limpid.image.find import find
from limpid.image.formats import SNIFFED, format_of, sniff
from limpid.image.output_paths import plan_outputs
from limpid.layers.task import find_task
from limpid.runtime.edit_options import edit_names
from limpid.runtime.options import DecomposeOptions, PhotoOptions

MOST_PIPED = 1 << 29
"""Bytes that standard input may carry: what is piped is held in memory."""

_PIECE = 1 << 20

PIPE = "-"
"""Standard input, or standard output."""


@dataclass(frozen=True, kw_only=True)
class PhotoJob:
    """One photo for one network, by its label.

    ``source``: a path, or bytes from a pipe; ``outputs``: layer → path or open buffer; ``notes``: what its report starts with.
    """

    name: str
    source: Path | bytes
    outputs: Mapping[str, Path | BytesIO]
    label: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """All there is to do, the photos left out because all their outputs exist, and those not read here: path → kind."""

    photos: tuple[PhotoJob, ...]
    skipped: tuple[str, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)


def plan_jobs(options: PhotoOptions, task: str) -> Jobs:
    """One job per photo and network. Raises UsageError for options that contradict each other, names and places that cannot be."""
    _check(options)
    layers, labels = [*_layers(options, task), *_edited(options)], list(labelled(options.model))
    if PIPE in (options.output, *options.photos):
        return Jobs(photos=(_piped(options, layers[0], labels[0]),))
    tags = {layer if len(labels) == 1 else f"{label}.{layer}": (label, layer) for label in labels for layer in layers}
    found = find(options.photos)
    plan = plan_outputs(
        found.photos,
        output=Path(options.output) if options.output else None,
        layers=list(tags),
        format=options.format,
        overwrite=options.overwrite,
        skip_existing=options.skip_existing,
    )
    jobs = []
    for job in plan.jobs:
        for label in labels:
            outputs = {tags[tag][1]: path for tag, path in job.outputs.items() if tags[tag][0] == label}
            if outputs:
                jobs.append(PhotoJob(name=str(job.source), source=job.source, outputs=outputs, label=label, notes=job.notes))
    unread = {str(path): kind for path, kind in found.unread.items()}
    return Jobs(photos=tuple(jobs), skipped=tuple(map(str, plan.skipped)), unread=unread)


def labelled(models: Sequence[str]) -> dict[str, str]:
    """Label → name or file of texts like NAME, FILE or LABEL=FILE; a plain name labels itself by its stem. Raises UsageError."""
    labels: dict[str, str] = {}
    for model in models:
        label, separator, file = model.partition("=")
        name = file if separator else model
        label = label if separator else Path(model).stem
        if label in labels:
            raise UsageError(f"two models are called {label!r}; name them apart with --model LABEL=FILE")
        labels[label] = name
    return labels


def _check(options: PhotoOptions) -> None:
    if options.overwrite and options.skip_existing:
        raise UsageError("--overwrite and --skip-existing contradict each other; give one of them")
    if options.as_json and options.output == PIPE:
        raise UsageError("standard output cannot hold both the photo and --json; give one of them a file")
    one_file = options.output is not None and (options.output == PIPE or format_of(options.output) is not None)
    if one_file and len(options.model) > 1:
        raise UsageError(f"-o {options.output} holds one result; give one --model or a folder")


def _layers(options: PhotoOptions, name: str) -> list[str]:
    task = find_task(name)
    if options.layers is None:
        return list(task.layers)
    return list(dict.fromkeys(task.layer_name(wanted.strip()) for wanted in options.layers.split(",")))


def _edited(options: PhotoOptions) -> list[str]:
    """Names of what is to be made of the layers."""
    return edit_names(options.relight, options.recolour) if isinstance(options, DecomposeOptions) else []


def _from_pipe(stream: BinaryIO) -> bytes:
    """The photo that a pipe carries. Raises UsageError, without reading on, for what is no photo or never ends."""
    content = BytesIO(stream.read(SNIFFED))
    if sniff(content.getvalue()) is None:
        return content.getvalue()  # whoever reads it says what it is
    content.seek(0, os.SEEK_END)
    while piece := stream.read(_PIECE):
        content.write(piece)
        if content.tell() > MOST_PIPED:
            raise UsageError(f"standard input carries more than {megabytes(MOST_PIPED)}; save it as a file and name that")
    return content.getvalue()


def _piped(options: PhotoOptions, layer: str, label: str) -> PhotoJob:
    """The one job of a pipe: standard input, standard output, or both."""
    if len(options.photos) != 1:
        raise UsageError(f"a pipe carries one photo; got {len(options.photos)} inputs")
    source, output = options.photos[0], options.output
    if output is None:
        raise UsageError("a photo from standard input needs -o FILE or -o -")
    if output != PIPE and Path(output).exists() and not options.overwrite:
        raise UsageError(f"{output} exists; choose another name with -o or add --overwrite")
    content = _from_pipe(sys.stdin.buffer) if source == PIPE else find([source]).photos[0].path
    target: Path | BytesIO = BytesIO() if output == PIPE else Path(output)
    return PhotoJob(name="standard input" if source == PIPE else source, source=content, outputs={layer: target}, label=label)
