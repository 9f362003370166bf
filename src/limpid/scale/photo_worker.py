"""One worker: its networks, and a photo from anywhere to layers anywhere, by the same steps as a command on one machine."""

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from limpid.errors import LimpidError, UsageError
from limpid.image.output_paths import output_names
from limpid.runtime.batch import Report, prepare_jobs
from limpid.runtime.options import PhotoOptions
from limpid.runtime.photo_jobs import PhotoJob, layer_tags, plan_jobs
from limpid.scale.photo_rows import PhotoRow
from limpid.scale.places import deliver, fetch, join, local_path


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a photo: a report per network; ``refused``: why no photo can be done as was asked."""

    source: str
    reports: tuple[Report, ...]
    refused: str | None = None

    @property
    def error(self) -> str | None:
        """Why it failed; None when it is done."""
        return next((report.error for report in self.reports if report.error), None)

    def to_json(self) -> str:
        """As text, which every transport carries."""
        return json.dumps({"source": self.source, "reports": [asdict(one) for one in self.reports], "refused": self.refused})

    @classmethod
    def from_json(cls, text: str) -> "Outcome":
        """Back from the text."""
        data = json.loads(text)
        return cls(source=data["source"], reports=tuple(Report(**one) for one in data["reports"]), refused=data["refused"])


class PhotoWorker:
    """Networks loaded once; ``beside``: workers that share this machine's memory, ``threads``: of the networks, None leaves them.

    Raises what ``load`` raises.
    """

    def __init__(self, options: PhotoOptions, task: str, *, beside: int = 1, threads: int | None = None) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self.task = task
        self.options = replace(
            options,
            engine="local",
            workers=None,
            threads=None,
            address=None,
            resume=False,
            overwrite=True,  # its own outputs, of a try that was cut short
            skip_existing=False,
        )
        self.one = prepare_jobs(self.options, task, beside=1 if options.max_memory else beside)

    def process(self, row: PhotoRow) -> Outcome:
        """Do one photo; whatever goes wrong is in the outcome. Doing it twice leaves the same files."""
        started = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="limpid-") as folder:
            try:
                source = fetch(row.source, Path(folder))
                jobs = self._plan(row, source, Path(folder, "out"))
            except (LimpidError, OSError) as error:
                seconds = round(time.perf_counter() - started, 3)
                return Outcome(source=row.source, reports=(Report(input=row.source, error=_text(error), seconds=seconds),))
            try:
                reports = tuple(self._run(job, row, source) for job in jobs)
            except UsageError as error:
                return Outcome(source=row.source, reports=(), refused=str(error))
        return Outcome(source=row.source, reports=reports)

    def _plan(self, row: PhotoRow, source: Path, scratch: Path) -> Sequence[PhotoJob]:
        output = local_path(row.folder) or scratch
        wanted = replace(self.options, photos=(str(source),), output=str(output))
        jobs = plan_jobs(wanted, self.task).photos
        names = {path.name for job in jobs for path in job.outputs.values() if isinstance(path, Path)}
        promised, _ = output_names(source, list(layer_tags(self.options, self.task)), None)
        if self.options.format == "same" and names != set(promised.values()) and not row.alone:
            raise UsageError(f"{row.source}: its contents and its extension disagree, and another file has its name; rename it")
        return [_without(job, row.keep) for job in jobs]

    def _run(self, job: PhotoJob, row: PhotoRow, source: Path) -> Report:
        report = self.one(replace(job, name=row.source))
        for layer, path in list(report.outputs.items()):
            target = join(row.folder, Path(path).name)
            if local_path(row.folder) is None and report.error is None and not self.options.dry_run:
                try:
                    deliver(Path(path), target)
                except LimpidError as error:
                    report.error = str(error)
            report.outputs[layer] = target
        if report.error:
            report.error = report.error.replace(str(source), row.source)
        return report


def _without(job: PhotoJob, names: Sequence[str]) -> PhotoJob:
    """A job that leaves out files of some names."""
    kept = {layer: path for layer, path in job.outputs.items() if isinstance(path, Path) and path.name not in names}
    return replace(job, outputs=kept)


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, LimpidError) else " ".join(f"{type(error).__name__}: {error}".split())[:200]
