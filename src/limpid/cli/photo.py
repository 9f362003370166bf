"""``limpid separate``, ``denoise``, ``deblur``, ``decompose``: one set of options, translated into one batch."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer

from limpid.cli.batch import Options, run


class Resolution(StrEnum):
    """``auto`` separates large photos at working size and rebuilds them, ``full`` runs the network on every pixel."""

    auto = "auto"
    full = "full"


def photo_command(task: str) -> Callable[..., None]:
    """The command of one task; all take the same options, since what differs is the network."""

    def command(
        photos: Annotated[list[str], typer.Argument(help="Photos, folders, quoted globs, or - for standard input.")],
        output: Annotated[
            str | None, typer.Option("--output", "-o", help="Folder; a file or - for one photo's first layer.")
        ] = None,
        model: Annotated[list[str] | None, typer.Option("--model", "-m", help="NAME, FILE or LABEL=FILE; repeatable.")] = None,
        layers: Annotated[str | None, typer.Option(help="Layers to write, e.g. T,R or transmission,residual.")] = None,
        strength: Annotated[float, typer.Option(help="0…1: how far to go from the photo to the network's answer.")] = 1.0,
        max_memory: Annotated[str | None, typer.Option(help="Memory above the imported process, e.g. 600MB.")] = None,
        max_pixels: Annotated[int | None, typer.Option(help="Refuse photos with more pixels (default 178,956,970).")] = None,
        tile: Annotated[str, typer.Option(help="auto, off or the side of a tile in pixels.")] = "auto",
        resolution: Annotated[
            Resolution, typer.Option(help="auto: large photos by guided rebuilding; full: every pixel.")
        ] = Resolution.auto,
        device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps, xpu.")] = "auto",
        precision: Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")] = "auto",
        backbone_weights: Annotated[
            str, typer.Option(help="pretrained, none or a file, for networks with a backbone.")
        ] = "pretrained",
        format: Annotated[str, typer.Option(help="same, jpg, png, webp, tiff, bmp or avif.")] = "same",  # noqa: A002
        quality: Annotated[int, typer.Option(min=1, max=100, help="Of lossy formats.")] = 95,
        overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")] = False,
        skip_existing: Annotated[bool, typer.Option("--skip-existing", help="Leave photos out whose outputs exist.")] = False,
        allow_truncated: Annotated[
            bool, typer.Option("--allow-truncated", help="Process cut-off photos, missing rows grey.")
        ] = False,
        jobs: Annotated[int, typer.Option(min=1, help="Photos handled beside each other.")] = 1,
        as_json: Annotated[
            bool, typer.Option("--json", help="One JSON object per photo and a summary on standard output.")
        ] = False,
        quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only errors.")] = False,
        verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say how each photo was run.")] = False,
        traceback: Annotated[bool, typer.Option("--traceback", help="Show where an error came from.")] = False,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")] = False,
    ) -> None:
        run(
            Options(
                task=task,
                photos=photos,
                output=output,
                models=model or ["default"],
                layers=layers,
                strength=strength,
                max_memory=max_memory,
                max_pixels=max_pixels,
                tile=tile,
                resolution=resolution.value,
                device=device,
                precision=precision,
                backbone_weights=backbone_weights,
                format=None if format == "same" else format,
                quality=quality,
                overwrite=overwrite,
                skip_existing=skip_existing,
                allow_truncated=allow_truncated,
                jobs=jobs,
                as_json=as_json,
                quiet=quiet,
                verbose=verbose,
                traceback=traceback,
                dry_run=dry_run,
            )
        )

    return command
