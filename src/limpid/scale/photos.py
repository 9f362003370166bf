"""``limpid separate --engine ray`` and its sisters: the photos of a command through workers of Ray, with a manifest."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from limpid.errors import UsageError
from limpid.files import remove_partial
from limpid.runtime.batch import Report
from limpid.runtime.load import load_with
from limpid.runtime.options import DeviceOptions, PhotoOptions, SeparationOptions
from limpid.runtime.photo_jobs import labelled
from limpid.scale.cluster import cluster, need_ray, run_rows
from limpid.scale.photo_rows import PhotoRow, PhotoRows, check_options, plan_rows
from limpid.scale.photo_worker import Outcome, PhotoWorker
from limpid.scale.places import local_path
from limpid.scale.run_manifest import RunManifest

_MADE_BY = {
    *(one.name for one in fields(SeparationOptions)),
    *("layers", "format", "quality", "allow_truncated", "max_pixels", "precision", "backbone_weights", "weights", "backend"),
    *("relight", "recolour", "strip_metadata", "provenance"),
}
"""Options that the bytes of an output depend on."""


@dataclass(frozen=True, kw_only=True)
class PhotoRun:
    """What is to be done, and the manifest it is noted in; None where nothing is written."""

    options: PhotoOptions
    task: str
    rows: PhotoRows
    manifest: RunManifest | None


def plan_run(options: PhotoOptions, task: str) -> PhotoRun:
    """Names, places, weights and the manifest, all checked before a worker starts.

    Raises MissingExtraError, UsageError, PlaceError, DiskError, and what ``load`` raises.
    """
    need_ray()
    output = check_options(options)
    if options.resume:
        known = RunManifest(output, _header(options, task), resume=True)
        return PhotoRun(options=options, task=task, rows=plan_rows(options, task, known.done), manifest=known)
    rows, header = plan_rows(options, task), _header(options, task)
    again = options.overwrite or options.skip_existing
    manifest = None if options.dry_run else RunManifest(output, header, resume=False, overwrite=again)
    return PhotoRun(options=options, task=task, rows=rows, manifest=manifest)


def _header(options: PhotoOptions, task: str) -> dict[str, Any]:
    """What the outputs depend on. Loads each network once, here, so that a name that is wrong is said before workers start."""
    here = DeviceOptions(
        device="cpu", backbone_weights=options.backbone_weights, weights=options.weights, backend="torch", offline=options.offline
    )
    weights = {label: load_with(name, here, task).sha256 for label, name in labelled(options.model).items()}
    settings = {name: value for name, value in asdict(options).items() if name in _MADE_BY}
    return {"task": task, "weights": weights, **json.loads(json.dumps(settings, default=str))}


def run_photos(run: PhotoRun) -> Iterator[Outcome]:
    """Outcomes of all photos as they come, noted in the manifest. Raises UsageError for a wish that is wrong for every photo."""
    if not run.rows.rows:
        return
    options = replace(run.options, model=tuple(_absolute(run.options.model)))
    sent = [(row.source, json.dumps(asdict(row))) for row in run.rows.rows]
    try:
        with cluster(options, options.device, quiet=options.quiet or options.as_json) as where:
            make = partial(_RowWorker, options, run.task, where.beside, where.threads)
            for text in run_rows(sent, make, where):
                outcome = Outcome.from_json(text)
                if outcome.refused is not None:
                    raise UsageError(outcome.refused)
                _note(outcome, run.manifest)
                yield outcome
    finally:
        if run.manifest is not None:
            run.manifest.flush()
        for folder in {local_path(row.folder) for row in run.rows.rows}:
            if folder is not None and not options.dry_run:
                remove_partial(folder)  # of workers that were killed


def _note(outcome: Outcome, manifest: RunManifest | None) -> None:
    if manifest is not None:
        outputs = {f"{report.model}.{layer}": place for report in outcome.reports for layer, place in report.outputs.items()}
        manifest.add(outcome.source, outputs, outcome.error, sum(report.seconds for report in outcome.reports))


def _absolute(models: Sequence[str]) -> Iterator[str]:
    """Names of models that mean the same file in every folder."""
    for label, name in labelled(models).items():
        yield f"{label}={Path(name).absolute() if Path(name).exists() else name}"


class _RowWorker:
    """A worker on rows as they are sent."""

    def __init__(self, options: PhotoOptions, task: str, beside: int, threads: int) -> None:
        self.worker = PhotoWorker(options, task, beside=beside, threads=threads)

    def __call__(self, row: str) -> str:
        return self.worker.process(PhotoRow.from_json(row)).to_json()

    def give_up(self, row: str, reason: str) -> str:
        source = PhotoRow.from_json(row).source
        return Outcome(source=source, reports=(Report(input=source, error=f"{source}: {reason}"),)).to_json()
