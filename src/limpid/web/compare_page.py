"""Compare live: two or more networks side by side on one picture that sliders degrade."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, get_args

import gradio as gr
import numpy as np
import torch.nn.functional as F
from torch import Tensor

from limpid import catalogue
from limpid.data.photographs import Photographs
from limpid.image.read import read
from limpid.layers.pixels import quantise
from limpid.physics.leaves.shapes import SHAPES
from limpid.physics.motion import CLASSES
from limpid.runtime.demo import square
from limpid.web.api import Service
from limpid.web.clean_page import png
from limpid.web.comparison import (
    Degrading,
    Layout,
    Leaves,
    Results,
    compose,
    crop,
    has_lpips,
    leaves,
    panels,
    photo_in,
    scene,
    scores,
    state,
)
from limpid.web.photo_input import by_path
from limpid.web.processing import kept
from limpid.web.toasts import told

PHOTO, FOLDER, LEAVES = "Your photo", "The folder", "Dead leaves"
_NONE = "none"
_LAYOUTS = list(get_args(Layout))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The values of all controls, by the names under which ``fill`` makes them."""

    source: str
    photo: str | None
    place: int
    side: int
    seed: int
    count: int
    alpha: float
    radius_min: float
    radius_max: float
    colours: str
    shape: str
    background: float
    anisotropy: float
    angle: float
    supersample: int
    sigma: float
    blur_x: int
    blur_y: int
    shake: str
    kernel: int
    quality: int
    mixture: str
    mixture_settings: str
    mixture_seed: int
    networks: Sequence[str]
    layout: Layout
    x: float
    y: float
    size: float
    lpips: bool

    def leaves(self) -> Leaves:
        """The chart that is asked for."""
        return Leaves(
            side=int(self.side),
            seed=int(self.seed),
            count=int(self.count),
            alpha=self.alpha,
            radius=(self.radius_min, self.radius_max),
            shape=self.shape,
            colours=self.colours,
            background=self.background,
            anisotropy=self.anisotropy,
            angle=self.angle,
            supersample=int(self.supersample),
        )

    def degrading(self) -> Degrading:
        """What is done to it."""
        return Degrading(
            sigma=self.sigma,
            half_sizes=(int(self.blur_y), int(self.blur_x)),
            shake=None if self.shake == _NONE or self.kernel < 0 else (self.shake, int(self.kernel)),
            quality=int(self.quality),
            mixture=None if self.mixture == _NONE else self.mixture,
            settings=_json(self.mixture_settings),
            seed=int(self.mixture_seed),
        )

    @property
    def window(self) -> int:
        """Side of the crop, pixels."""
        return round(2**self.size)


def fill(service: Service, folder: Path | None) -> Any:
    """Put the controls into the tab that is open and connect them; returns what shows the first picture when the tab is chosen."""
    with gr.Row():
        with gr.Column(scale=1, min_width=300):
            made = _controls(service, folder)
        with gr.Column(scale=2, min_width=300, elem_id="compare_result"):
            picture = gr.Image(
                label="Comparison",
                show_label=False,  # it would lie over the captions
                alt_text="The degraded picture and what each network makes of it, side by side",
                format="png",
                interactive=False,
                elem_id="comparison",
                buttons=["download", "fullscreen"],
            )
            table = gr.HTML(elem_id="scores")
            with gr.Row():
                steps = {
                    "next_network": gr.Button("Next network (N)", size="sm", elem_id="next_network"),
                    "next_image": gr.Button("Next image (I)", size="sm", elem_id="next_image"),
                    "crop_larger": gr.Button("Larger crop (+)", size="sm", elem_id="crop_larger"),
                    "crop_smaller": gr.Button("Smaller crop (-)", size="sm", elem_id="crop_smaller"),
                    "next_layout": gr.Button("Next layout (P)", size="sm", elem_id="next_layout"),
                }
            save = gr.Button("Save the state", elem_id="save_state")
            files = gr.File(label="State and picture", file_count="multiple", interactive=False, elem_id="state_files")
    names, components = list(made), list(made.values())
    bench = _Bench(service, folder)

    def settings(values: Sequence[Any]) -> Settings:
        return Settings(**dict(zip(names, values, strict=True)))

    def update(*values: Any) -> Any:
        return told(lambda: service.queue.run(lambda: bench.show(settings(values))))

    def store(*values: Any) -> Any:
        return told(lambda: service.queue.run(lambda: bench.save(settings(values))))

    for name, component in made.items():
        if name != "mixture_settings":
            component.change(
                update, components, [picture, table], trigger_mode="always_last", show_progress="minimal", concurrency_limit=1
            )
    made["mixture_settings"].submit(update, components, [picture, table])
    _connect(service, made, steps)
    save.click(store, components, files)
    return lambda tab: tab.select(update, components, [picture, table])


def _connect(service: Service, made: dict[str, Any], steps: dict[str, Any]) -> None:
    """What buttons and their keys do."""
    labels = list(service.networks.served)

    def rotate(chosen: Sequence[str]) -> list[str]:
        return [labels[(labels.index(label) + 1) % len(labels)] for label in chosen]

    def onward(source: str, place: float, seed: float) -> tuple[float, float]:
        return (place, max(0, seed) + 1) if source == LEAVES else (place + 1, seed)

    sized = made["size"]
    steps["next_network"].click(rotate, made["networks"], made["networks"], show_progress="hidden")
    moved = [made["place"], made["seed"]]
    steps["next_image"].click(onward, [made["source"], *moved], moved, show_progress="hidden")
    steps["crop_larger"].click(lambda size: min(13.0, size + 0.3), sized, sized, show_progress="hidden")
    steps["crop_smaller"].click(lambda size: max(6.0, size - 0.3), sized, sized, show_progress="hidden")
    cycle = lambda layout: _LAYOUTS[(_LAYOUTS.index(layout) + 1) % len(_LAYOUTS)]  # noqa: E731
    steps["next_layout"].click(cycle, made["layout"], made["layout"], show_progress="hidden")


def _slide(low: float, high: float, value: float, step: float, label: str, name: str) -> Any:
    return gr.Slider(low, high, value, step=step, label=label, elem_id=name)


def _controls(service: Service, folder: Path | None) -> dict[str, Any]:
    """Every control by the name of its field in ``Settings``, with the range of the fifth work's viewer where it has one."""
    labels = list(service.networks.served)
    made: dict[str, Any] = {}
    made["networks"] = gr.CheckboxGroup(labels, value=labels[:2], label="Networks", elem_id="networks")
    made["source"] = gr.Radio([PHOTO, *([FOLDER] if folder else []), LEAVES], value=LEAVES, label="Picture", elem_id="source")
    with gr.Accordion("Your photo, the folder", open=False):
        made["photo"] = by_path(
            gr.Image(
                label="Photo",
                alt_text="The photo",
                type="filepath",
                image_mode=None,
                sources=["upload", "clipboard"],
                elem_id="live_photo",
                height=200,
            )
        )
        made["place"] = _slide(0, 999, 0, 1, "Image of the folder", "place")
    with gr.Accordion("Dead leaves", open=False):
        made["seed"] = _slide(-1, 42, 0, 1, "Seed (−1: a new one each time)", "seed")
        made["side"] = _slide(64, 512, 192, 32, "Side, pixels", "side")
        made["count"] = _slide(-1, 10000, -1, 1, "Number of leaves (−1: until all is covered)", "count")
        made["alpha"] = _slide(2, 10, 3, 0.1, "Exponent of the radius law", "alpha")
        made["radius_min"] = _slide(1, 50, 2, 1, "Least radius, pixels", "radius_min")
        made["radius_max"] = _slide(10, 2000, 200, 10, "Greatest radius, pixels", "radius_max")
        made["colours"] = gr.Dropdown(["uniform", "saturated", "natural"], value="uniform", label="Colours", elem_id="colours")
        made["shape"] = gr.Dropdown(list(SHAPES), value="disk", label="Shapes", elem_id="shape")
        made["background"] = _slide(0, 1, 0.5, 0.05, "Background, where a number of leaves is given", "background")
        made["anisotropy"] = _slide(0.1, 10, 1, 0.1, "Anisotropy", "anisotropy")
        made["angle"] = _slide(-180, 180, 0, 5, "Angle, degrees", "angle")
        made["supersample"] = _slide(1, 5, 1, 1, "Supersampling", "supersample")
    with gr.Accordion("Degradations", open=True):
        made["sigma"] = _slide(0, 50, 25, 1, "Noise σ", "sigma")
        made["blur_x"] = _slide(0, 10, 0, 1, "Gaussian blur x, half size", "blur_x")
        made["blur_y"] = _slide(0, 10, 0, 1, "Gaussian blur y, half size", "blur_y")
        made["shake"] = gr.Dropdown([_NONE, *CLASSES], value=_NONE, label="Motion blur", elem_id="shake")
        made["kernel"] = _slide(-1, 1000, 0, 1, "Kernel (−1: none)", "kernel")
        made["quality"] = _slide(1, 100, 100, 1, "JPEG quality (100: none)", "quality")
        made["mixture"] = gr.Dropdown([_NONE, *catalogue.names("mixtures")], value=_NONE, label="Reflection", elem_id="mixture")
        made["mixture_settings"] = gr.Textbox(
            "", label="Its settings as JSON, then Enter", placeholder='{"brightness": [4, 9]}', elem_id="mixture_settings"
        )
        made["mixture_seed"] = _slide(0, 100, 0, 1, "Seed of the reflection", "mixture_seed")
    with gr.Accordion("View", open=False):
        made["layout"] = gr.Radio(_LAYOUTS, value=_LAYOUTS[1], label="Layout", elem_id="layout")
        made["x"] = _slide(0, 1, 0.5, 0.01, "Crop centre x", "crop_x")
        made["y"] = _slide(0, 1, 0.5, 0.01, "Crop centre y", "crop_y")
        made["size"] = _slide(6, 13, 7.6, 0.1, "Crop size, power of two", "crop_size")
        made["lpips"] = gr.Checkbox(False, label="LPIPS", visible=has_lpips(), elem_id="lpips")
    return made


class _Bench:
    """The computing behind the controls; keeps what networks made lately."""

    def __init__(self, service: Service, folder: Path | None) -> None:
        self.service, self.folder, self.results = service, folder, Results()

    def show(self, wish: Settings) -> tuple[Any, str]:
        """The picture of all panels and the table of scores."""
        picture, rows = self._composed(wish)
        return quantise(picture, np.uint8), _table(rows)

    def save(self, wish: Settings) -> list[str]:
        """Paths of the state and of the picture."""
        picture, _ = self._composed(wish)
        what = wish.leaves() if wish.source == LEAVES else f"image {wish.place} of the folder" if wish.source == FOLDER else "photo"
        text = state(what, wish.degrading(), wish.networks, self.folder)
        return [kept(text.encode(), "state.json"), kept(png(quantise(picture, np.uint8)), "comparison.png")]

    def _composed(self, wish: Settings) -> tuple[Tensor, dict[str, dict[str, float]]]:
        truth = self._truth(wish)
        centre = (wish.y, wish.x)
        if wish.source != LEAVES:  # networks see the crop of a photo, and the whole of a chart
            truth = crop(truth, centre, wish.window)
        mirrored = self._mirrored(truth) if wish.mixture != _NONE else None
        found = scene(truth, wish.degrading(), mirrored)
        networks = self.service.networks
        results = {label: self.results.of(networks.get(label), found.degraded) for label in wish.networks}
        rows = {"degraded": scores(found.degraded, found.truth, lpips=wish.lpips)}
        rows |= {label: scores(result, found.truth, lpips=wish.lpips) for label, result in results.items()}
        pictures, across = panels(found, results, wish.layout)
        window = wish.window if wish.source == LEAVES else max(truth.shape)
        pictures = {name: crop(picture, (0.5, 0.5) if name == "kernel" else centre, window) for name, picture in pictures.items()}
        titled = {f"{name} {rows[name]['PSNR']:.2f} dB" if name in rows else name: picture for name, picture in pictures.items()}
        return compose(titled, across), rows

    def _truth(self, wish: Settings) -> Tensor:
        if wish.source == LEAVES:
            photos = Photographs(self.folder) if wish.colours == "natural" else ()
            return leaves(wish.leaves(), photos)
        if wish.source == FOLDER and self.folder is not None:
            return photo_in(self.folder, int(wish.place))[1]
        if wish.photo is None:
            raise gr.Error("Choose a photo first.")
        return read(Path(wish.photo).read_bytes(), max_pixels=self.service.max_pixels).tensor()

    def _mirrored(self, truth: Tensor) -> Tensor:
        """Scikit-image's astronaut in the size of the picture, as what the glass mirrors."""
        whole = square(Photographs(None).load("astronaut"), max(truth.shape[1:]))
        return F.interpolate(whole[None], size=truth.shape[1:], mode="bilinear", antialias=True)[0]


def _table(rows: dict[str, dict[str, float]]) -> str:
    columns = list(next(iter(rows.values())))
    head = "".join(f"<th scope=col>{column}</th>" for column in ("", *columns))
    body = "".join(
        f"<tr><th scope=row>{escape(name)}</th>"
        + "".join(f"<td>{values[column]:.{2 if column == 'PSNR' else 4}f}</td>" for column in columns)
        + "</tr>"
        for name, values in rows.items()
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _json(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        found = json.loads(text)
    except ValueError as error:
        raise gr.Error('The settings of the reflection are no JSON, such as {"brightness": [4, 9]}.') from error
    if not isinstance(found, dict):
        raise gr.Error("The settings of the reflection are names with values.")
    return found
