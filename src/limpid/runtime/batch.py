"""Many photos through one or several separators: layers to files, a report for each, one bad photo never stops the rest."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

import numpy as np

from limpid._version import __version__
from limpid.errors import LimpidError, UsageError, is_out_of_memory
from limpid.image.codec_memory import decoding, encoding
from limpid.image.encode import check_format, holds_xmp, target_format
from limpid.image.icc import fits
from limpid.image.photo import Photo
from limpid.image.processing_record import with_step
from limpid.image.read import MAX_PIXELS, read
from limpid.image.write import write
from limpid.layers.pixels import quantise
from limpid.runtime.edits import Edit, edits
from limpid.runtime.load import load_with
from limpid.runtime.memory import FIXED, Plan, default_budget
from limpid.runtime.options import DecomposeOptions, PhotoOptions, SeparationOptions, separation_options
from limpid.runtime.photo_jobs import Jobs, PhotoJob, labelled
from limpid.runtime.separator import Separator

_UNSAID = ("max_memory", "preview")
"""Settings that change no pixel by themselves."""


@dataclass(kw_only=True)
class Report:
    """What became of one photo, as plain data; ``error`` is None when all went well.

    ``confidence``: how probable it is that there is something to remove, 0…1; ``nothing_to_remove``: too little to do anything, so
    the photo came back as it was.
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


def run_jobs(jobs: Jobs, options: PhotoOptions, task: str, begin: Callable[[str], None] = lambda name: None) -> Iterator[Report]:
    """Reports of all photos as they are done; with ``options.jobs`` above 1 they are read and written beside each other.

    ``begin`` is told the name of each photo when its work begins, on the thread that does it.
    Networks are loaded first, each once. ``options.dry_run`` plans and writes nothing. Failures of one photo are in its report;
    KeyboardInterrupt passes after what runs is cut. Raises what ``load`` raises, and UsageError for what is wrong for every photo.
    """
    if not jobs.photos:
        return
    prepared = prepare_jobs(options, task, beside=options.jobs)

    def one(job: PhotoJob) -> Report:
        begin(job.name)
        return prepared(job)

    if options.jobs <= 1:
        for job in jobs.photos:
            yield (report := one(job))
            if report.error and options.fail_fast:
                return
        return
    with ThreadPoolExecutor(options.jobs) as pool:
        try:
            running = [pool.submit(one, job) for job in jobs.photos]
            for done in as_completed(running):
                if done.cancelled():
                    continue
                yield (report := done.result())
                if report.error and options.fail_fast:
                    for future in running:  # what runs already is finished
                        future.cancel()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def prepare_jobs(options: PhotoOptions, task: str, *, beside: int = 1) -> Callable[[PhotoJob], Report]:
    """Load what the options name, each network once, and return what makes a report of a photo.

    ``beside``: how many photos are at work at once and share the memory allowed. Raises what ``load`` raises; what is returned
    raises UsageError for a wish that is wrong for every photo, and reports all else.
    """
    separators = {label: load_with(name, options, task) for label, name in labelled(options.model).items()}
    whole = default_budget() if options.max_memory is None else options.max_memory
    budget = FIXED + max(0, whole - FIXED) // beside  # what is fixed is there once
    wanted = replace(separation_options(options), max_memory=budget)
    made = edits(options.relight, options.recolour) if isinstance(options, DecomposeOptions) else {}
    return lambda job: _attempt(job, separators[job.label], options, wanted, made)


def _attempt(
    job: PhotoJob, separator: Separator, options: PhotoOptions, wanted: SeparationOptions, made: Mapping[str, Edit]
) -> Report:
    report = Report(input=job.name, model=separator.name, weights_sha256=separator.sha256)
    started = time.perf_counter()
    try:
        _separate(job, separator, options, wanted, report, made)
    except UsageError:
        raise  # the wish itself is wrong, for every photo
    except Exception as error:  # whatever it is, the other photos are not to blame
        if options.traceback:
            raise
        report.error = _told(error, job.name)
    report.seconds = round(time.perf_counter() - started, 3)
    return report


def _told(error: Exception, name: str) -> str:
    """What a person is told of a photo that failed, in one line."""
    if isinstance(error, LimpidError):
        return str(error)
    if is_out_of_memory(error):
        return f"{name}: out of memory; lower --max-memory or --jobs"
    return f"{name}: failed unexpectedly ({type(error).__name__}: {error}); run it with --traceback and report what that shows"


def _separate(
    job: PhotoJob,
    separator: Separator,
    options: PhotoOptions,
    wanted: SeparationOptions,
    report: Report,
    made: Mapping[str, Edit],
) -> None:
    limit = options.max_pixels or MAX_PIXELS
    photo = read(job.source, max_pixels=limit, allow_truncated=options.allow_truncated, frame=job.frame)
    report.width, report.height = photo.width, photo.height
    report.warnings += [*job.notes, *photo.notes]
    photo = photo.stripped() if options.strip_metadata else photo
    format = None if options.format == "same" else options.format
    encoders = [target_format(photo, format or _suffix(target)) for target in job.outputs.values()]
    for encoder in encoders:  # what the format cannot hold is refused before the network runs
        check_format(photo, encoder)
    held = photo.pixels.nbytes + (photo.alpha.nbytes if photo.alpha is not None else 0)
    held += photo.height * photo.width if wanted.protect or wanted.only else 0  # how much each pixel may change, in bytes
    results = photo.pixels.nbytes * len(job.outputs)
    otherwise = max(decoding(photo), held + results + max(encoding(photo, encoder) for encoder in encoders))
    size = (photo.height, photo.width)
    chosen = separator.plan(size, wanted, held=held, layers=results, otherwise=otherwise)
    _state(chosen, wanted, report)
    if options.dry_run:
        report.outputs = {layer: str(target) for layer, target in job.outputs.items()}
        return
    names = dict.fromkeys([name for name in job.outputs if name not in made] + (list(separator.task.layers) if made else []))
    layers, report.confidence, believed = layer_pixels(photo, separator, wanted, list(names), chosen)
    if chosen.ram is None:  # now that the network has run, it is known what that took
        _state(separator.plan(size, wanted, held=held, layers=results, otherwise=otherwise), wanted, report)
    if made:
        layers |= _edited(photo, layers, made)
    if believed == 0:
        report.nothing_to_remove = True
        report.warnings.append("nothing to remove was found; the photo comes back as it was")
    likes = _recorded(photo, separator, wanted, chosen, dict(zip(job.outputs, encoders, strict=True))) if _records(options) else {}
    mode = job.source.stat().st_mode & 0o777 if isinstance(job.source, Path) else None
    for layer, target in job.outputs.items():
        pixels, like = layers.pop(layer), likes.get(layer, photo)
        written = write(
            pixels,
            target,
            like=_coloured(like, report) if like.grey and pixels.shape[2] > 1 else like,
            format=format,
            quality=options.quality,
            overwrite=options.overwrite,
            mode=mode,
        )
        report.outputs[layer] = str(written.path)
        report.warnings += [note for note in written.notes if note not in report.warnings]


def _records(options: PhotoOptions) -> bool:
    return options.provenance and not options.strip_metadata


def _recorded(
    photo: Photo, separator: Separator, wanted: SeparationOptions, chosen: Plan, formats: Mapping[str, str]
) -> dict[str, Photo]:
    """The photo as each layer is to remember it: with what made the layer in its XMP, where its format has room for that."""
    usual = SeparationOptions()
    settings = {name: value for name, value in vars(wanted).items() if value != getattr(usual, name) and name not in _UNSAID}
    told = [f"{name}={value.name if isinstance(value, Path) else value}" for name, value in settings.items()]
    told += [f"precision={separator.precision}", f"seen={chosen.working[1]}x{chosen.working[0]}"]
    told += [f"tiles={chosen.tile}"] if chosen.tile else []
    facts = {"Software": f"limpid {__version__}", "Model": separator.name, "WeightsSHA256": separator.sha256 or "none"}
    found = {}
    for layer, format in formats.items():
        packet = with_step(photo.metadata.xmp, {**facts, "Layer": layer, "Settings": "; ".join(told)})
        if packet is not None and holds_xmp(packet, format):
            found[layer] = replace(photo, metadata=replace(photo.metadata, xmp=packet))
    return found


def _suffix(target: Path | BytesIO) -> str | None:
    return target.suffix or None if isinstance(target, Path) else None


def _state(chosen: Plan, wanted: SeparationOptions, report: Report) -> None:
    """Put into the report how a photo is run, and a warning where that takes more than is allowed."""
    report.plan = str(chosen)
    if wanted.max_memory is not None and chosen.most is not None and chosen.most > wanted.max_memory:
        report.warnings.append(f"needs up to {chosen.most / 1e6:.0f} MB, more than the {wanted.max_memory / 1e6:.0f} MB allowed")


def _edited(photo: Photo, layers: Mapping[str, np.ndarray], made: Mapping[str, Edit]) -> dict[str, np.ndarray]:
    """What the edits make of finished layers, in the depth of the photo; a grey photo that is given a colour has three channels."""
    whole = {name: replace(photo, pixels=pixels, alpha=None).tensor() for name, pixels in layers.items()}
    edited = {name: edit(whole) for name, edit in made.items()}
    grey = {name: photo.grey and bool((image[1:] == image[:1]).all()) for name, image in edited.items()}
    return {name: quantise(image, photo.pixels.dtype, grey=grey[name]) for name, image in edited.items()}


def _coloured(photo: Photo, report: Report) -> Photo:
    """A grey photo as what a picture of colours is written like: without a profile that describes grey alone."""
    profile = photo.metadata.icc
    if profile is None or fits(profile, grey=False):
        return photo
    report.warnings.append("the ICC profile of the grey photo does not describe colours; dropped where there are any")
    return replace(photo, metadata=replace(photo.metadata, icc=None))


def layer_pixels(
    photo: Photo,
    separator: Separator,
    options: SeparationOptions,
    names: Sequence[str],
    chosen: Plan,
    share: np.ndarray | None = None,
) -> tuple[dict[str, np.ndarray], float, float]:
    """Layers in the depth of the photo, signed ones around middle grey; the confidence, and how far the network is followed.

    ``share``: as for ``Separator.bands``.
    """
    confidence = believed = 1.0
    layers = {name: np.empty_like(photo.pixels) for name in names}
    for band in separator.bands(photo, options, names, chosen, share):
        confidence, believed = round(band.confidence, 4), band.believed
        for name in names:
            shown = 0.5 + band.layers[name] / 2 if name in separator.task.signed else band.layers[name]
            layers[name][band.top : band.bottom] = quantise(shown, photo.pixels.dtype, grey=photo.grey)
    primary = separator.task.primary
    if photo.alpha is not None and primary in layers:
        unseen = photo.alpha == 0
        layers[primary][unseen] = photo.pixels[unseen]
    return layers, confidence, believed
