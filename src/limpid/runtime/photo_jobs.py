"""Which photos go through which networks into which files: names and places, all checked before any network is loaded."""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from limpid.errors import PhotoError, UsageError
from limpid.files import megabytes
from limpid.image.find import Found, find
from limpid.image.formats import SNIFFED, format_of, sniff
from limpid.image.output_paths import Job, plan_outputs
from limpid.layers.task import find_task
from limpid.runtime.edit_options import edit_names
from limpid.runtime.options import DOUBLE_DIP, DOUBLE_DIP_PERCEPTUAL, DecomposeOptions, PhotoOptions

MOST_PIPED = 1 << 29
"""Bytes that standard input may carry: what is piped is held in memory."""

MOST_FRAMES = 64
"""Of one photo; those beyond are left out."""

_PIECE = 1 << 20

PIPE = "-"
"""Standard input, or standard output."""


@dataclass(frozen=True, kw_only=True)
class PhotoJob:
    """One photo for one network, by its label.

    ``source``: a path, or bytes from a pipe, of which ``frame`` is meant, counted from 0; ``outputs``: layer → path or open buffer;
    ``notes``: what its report starts with.
    """

    name: str
    source: Path | bytes
    outputs: Mapping[str, Path | BytesIO]
    label: str
    frame: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A comparison of one photo: where it is, and the files of its layers by the label of the network that makes them."""

    name: str
    source: Path
    frame: int | None
    target: Path
    layers: Mapping[str, Mapping[str, Path]]


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """All there is to do, the photos left out because all their outputs exist, and those not read here: path → kind."""

    photos: tuple[PhotoJob, ...]
    sheets: tuple[Sheet, ...] = ()
    skipped: tuple[str, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)


def plan_jobs(options: PhotoOptions, task: str) -> Jobs:
    """One job per photo and network. Raises UsageError for options that contradict each other, names and places that cannot be."""
    labels, tags = list(labelled(options.model)), layer_tags(options, task)
    _check(options, [layer for _, layer in tags.values()])
    if PIPE in (options.output, *options.photos):
        label, layer = next(iter(tags.values()))
        return Jobs(photos=(_piped(options, layer, label),))
    found = find(options.photos)
    counted = _frames(found.photos) if options.frames == "all" else {}
    plan = plan_outputs(
        found.photos,
        output=Path(options.output) if options.output else None,
        layers=list(tags),
        format=options.format,
        overwrite=options.overwrite,
        skip_existing=options.skip_existing,
        sheets=options.compare,
        frames={path: min(count, MOST_FRAMES) for path, count in counted.items()},
    )
    jobs: list[PhotoJob] = []
    sheets: list[Sheet] = []
    for job in plan.jobs:
        beyond = counted.get(job.source, 0) - MOST_FRAMES
        if beyond > 0 and job.frame == MOST_FRAMES - 1:
            job = replace(job, notes=(*job.notes, f"the last of the frames that are taken; {beyond} further ones are left out"))
        jobs += _of_photo(job, tags)
        if job.sheet is not None:
            by_label = {label: _of_label(job.all_outputs, tags, label) for label in labels}
            sheets.append(Sheet(name=_called(job), source=job.source, frame=job.frame, target=job.sheet, layers=by_label))
    unread = {str(path): kind for path, kind in found.unread.items()}
    return Jobs(photos=tuple(jobs), sheets=tuple(sheets), skipped=tuple(map(str, plan.skipped)), unread=unread)


def _frames(photos: Sequence[Found]) -> dict[Path, int]:
    """How many frames photos have that have several; what is wrong with a photo is said when it is read."""
    from limpid.image.read import count_frames

    counted: dict[Path, int] = {}
    for item in photos:
        with suppress(PhotoError):
            counted[item.path] = count_frames(item.path)
    return {path: count for path, count in counted.items() if count > 1}


def _of_photo(job: Job, tags: Mapping[str, tuple[str, str]]) -> list[PhotoJob]:
    found = []
    for label in dict.fromkeys(label for label, _ in tags.values()):
        outputs = _of_label(job.outputs, tags, label)
        if outputs:
            found.append(
                PhotoJob(name=_called(job), source=job.source, outputs=outputs, label=label, frame=job.frame, notes=job.notes)
            )
    return found


def _of_label(outputs: Mapping[str, Path], tags: Mapping[str, tuple[str, str]], label: str) -> dict[str, Path]:
    return {tags[tag][1]: path for tag, path in outputs.items() if tags[tag][0] == label}


def _called(job: Job) -> str:
    return str(job.source) if job.frame is None else f"{job.source}[{job.frame + 1}]"


def layer_tags(options: PhotoOptions, task: str) -> dict[str, tuple[str, str]]:
    """What stands in the name of a file → the label of its network, where there are several, and the layer it holds."""
    layers, labels = [*_layers(options, task), *_edited(options)], list(labelled(options.model))
    return {layer if len(labels) == 1 else f"{label}.{layer}": (label, layer) for label in labels for layer in layers}


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


def _check(options: PhotoOptions, layers: Sequence[str]) -> None:
    """What can be wrong with one file as the output of it all, and with options that only some networks have."""
    one_file = options.output is not None and (options.output == PIPE or format_of(options.output) is not None)
    if one_file and len(options.model) > 1:
        raise UsageError(f"-o {options.output} holds one result; give one --model or a folder")
    if one_file and len(layers) > 1 and (options.layers is not None or _edited(options)):
        raise UsageError(f"-o {options.output} holds one layer, not {', '.join(layers)}; name one with --layers, or a folder")
    if options.preview is not None and not {DOUBLE_DIP, DOUBLE_DIP_PERCEPTUAL} & set(labelled(options.model).values()):
        raise UsageError("--preview shows what double_dip draws; add -m double_dip or leave it out")


def _layers(options: PhotoOptions, name: str) -> list[str]:
    task = find_task(name)
    if options.layers is None:
        return list(task.layers)
    return list(dict.fromkeys(task.layer_name(wanted.strip()) for wanted in options.layers.split(",")))


def _edited(options: PhotoOptions) -> list[str]:
    """Names of what is to be made of the layers. Raises UsageError for a task without albedo and shading."""
    names = edit_names(options.relight, options.recolour) if isinstance(options, DecomposeOptions) else []
    if names and options.task not in (None, "intrinsic"):
        raise UsageError(f"--relight and --recolour change albedo and shading; --task {options.task} has none, leave it out")
    return names


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
