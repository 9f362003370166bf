"""Many photos through one or several separators: layers to files, a report for each, one bad photo never stops the rest."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np

from limpid.errors import LimpidError, UsageError
from limpid.image.encode import check_format, target_format
from limpid.image.photo import Photo
from limpid.image.read import read
from limpid.image.write import write
from limpid.layers.pixels import quantise
from limpid.runtime.memory import Plan
from limpid.runtime.separator import SeparationOptions, Separator


@dataclass(frozen=True, kw_only=True)
class Work:
    """One photo for one separator.

    ``source``: a path, or bytes from a pipe; ``outputs``: layer → path or open buffer; ``notes``: what its report starts with.
    """

    name: str
    source: Path | bytes
    outputs: Mapping[str, Path | BytesIO]
    label: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What holds for the whole batch.

    ``quality``: 1–100, of lossy formats; ``max_pixels``: larger photos are refused; ``reraise``: a failure ends the batch.
    """

    options: SeparationOptions
    format: str | None = None
    quality: int = 95
    max_pixels: int
    allow_truncated: bool = False
    overwrite: bool = False
    reraise: bool = False


@dataclass(kw_only=True)
class Report:
    """What became of one photo, as plain data; ``error`` is None when all went well.

    ``confidence``: how far the network was followed, 0…1; ``nothing_to_remove``: not at all, so the photo came back as it was.
    """

    input: str
    outputs: dict[str, str] = field(default_factory=dict)
    width: int = 0
    height: int = 0
    seconds: float = 0.0
    model: str = ""
    weights_sha256: str | None = None
    plan: str = ""
    confidence: float = 1.0
    nothing_to_remove: bool = False
    warnings: list[str] = field(default_factory=list)
    error: str | None = None


def run(
    works: Sequence[Work], separators: Mapping[str, Separator], settings: Settings, *, jobs: int = 1, dry: bool = False
) -> Iterator[Report]:
    """Reports of all works as they are done; with ``jobs`` above 1, photos are read and written beside each other.

    ``dry`` plans and writes nothing. Failures of one photo are in its report; KeyboardInterrupt passes after what runs is cut.
    """
    one: Callable[[Work], Report] = lambda work: _attempt(work, separators[work.label], settings, dry=dry)  # noqa: E731
    if jobs <= 1:
        yield from map(one, works)
        return
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for done in as_completed([pool.submit(one, work) for work in works]):
                yield done.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _attempt(work: Work, separator: Separator, settings: Settings, *, dry: bool) -> Report:
    report = Report(input=work.name, model=separator.name, weights_sha256=separator.sha256)
    started = time.perf_counter()
    try:
        _separate(work, separator, settings, report, dry=dry)
    except UsageError:
        raise  # the options itself is wrong, for every photo
    except LimpidError as error:
        if settings.reraise:
            raise
        report.error = str(error)
    except MemoryError:
        report.error = f"{work.name}: out of memory; lower --max-memory or --jobs"
    report.seconds = round(time.perf_counter() - started, 3)
    return report


def _separate(work: Work, separator: Separator, settings: Settings, report: Report, *, dry: bool) -> None:
    photo = read(work.source, max_pixels=settings.max_pixels, allow_truncated=settings.allow_truncated)
    report.width, report.height = photo.width, photo.height
    report.warnings += [*work.notes, *photo.notes]
    held = photo.pixels.nbytes * (1 + len(work.outputs))
    chosen = separator.plan((photo.height, photo.width), settings.options, held=held)
    report.plan = str(chosen)
    for path in work.outputs.values():  # what the format cannot hold is refused before the network runs
        suffix = path.suffix if isinstance(path, Path) else None
        check_format(photo, target_format(photo, settings.format or suffix or None))
    if settings.options.max_memory is not None and chosen.ram > settings.options.max_memory:
        report.warnings.append(
            f"needs about {chosen.ram / 1e6:.0f} MB, more than the {settings.options.max_memory / 1e6:.0f} MB allowed"
        )
    if dry:
        report.outputs = {layer: str(path) for layer, path in work.outputs.items()}
        return
    layers, report.confidence = _layers(photo, separator, settings.options, list(work.outputs), chosen)
    if report.confidence == 0:
        report.nothing_to_remove = True
        report.warnings.append("nothing to remove was found; the photo comes back as it was")
    for layer, path in work.outputs.items():
        written = write(
            layers.pop(layer), path, like=photo, format=settings.format, quality=settings.quality, overwrite=settings.overwrite
        )
        report.outputs[layer] = str(written.path)
        report.warnings += [note for note in written.notes if note not in report.warnings]


def _layers(
    photo: Photo, separator: Separator, options: SeparationOptions, names: list[str], chosen: Plan
) -> tuple[dict[str, np.ndarray], float]:
    """All layers in the depth of the photo, filled band by band, and the confidence; signed layers are shown around middle grey."""
    believed = 1.0
    layers = {name: np.empty_like(photo.pixels) for name in names}
    for band in separator.bands(photo, options, names, chosen):
        believed = round(band.confidence, 4)
        for name in names:
            shown = 0.5 + band.layers[name] / 2 if name in separator.task.signed else band.layers[name]
            layers[name][band.top : band.bottom] = quantise(shown, photo.pixels.dtype, grey=photo.grey)
    primary = separator.task.layers[0]
    if photo.alpha is not None and primary in layers:
        unseen = photo.alpha == 0
        layers[primary][unseen] = photo.pixels[unseen]
    return layers, believed
