"""``limpid synthesise``: seeded synthetic data with a manifest from which it can be made again."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from limpid.cli.settings import parse_settings
from limpid.cli.stops import whole_or_nothing
from limpid.errors import UsageError

if TYPE_CHECKING:
    from limpid.data.manifest import Manifest


def synthesise(
    words: Annotated[list[str], typer.Argument(metavar="KIND OUT", help="leaves, pairs or kernels, and the folder to make.")],
    count: Annotated[int | None, typer.Option(help="Items (10, or as many as the preset has).")] = None,
    seed: Annotated[int | None, typer.Option(help="Equal seeds give equal bytes (0, or that of the preset).")] = None,
    size: Annotated[str | None, typer.Option(help="HEIGHTxWIDTH in pixels (leaves 512x512, pairs 224x224).")] = None,
    mixture: Annotated[list[str] | None, typer.Option(help="Of pairs: how light mixes; repeatable (glass).")] = None,
    source: Annotated[Path | None, typer.Option(help="Folder of photos; without it four of scikit-image's.")] = None,
    preset: Annotated[str | None, typer.Option(help="Of leaves: a published collection, e.g. div2k_512.")] = None,
    degradation: Annotated[
        list[str] | None, typer.Option(help="Of leaves: degrade them and keep both versions; repeatable, in that order.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting of the kind, e.g. colours=saturated.")
    ] = None,
    manifest: Annotated[
        Path | None, typer.Option("--from", help="Make the set of this manifest.json again, byte for byte.")
    ] = None,
    sheet: Annotated[bool, typer.Option("--sheet", help="Also a contact sheet: OUT/sheet/sheet.png.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT if it is a synthesised set.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only errors.")] = False,
    traceback: Annotated[bool, typer.Option("--traceback", help="Show where an error came from.")] = False,
) -> None:
    """Make dead leaves charts, pairs of photos through glass, or kernels of camera shake, with a manifest.

    limpid synthesise leaves OUT --count 100 --seed 7 --sheet

    limpid synthesise pairs OUT --source PHOTOS --mixture glass --mixture screen

    limpid synthesise --from OUT/manifest.json AGAIN
    """
    if manifest is not None:
        given = (count, seed, size, mixture, preset, degradation, settings)
        if len(words) != 1 or sheet or any(value is not None for value in given):
            raise UsageError("--from takes OUT and at most --source, --overwrite and -q: the manifest says all the rest")
        from limpid.data.synthesise import regenerate

        with whole_or_nothing():
            _tell(regenerate(manifest, Path(words[0]), source=source, overwrite=overwrite, quiet=quiet), words[0], quiet)
        return
    if len(words) != 2:
        raise UsageError(f"expected KIND and OUT, e.g. `limpid synthesise leaves charts`; got {' '.join(words)!r}")
    from limpid.data.synthesise import SynthesisOptions, parse_size
    from limpid.data.synthesise import synthesise as make

    options = SynthesisOptions(
        kind=words[0],
        count=count,
        seed=seed,
        size=parse_size(size) if size else None,
        preset=preset,
        settings=parse_settings(settings or []),
        mixtures=tuple(mixture or ()),
        degradations=tuple(degradation or ()),
        source=source,
    )
    with whole_or_nothing():
        _tell(make(options, Path(words[1]), sheet=sheet, overwrite=overwrite, quiet=quiet), words[1], quiet)


def _tell(manifest: "Manifest", out: str, quiet: bool) -> None:
    if not quiet:
        typer.echo(f"wrote {out}: {manifest.label}, {len(manifest.files)} files and manifest.json")
