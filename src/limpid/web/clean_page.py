"""Clean a photo: before and after under a slider, every layer, and files of the full size."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import gradio as gr
import numpy as np

from limpid.errors import LimpidError
from limpid.image.photo import Photo
from limpid.image.read import read
from limpid.image.size import fit
from limpid.layers.pixels import Pixels, change_depth
from limpid.layers.task import find_task
from limpid.runtime.options import SeparationOptions
from limpid.runtime.separator import Separator
from limpid.web.api import Service, zipped
from limpid.web.photo_input import by_path
from limpid.web.processing import Layers, encoded, extension, kept, separate
from limpid.web.toasts import told

TASKS = {"Reflections": "reflection", "Noise": "denoise", "Motion blur": "deblur", "Albedo and shading": "intrinsic"}
"""What a button says → task."""

EVERYWHERE, HERE, ELSEWHERE = "Everywhere", "Only where I paint", "Not where I paint"
_SHOWN = 1600  # pixels of the longer side of what the browser shows
_PAINTED = 800  # of what is painted on
_SUFFIX = {"as the photo": None, "PNG": "png", "JPEG": "jpg", "TIFF": "tiff", "WebP": "webp"}
_CHANGE = 4  # times that changes are enlarged to be seen


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What was set on the page. ``model``: a label; ``format``: extension or None; ``keep``: the metadata."""

    model: str
    strength: float
    format: str | None
    keep: bool
    mask: Pixels | None


def fill(service: Service) -> None:
    """Put the controls into the tab that is open and connect them."""
    tasks = [words for words, task in TASKS.items() if task in service.networks.tasks]
    with gr.Row():
        with gr.Column(scale=1, min_width=300):
            photo = by_path(
                gr.Image(
                    label="Photo: drop, paste or pick one",
                    alt_text="The photo",
                    type="filepath",
                    image_mode=None,
                    sources=["upload", "clipboard"],
                    elem_id="photo",
                    height=320,
                    buttons=[],
                )
            )
            with gr.Row():
                glass = gr.Button("Example: through glass", size="sm", elem_id="example_glass")
                clear = gr.Button("Example: nothing to remove", size="sm", elem_id="example_clear")
            task = gr.Radio(tasks, value=tasks[0], label="Take away", elem_id="task")
            model = gr.Dropdown(_labels(service, tasks[0]), value=_labels(service, tasks[0])[0], label="Network", elem_id="model")
            strength = gr.Slider(0, 1, 1, step=0.05, label="Strength", elem_id="strength")
            with gr.Accordion("Only in some places", open=False, elem_id="places"):
                where = gr.Radio([EVERYWHERE, HERE, ELSEWHERE], value=EVERYWHERE, label="Change the photo", elem_id="where")
                brush = gr.ImageEditor(
                    label="Paint on the photo",
                    type="numpy",
                    sources=(),
                    transforms=(),
                    layers=False,
                    brush=gr.Brush(default_size=40, colors=["#ff3b30"], color_mode="fixed"),
                    elem_id="brush",
                    canvas_size=(_PAINTED, _PAINTED),
                    buttons=[],
                )
            with gr.Accordion("Files", open=False):
                format = gr.Dropdown(list(_SUFFIX), value="as the photo", label="Format of downloads", elem_id="format")
                strip = gr.Checkbox(False, label="Leave out metadata (place, camera, date)", elem_id="strip")
            go = gr.Button("Clean", variant="primary", elem_id="go")
        with gr.Column(scale=2, min_width=300):
            said = gr.Markdown("Choose a photo, then Clean. Hold the key O to see the original.", elem_id="said")
            with gr.Tabs():
                with gr.Tab("Before and after"):
                    slider = gr.ImageSlider(
                        label="Before and after",
                        type="filepath",
                        format="png",
                        elem_id="slider",
                        max_height=700,
                        buttons=["fullscreen"],
                    )
                with gr.Tab("Layers"):
                    layers = gr.Gallery(label="Layers", columns=2, elem_id="layers", format="png", buttons=["fullscreen"])
            files = gr.File(label="Download, full size", file_count="multiple", elem_id="files", interactive=False)
    with gr.Accordion("Several photos at once", open=False, elem_id="several"):
        many = gr.File(label="Photos", file_count="multiple", elem_id="many", file_types=["image"])
        go_many = gr.Button("Clean all", elem_id="go_many")
        archive = gr.File(label="Download all", elem_id="archive", interactive=False)
        said_many = gr.Markdown(elem_id="said_many")

    def labels(words: str) -> Any:
        return gr.Dropdown(choices=_labels(service, words), value=_labels(service, words)[0])

    def clean(path: str | None, words: str, label: str, *settings: Any, progress: Any = gr.Progress()) -> Any:  # noqa: B008
        progress(0.1, desc="Reading")
        content, wish = _content(path), _wish(label, *settings)
        progress(0.3, desc="Separating")
        return told(lambda: service.queue.run(lambda: _clean(service, content, TASKS[words], wish)))

    def clean_all(paths: Sequence[str] | None, words: str, label: str, *settings: Any, progress: Any = gr.Progress()) -> Any:  # noqa: B008
        wish = _wish(label, *settings)
        contents = [_content(path) for path in progress.tqdm(paths or [], desc="Photos")]
        if not contents:
            raise gr.Error("Choose photos first.")
        return told(lambda: _clean_all(service, contents, TASKS[words], wish, progress))

    settings = [strength, format, strip]
    task.change(labels, task, model, queue=False, show_progress="hidden")
    photo.change(_to_paint_on, photo, brush, show_progress="hidden")
    glass.click(lambda: _example("glass"), None, photo)
    clear.click(lambda: _example("clear"), None, photo)
    go.click(clean, [photo, task, model, *settings, where, brush], [slider, layers, files, said])
    go_many.click(clean_all, [many, task, model, *settings], [archive, said_many])


def _labels(service: Service, words: str) -> list[str]:
    return list(service.networks.of(TASKS[words]))


def _content(path: str | None) -> bytes:
    if path is None:
        raise gr.Error("Choose a photo first.")
    return Path(path).read_bytes()


def _wish(model: str, strength: float, format: str, strip: bool, where: str = EVERYWHERE, painted: Any = None) -> Wish:
    mask = None
    if where != EVERYWHERE and painted is not None and painted["layers"]:
        drawn = np.max([layer[..., 3] for layer in painted["layers"]], axis=0).astype(np.float32) / 255
        mask = drawn if where == HERE else 1 - drawn
    return Wish(model=model, strength=strength, format=_SUFFIX[format], keep=not strip, mask=mask)


def _clean(service: Service, content: bytes, task: str, wish: Wish) -> tuple[Any, ...]:
    """What the page shows: before and after, all layers, files, a sentence."""
    separator, photo, found = _separated(service, content, task, wish)
    primary = separator.task.primary
    suffix = extension(photo, wish.format)
    like = photo if wish.keep else photo.stripped()
    names = [name for name in found.pixels if name not in separator.task.optional]
    files = [kept(encoded(found.pixels[name], like, wish.format, 95), f"{name}.{suffix}") for name in names]
    before, after = _shown(photo, photo.pixels), _shown(photo, found.pixels[primary])
    gallery = [(_shown(photo, pixels), name) for name, pixels in found.pixels.items()]
    gallery.append((_change(before, after), f"where it changed, ×{_CHANGE}; confidence {found.confidence:.2f}"))
    shown = tuple(kept(png(picture), f"{name}.png") for name, picture in (("before", before), ("after", after)))
    return shown, gallery, files, _sentence(photo, found, separator)


def _separated(service: Service, content: bytes, task: str, wish: Wish) -> tuple[Separator, Photo, Layers]:
    separator = service.networks.get(wish.model, task)
    photo = read(content, max_pixels=service.max_pixels)
    extension(photo, wish.format)
    mask = None if wish.mask is None else cv2.resize(wish.mask, (photo.width, photo.height), interpolation=cv2.INTER_LINEAR)
    options = SeparationOptions(strength=wish.strength, max_memory=service.networks.budget)
    found = separate(photo, separator, options, (*separator.task.layers, *separator.task.optional), mask)
    service.measurements.seconds.labels(task).observe(found.seconds)
    return separator, photo, found


def _clean_all(service: Service, contents: Sequence[bytes], task: str, wish: Wish, progress: Any) -> tuple[str, str]:
    files: dict[str, bytes] = {}
    failed = []
    for place, content in enumerate(contents, start=1):
        progress((place - 1, len(contents)), desc=f"Photo {place}")
        try:
            files |= service.queue.run(partial(_files, service, content, task, wish, place))
        except LimpidError as error:
            failed.append(f"photo {place}: {error}")
    if not files:
        raise gr.Error("; ".join(failed))
    said = [f"{len(contents) - len(failed)} of {len(contents)} photos are done.", *failed]
    return kept(zipped(files), "limpid.zip"), "\n\n".join(said)


def _files(service: Service, content: bytes, task: str, wish: Wish, place: int) -> dict[str, bytes]:
    separator, photo, found = _separated(service, content, task, wish)
    like, suffix = photo if wish.keep else photo.stripped(), extension(photo, wish.format)
    layers = {name: found.pixels[name] for name in find_task(task).layers}
    return {f"{place:03d}.{name}.{suffix}": encoded(pixels, like, wish.format, 95) for name, pixels in layers.items()}


def _sentence(photo: Photo, found: Layers, separator: Separator) -> str:
    facts = f"{photo.width} × {photo.height} in {found.seconds:.1f} s by {separator.name}"
    notes = "".join(f"\n\nNote: {note}." for note in photo.notes)
    if found.nothing:
        return f"**Nothing to remove was found**; the photo comes back as it was. {facts}{notes}"
    return f"Done: {facts}, confidence {found.confidence:.2f}.{notes}"


def _shown(photo: Photo, pixels: Pixels) -> Pixels:
    """(H, W, 3) uint8, small enough for a screen."""
    height, width = fit(photo.height, photo.width, _SHOWN)
    small = pixels
    if (height, width) != pixels.shape[:2]:
        small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA).reshape(height, width, -1)
    return np.ascontiguousarray(np.broadcast_to(change_depth(small, np.uint8), (*small.shape[:2], 3)))


def _change(before: Pixels, after: Pixels) -> Pixels:
    return np.minimum(cv2.absdiff(before, after), 255 // _CHANGE) * _CHANGE


def png(pixels: Pixels) -> bytes:
    """The file of an (H, W, 3) uint8 picture."""
    return bytes(cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1])


def _to_paint_on(path: str | None) -> Any:
    """The photo, small, under the brush; nothing for what is no photo."""
    if path is None:
        return None
    try:
        photo = read(Path(path))
    except LimpidError as error:
        raise gr.Error(str(error).replace(str(path), "photo")) from error
    height, width = fit(photo.height, photo.width, _PAINTED)
    return cv2.resize(_shown(photo, photo.pixels), (width, height), interpolation=cv2.INTER_AREA)


def _example(name: str) -> str:
    from skimage.data import chelsea

    from limpid.layers.pixels import quantise
    from limpid.runtime.demo import blend

    pixels = quantise(blend().input, np.uint8) if name == "glass" else chelsea()
    return kept(png(pixels), "example.png")
