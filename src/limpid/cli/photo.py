"""``limpid separate``, ``denoise``, ``deblur``, ``decompose``: one set of options, its progress, its reports, its exit code."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import typer

from limpid.cli.from_options import takes
from limpid.errors import printable
from limpid.image.find import count_kinds
from limpid.progress import bar, say, tell, tell_data, tell_raw
from limpid.runtime.options import DecomposeOptions, PhotoOptions
from limpid.runtime.photo_jobs import PIPE, Jobs, plan_jobs

if TYPE_CHECKING:
    from limpid.runtime.batch import Report


def photo_command(task: str) -> Callable[..., None]:
    """The command of one task; all take the same options, since what differs is the network."""

    @takes(DecomposeOptions if task == "intrinsic" else PhotoOptions)
    def command(options: PhotoOptions) -> None:
        wanted = options.task or task
        if options.engine == "ray":
            _by_workers(options, wanted)
            return
        jobs = plan_jobs(options, wanted)
        reports = _process(jobs, options, wanted)
        sheets = [] if options.dry_run else _compare(jobs, reports, options)
        _close(reports, jobs, options, sheets)

    return command


def _by_workers(options: PhotoOptions, task: str) -> None:
    from limpid.scale.photos import plan_run, run_photos

    run = plan_run(options, task)
    counted: Counter[bool] = Counter()
    try:
        for outcome in run_photos(run):
            for report in outcome.reports:
                counted[report.error is None] += 1
                _tell(report, options)
    except KeyboardInterrupt:
        say(f"limpid: stopped; {counted[True]} photos are done, nothing is half-written; --resume goes on")
        raise
    counts = _Counts(done=counted[True], skipped=len(run.rows.skipped), failed=counted[False])
    _summarise(counts, run.rows.unread, options)


def _process(jobs: Jobs, options: PhotoOptions, task: str) -> list["Report"]:
    if not jobs.photos:
        return []
    from limpid.runtime.batch import run_jobs

    reports = []
    with bar(total=len(jobs.photos), unit="photo", quiet=options.quiet or options.as_json) as progress:
        try:
            for report in run_jobs(jobs, options, task, progress.begin):
                reports.append(report)
                _tell(report, options)
                progress.end(report.input)
        except KeyboardInterrupt:
            say(f"limpid: stopped; {_count(reports)} of {len(jobs.photos)} photos are done, nothing is half-written")
            raise
    for target in (target for job in jobs.photos for target in job.outputs.values()):
        if isinstance(target, BytesIO):
            tell_raw(target.getvalue())
    return reports


def _tell(report: "Report", options: PhotoOptions) -> None:
    if options.as_json:
        tell_data(asdict(report))
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
            tell(str(path))


def _compare(jobs: Jobs, reports: Sequence["Report"], options: PhotoOptions) -> list[str]:
    """The sheets of photos that were done."""
    if not jobs.sheets:
        return []
    from limpid.runtime.comparison_sheet import write_sheets

    told = {report.input for report in reports if report.error is None}
    undone = {job.name for job in jobs.photos} - told | {report.input for report in reports if report.error}
    made = [str(path) for path in write_sheets(jobs.sheets, undone, overwrite=options.overwrite)]
    for path in made:
        if not options.quiet and not options.as_json:
            tell(path)
    return made


def _count(reports: Sequence["Report"]) -> int:
    return sum(report.error is None for report in reports)


def _close(reports: Sequence["Report"], jobs: Jobs, options: PhotoOptions, sheets: Sequence[str]) -> None:
    counts = _Counts(
        done=_count(reports),
        skipped=len(jobs.skipped),
        failed=len(reports) - _count(reports),
        left=len(jobs.photos) - len(reports),
    )
    _summarise(counts, jobs.unread, options, sheets)


@dataclass(frozen=True, kw_only=True)
class _Counts:
    """How many photos; ``left``: not begun, after --fail-fast."""

    done: int
    skipped: int
    failed: int
    left: int = 0


def _summarise(counts: _Counts, unread: Mapping[str, str], options: PhotoOptions, sheets: Sequence[str] = ()) -> None:
    done, skipped, failed, left = counts.done, counts.skipped, counts.failed, counts.left
    if options.as_json:
        more: dict[str, Any] = {"left": left} if left else {}
        more |= {"compare": list(sheets)} if options.compare else {}
        more |= {"not_read": dict(Counter(unread.values()))} if unread else {}
        tell_data({"summary": {"done": done, "skipped": skipped, "failed": failed, **more}})
    elif not options.quiet and (done + failed + left + skipped > 1 or unread):
        more_too = f", {left} left by --fail-fast" if left else ""
        more_too += f", {count_kinds(unread.values())}" if unread else ""
        say(f"{done} done, {skipped} skipped, {failed} failed{more_too}")
    if options.verbose:
        for path, kind in unread.items():
            say(f"{printable(path)}: not read here: {kind}")
    if failed or (options.strict and unread):
        raise typer.Exit(1)
