"""``limpid train``: from a recipe to weights."""

import json
from pathlib import Path
from typing import Annotated

import typer

from limpid.errors import UsageError


def train(
    recipe: Annotated[str | None, typer.Argument(help="Name of a shipped recipe, or a YAML file.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]…", help="E.g. train.epochs=20 data.batch=4 VOC=/data/voc")
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Show the shipped recipes.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of recipes, for editors.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show recipe, sizes, memory, first batch and a contact sheet; no step.")
    ] = False,
    name: Annotated[str | None, typer.Option(help="Name of the run (that of the recipe).")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of runs; this one goes to OUT/NAME.")] = Path("runs"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the run stands.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Resume although the recipe or the number of devices differs.")] = False,
    init: Annotated[Path | None, typer.Option(help="Checkpoint to start the network from, ours or a published one.")] = None,
    test_only: Annotated[
        bool, typer.Option("--test-only", help="No training: score the run's best weights, dump pictures.")
    ] = False,
    devices: Annotated[int | None, typer.Option(min=1, help="Processes, one per device (train.devices).")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    backbone_weights: Annotated[
        str, typer.Option(help="Of pretrained backbones: pretrained, FILE, DIR, or none (random).")
    ] = "pretrained",
    max_steps: Annotated[int | None, typer.Option(min=1, help="Stop after this step, resumable.")] = None,
    max_minutes: Annotated[float | None, typer.Option(min=0.0, help="Stop after so many minutes, resumable.")] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Leave out photos of paired folders without a partner.")
    ] = False,
    on_mismatch: Annotated[str | None, typer.Option(help="Pairs of unequal size: refuse, crop, resize or skip.")] = None,
    comment: Annotated[str | None, typer.Option(help="A note that stays with the run.")] = None,
    wandb: Annotated[
        bool, typer.Option("--wandb", help="Also log to Weights & Biases (offline unless you are logged in).")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only errors.")] = False,
    traceback: Annotated[bool, typer.Option("--traceback", help="Show where an error came from.")] = False,
) -> None:
    """Train a network by a recipe; leaves OUT/NAME with records, the state to resume from, and the best weights.

    limpid train limpid PHOTOS=~/photos HELD=~/held_out LEAVES=~/leaves

    limpid train errnet --resume --max-minutes 30
    """
    if listing or schema:
        _show(schema)
        return
    if recipe is None:
        raise UsageError(
            "name a recipe: `limpid train --list` shows those that come with limpid, `limpid train FILE.yaml` takes yours"
        )
    from limpid.recipe.load import load

    given = list(overrides or ())
    given += [f"train.devices={devices}"] if devices is not None else []
    given += [f"comment={json.dumps(comment.replace('$', '$$'), ensure_ascii=False)}"] if comment is not None else []
    loaded = load(recipe, [*given, *_pairs(recipe, given, allow_missing, on_mismatch)])
    folder = out / (name or loaded.recipe.name)
    if dry_run:
        from limpid.training.dry_run import dry_run as preview_run

        typer.echo(preview_run(loaded, folder, backbone_weights=backbone_weights))
        return
    from limpid.training.trainer import TrainOptions, score_run, train

    options = TrainOptions(
        folder=folder,
        resume=resume,
        force=force,
        init=init,
        backbone_weights=backbone_weights,
        device=device,
        max_steps=max_steps,
        max_minutes=max_minutes,
        wandb=wandb,
        quiet=quiet,
    )
    code = score_run(loaded, options) if test_only else train(loaded, options)
    if code:
        raise typer.Exit(code)


def _pairs(recipe: str, given: list[str], allow_missing: bool, on_mismatch: str | None) -> list[str]:
    """The overrides that tell every source of paired folders what to let pass."""
    if not allow_missing and on_mismatch is None:
        return []
    from limpid.recipe.load import load

    wanted = []
    for place, item in enumerate(load(recipe, given).recipe.data.train):
        if item.name in ("pairs", "unaligned"):
            wanted += [f"data.train.{place}.allow_missing=true"] if allow_missing else []
            wanted += [f"data.train.{place}.on_mismatch={on_mismatch}"] if on_mismatch is not None else []
    if not wanted:
        raise UsageError("--allow-missing and --on-mismatch concern paired folders; this recipe trains on none")
    return wanted


def _show(schema: bool) -> None:
    if schema:
        from limpid.recipe.json_schema import schema as make

        typer.echo(json.dumps(make(), indent=2))
        return
    from limpid.recipe.load import describe, shipped

    for name in shipped():
        summary = describe(name)
        typer.echo(f"{name}: {summary.line}")
        typer.echo(f"  source {summary.source}")
