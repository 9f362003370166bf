"""What all photo commands share: from options to a batch, its progress, its reports, its exit code."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from limpid.errors import UsageError
from limpid.image.find import find
from limpid.image.formats import format_of
from limpid.image.output_paths import plan_outputs
from limpid.layers.task import TASKS
from limpid.progress import bar, say

if TYPE_CHECKING:
    from limpid.runtime.batch import Report, Work
    from limpid.runtime.separator import Separator

PIPE = "-"


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of a photo command, as typed; see ``limpid separate --help``."""

    task: str
    photos: Sequence[str]
    output: str | None
    models: Sequence[str]
    layers: str | None
    strength: float
    max_memory: str | None
    max_pixels: int | None
    tile: str
    resolution: str
    device: str
    precision: str
    backbone_weights: str
    format: str | None
    quality: int
    overwrite: bool
    skip_existing: bool
    allow_truncated: bool
    jobs: int
    as_json: bool
    quiet: bool
    verbose: bool
    traceback: bool
    dry_run: bool


def run(options: Options) -> None:
    """Carry out the options; exits with 1 when a photo failed. Names and places are checked before any network is loaded."""
    _check(options)
    labels = labelled(options.models)
    works, skipped = _works(options, list(labels))
    reports: list[Report] = []
    if works:
        separators = _load(labels, options)
        reports = _process(works, separators, options)
    _close(reports, skipped, options)


def _check(options: Options) -> None:
    if options.overwrite and options.skip_existing:
        raise UsageError("--overwrite and --skip-existing contradict each other; give one of them")
    if options.as_json and options.output == PIPE:
        raise UsageError("standard output cannot hold both the photo and --json; give one of them a file")
    one_file = options.output is not None and (options.output == PIPE or format_of(options.output) is not None)
    if one_file and len(options.models) > 1:
        raise UsageError(f"-o {options.output} holds one result; give one --model or a folder")


def labelled(models: Sequence[str]) -> dict[str, str]:
    """Label → name or file; a plain name labels itself by its stem."""
    labels: dict[str, str] = {}
    for model in models:
        label, separator, file = model.partition("=")
        name = file if separator else model
        label = label if separator else Path(model).stem
        if label in labels:
            raise UsageError(f"two models are called {label!r}; name them apart with --model LABEL=FILE")
        labels[label] = name
    return labels


def _layers(options: Options) -> list[str]:
    task = TASKS[options.task]
    if options.layers is None:
        return list(task.layers)
    return list(dict.fromkeys(task.layer_name(wanted.strip()) for wanted in options.layers.split(",")))


def _works(options: Options, labels: list[str]) -> tuple[list["Work"], list[str]]:
    """One work per photo and model, and the photos left out because their outputs exist."""
    layers = _layers(options)
    if options.output == PIPE or PIPE in options.photos:
        return [_piped(options, layers, labels[0])], []
    tags = {layer if len(labels) == 1 else f"{label}.{layer}": (label, layer) for label in labels for layer in layers}
    found = find(options.photos)
    plan = plan_outputs(
        found,
        output=Path(options.output) if options.output else None,
        layers=list(tags),
        format=options.format,
        overwrite=options.overwrite,
        skip_existing=options.skip_existing,
    )
    from limpid.runtime.batch import Work

    works = []
    for job in plan.jobs:
        for label in labels:
            outputs = {tags[tag][1]: path for tag, path in job.outputs.items() if tags[tag][0] == label}
            if outputs:
                works.append(Work(name=str(job.source), source=job.source, outputs=outputs, label=label, notes=job.notes))
    return works, [str(path) for path in plan.skipped]


def _piped(options: Options, layers: list[str], label: str) -> "Work":
    """The one work of a pipe: standard input, standard output, or both."""
    if len(options.photos) != 1:
        raise UsageError(f"a pipe carries one photo; got {len(options.photos)} inputs")
    source, output = options.photos[0], options.output
    if output is None:
        raise UsageError("a photo from standard input needs -o FILE or -o -")
    if output != PIPE and Path(output).exists() and not options.overwrite:
        raise UsageError(f"{output} exists; choose another name with -o or add --overwrite")
    from limpid.runtime.batch import Work

    content: Path | bytes = sys.stdin.buffer.read() if source == PIPE else find([source])[0].path
    target: Path | BytesIO = BytesIO() if output == PIPE else Path(output)
    name = "standard input" if source == PIPE else source
    return Work(name=name, source=content, outputs={layers[0]: target}, label=label)


def _load(labels: Mapping[str, str], options: Options) -> dict[str, "Separator"]:
    from limpid.runtime.load import load

    separators = {}
    for label, name in labels.items():
        separators[label] = load(name, options.device, options.precision, options.backbone_weights, task=options.task)
    return separators


def _process(works: list["Work"], separators: Mapping[str, "Separator"], options: Options) -> list["Report"]:
    from limpid.image.read import MAX_PIXELS
    from limpid.runtime.batch import Settings
    from limpid.runtime.batch import run as run_batch
    from limpid.runtime.memory import default_budget, parse_bytes
    from limpid.runtime.separator import SeparationOptions

    budget = parse_bytes(options.max_memory) if options.max_memory else default_budget()
    settings = Settings(
        options=SeparationOptions(
            strength=options.strength,
            resolution=options.resolution,
            tile=options.tile,
            max_memory=budget // options.jobs,
        ),
        format=options.format,
        quality=options.quality,
        max_pixels=options.max_pixels or MAX_PIXELS,
        allow_truncated=options.allow_truncated,
        overwrite=options.overwrite,
        reraise=options.traceback,
    )
    reports = []
    with bar(total=len(works), unit="photo", quiet=options.quiet or options.as_json) as progress:
        try:
            for report in run_batch(works, separators, settings, jobs=options.jobs, dry=options.dry_run):
                reports.append(report)
                _tell(report, options)
                progress.advance(report.input)
        except KeyboardInterrupt:
            say(f"limpid: stopped; {_count(reports)} of {len(works)} photos are done, nothing is half-written")
            raise
    buffers = [target for work in works for target in work.outputs.values() if isinstance(target, BytesIO)]
    for buffer in buffers:
        sys.stdout.buffer.write(buffer.getvalue())
    return reports


def _tell(report: "Report", options: Options) -> None:
    if options.as_json:
        typer.echo(json.dumps(asdict(report), ensure_ascii=False))
        return
    if report.error:
        say(f"limpid: {report.error}")
        return
    if options.quiet:
        return
    if options.verbose or options.dry_run:
        say(f"{report.input}: {report.plan}")
    for warning in report.warnings:
        say(f"{report.input}: note: {warning}")
    if options.output != PIPE:
        for path in report.outputs.values():
            typer.echo(path)


def _count(reports: Sequence["Report"]) -> int:
    return sum(report.error is None for report in reports)


def _close(reports: Sequence["Report"], skipped: Sequence[str], options: Options) -> None:
    done, failed = _count(reports), len(reports) - _count(reports)
    if options.as_json:
        typer.echo(json.dumps({"summary": {"done": done, "skipped": len(skipped), "failed": failed}}))
    elif not options.quiet and len(reports) + len(skipped) > 1:
        say(f"{done} done, {len(skipped)} skipped, {failed} failed")
    if failed:
        raise typer.Exit(1)
