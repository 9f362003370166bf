"""``limpid evaluate``: any models and any folders of outputs, on any sets, by a protocol with a name."""

import shlex
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limpid.cli.batch import labelled
from limpid.cli.photo import Resolution
from limpid.errors import UsageError
from limpid.progress import say

if TYPE_CHECKING:
    from limpid.evaluation.results import Results


class Traces(StrEnum):
    """Of which images input, output and truth are saved: all, the worst and best of each model, or none."""

    all = "all"
    worst = "worst"
    none = "none"


def evaluate(
    model: Annotated[list[str] | None, typer.Option("--model", "-m", help="NAME, FILE or LABEL=FILE; repeatable.")] = None,
    outputs: Annotated[
        list[str] | None, typer.Option("--outputs", metavar="NAME=DIR", help="Outputs of other code, by stem; repeatable.")
    ] = None,
    on: Annotated[list[str] | None, typer.Option("--on", metavar="SET[=DIR]", help="Set, folder, or both; repeatable.")] = None,
    suite: Annotated[str | None, typer.Option(help="Sets by one name: sirr, the six of reflection removal.")] = None,
    roots: Annotated[Path | None, typer.Option(help="YAML of `SET: folder` lines for --suite.")] = None,
    protocol: Annotated[
        str | None, typer.Option(help="field, joint8, wang, y601, openrr or restoration (field; restoration with --degrade).")
    ] = None,
    size_rule: Annotated[str, typer.Option(help="native, floor32, floor8 or floor4.")] = "native",
    metrics: Annotated[str | None, typer.Option(help="Further measures, e.g. lpips_vgg,psnr_y.")] = None,
    degrade: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND:…", help="noise:sigma=5,25,50 or blur:kernels=small,mild,big[:sigma=…][:file=…]; repeatable."),
    ] = None,
    crop: Annotated[str | None, typer.Option(metavar="N[,N]", help="With --degrade: centre crops, e.g. 500 for Kodak24.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="With --degrade: of noise and kernels.")] = 0,
    report: Annotated[Path, typer.Option(help="Folder of tables, report and remembered scores.")] = Path("evaluation"),
    count: Annotated[int | None, typer.Option("-n", min=1, help="So many images of each set.")] = None,
    traces: Annotated[Traces, typer.Option(help="Of which images input, output and truth are saved.")] = Traces.worst,
    jobs: Annotated[int, typer.Option(min=1, help="Processes beside each other; --max-memory is shared.")] = 1,
    max_memory: Annotated[str | None, typer.Option(help="Memory above the imported process, e.g. 2GB.")] = None,
    resolution: Annotated[Resolution, typer.Option(help="full: every pixel; auto: as `limpid separate`.")] = Resolution.full,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps, xpu.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")] = "auto",
    backbone_weights: Annotated[
        str, typer.Option(help="Of networks and LPIPS: pretrained, FILE, DIR, or none (random; networks only).")
    ] = "pretrained",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only errors.")] = False,
    traceback: Annotated[bool, typer.Option("--traceback", help="Show where an error came from.")] = False,
) -> None:
    """Measure models against the untouched input, the first row; scores are remembered in the report folder.

    limpid evaluate -m default --on table2=data/ceilnet_table2 --report out

    limpid evaluate -m net.pt --on data/kodak24 --degrade noise:sigma=15,25,50 --crop 500 --report curves

    limpid evaluate --suite sirr --roots roots.yaml --outputs theirs=results
    """
    from limpid.evaluation.degradations import parse
    from limpid.evaluation.evaluate import EvaluateOptions
    from limpid.evaluation.evaluate import evaluate as run
    from limpid.evaluation.write import write
    from limpid.runtime.memory import parse_bytes

    if (crop or seed) and not degrade:
        raise UsageError("--crop and --seed belong to --degrade; add it or leave them out")
    if roots is not None and suite is None:
        raise UsageError("--roots belongs to --suite; add it or leave it out")
    degradations = parse(degrade or (), _sides(crop), seed)
    sets, absent = _suite(suite, roots, on or [], quiet)
    results = run(
        EvaluateOptions(
            sets=sets,
            report=report,
            models=labelled(model or ()),
            outputs=_folders(outputs or ()),
            protocol=protocol,
            size_rule=size_rule,
            degradations=degradations,
            count=count,
            traces=traces.value,
            jobs=jobs,
            max_memory=parse_bytes(max_memory) if max_memory else None,
            device=device,
            precision=precision,
            backbone_weights=backbone_weights,
            resolution=resolution.value,
            further=[name.strip() for name in (metrics or "").split(",") if name.strip()],
            command=shlex.join(["limpid", *sys.argv[1:]]),
            absent=absent,
            quiet=quiet,
        )
    )
    written = write(results, report)
    _show(results, written, quiet)
    if any(score.error for score in results.scores):
        raise typer.Exit(1)


def _show(results: "Results", written: Sequence[Path], quiet: bool) -> None:
    if quiet:
        return
    from rich.console import Console

    from limpid.evaluation.tables import console, field_table, main_table

    screen = Console(width=None if sys.stdout.isatty() else 240, highlight=False, markup=False)
    for table in (main_table(results), field_table(results)):
        if table is not None:
            screen.print(console(table))
    for note in results.notes:
        say(f"note: {note}")
    typer.echo("\n".join(map(str, written)))


def _suite(name: str | None, roots: Path | None, on: list[str], quiet: bool) -> tuple[list[str], list[str]]:
    """What to evaluate on, and what of a suite is not here."""
    if name is None:
        return on, []
    from limpid.evaluation.suite import choose, members

    if not quiet:
        typer.echo("\n".join(f"{member}: {says}" for member, says in members(name).items()))
    present, absent = choose(name, roots)
    return [*present, *on], absent


def _folders(given: Sequence[str]) -> dict[str, Path]:
    folders: dict[str, Path] = {}
    for text in given:
        label, equals, folder = text.partition("=")
        if not equals or not label or not folder:
            raise UsageError(f"--outputs takes NAME=DIR; got {text!r}")
        if label in folders:
            raise UsageError(f"two folders of outputs are called {label!r}; choose another label")
        folders[label] = Path(folder).expanduser()
    return folders


def _sides(text: str | None) -> list[int]:
    sides = text.split(",") if text else []
    if not all(side.strip().isdigit() and int(side) > 0 for side in sides):
        raise UsageError(f"--crop takes sides in pixels, e.g. 500 or 128,256; got {text!r}")
    return [int(side) for side in sides]
