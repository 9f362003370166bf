"""See the data: contact sheets of any mixture, degradation, kind of leaves or recipe, with a control for every setting."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from limpid.catalogue import Settings
from limpid.layers.pixels import Pixels
from limpid.recipe.load import describe, shipped
from limpid.web.api import Service
from limpid.web.controls import Control, controls, defaults_of, settings
from limpid.web.data_sheets import KINDS, build_of, names, sheet
from limpid.web.recipe_sheets import Part, parts, recipe_sheet
from limpid.web.toasts import told

_RECIPE = "Recipe"


def fill(service: Service, folder: Path | None) -> None:
    """Put the controls into the tab that is open and connect them."""
    first = next(iter(KINDS))
    with gr.Row():
        with gr.Column(scale=1, min_width=300):
            kind = gr.Radio([*KINDS, _RECIPE], value=first, label="Kind", elem_id="data_kind")
            name = gr.Dropdown(_names(first), value="glass", label="Which", elem_id="data_name")
            seed = gr.Slider(0, 100, 0, step=1, label="Seed", elem_id="data_seed")
            count = gr.Slider(1, 24, 4, step=1, label="Items", elem_id="data_count")
            side = gr.Slider(64, 512, 192, step=16, label="Side, pixels (a recipe says its own)", elem_id="data_side")
            go = gr.Button("Draw", variant="primary", elem_id="data_go")
            made = gr.State({})
        with gr.Column(scale=2, min_width=300):
            picture = gr.Image(
                label="Contact sheet",
                show_label=False,  # it would lie over the captions
                alt_text="Contact sheet of the chosen data",
                format="png",
                interactive=False,
                elem_id="data_sheet",
                buttons=["download"],
            )
            said = gr.Markdown("Draw shows a sheet; every setting of the chosen thing stands below it.", elem_id="data_said")
            place = gr.Column()

    def draw(kind: str, name: str, seed: float, count: float, side: float, chosen: Any) -> Any:
        def work() -> tuple[Pixels, str]:
            return _drawn(kind, name, chosen, seed=int(seed), count=int(count), side=int(side), folder=folder)

        return told(lambda: service.queue.run(work))

    inputs = [kind, name, seed, count, side, made]
    outputs = [picture, said]

    def show(kind: str, name: str) -> None:
        if name not in _names(kind):  # the menu is about to change
            return
        found = told(lambda: _parts(kind, name, folder))
        rows = [_accordion(part, place, len(found)) for place, part in enumerate(found)]
        components = [control.component for row in rows for control in row]

        def keep(*values: Any) -> Settings:
            return _chosen(found, rows, values)

        for component in components:
            changed = component.release if isinstance(component, gr.Slider) else component.change
            changed(keep, components, made, show_progress="hidden").then(draw, inputs, outputs)

    with place:
        gr.render(inputs=[kind, name], triggers=[kind.change, name.change, go.click])(show)
    kind.input(_menu, kind, [name, made], show_progress="hidden")
    name.input(lambda: {}, None, made, show_progress="hidden")
    go.click(draw, inputs, outputs)
    seed.release(draw, inputs, outputs)


def _names(kind: str) -> list[str]:
    return shipped() if kind == _RECIPE else names(KINDS[kind])


def _menu(kind: str) -> tuple[Any, Settings]:
    there = _names(kind)
    return gr.Dropdown(choices=there, value=there[0]), {}


def _parts(kind: str, name: str, folder: Path | None) -> list[Part]:
    if kind == _RECIPE:
        return parts(name, folder)
    return [Part(title="Settings", path="", build=build_of(KINDS[kind], name), given={})]


def _accordion(part: Part, place: int, among: int) -> list[Control]:
    with gr.Accordion(part.title, open=among == 1):
        made = controls(part.build, f"data_set_{place}" if among > 1 else "data_set", part.given)
        if not made:
            gr.Markdown("Nothing here is a number or a choice.")
    return made


def _chosen(found: Sequence[Part], rows: Sequence[Sequence[Control]], values: Sequence[Any]) -> Settings:
    """What is set in any part, by its whole key."""
    chosen: dict[str, Any] = {}
    left = list(values)
    for part, row in zip(found, rows, strict=True):
        own, left = left[: len(row)], left[len(row) :]
        changed = settings(row, own, defaults_of(part.build, part.given))
        chosen |= {f"{part.path}{name}": value for name, value in changed.items()}
    return chosen


def _drawn(kind: str, name: str, chosen: Settings, *, seed: int, count: int, side: int, folder: Path | None) -> tuple[Pixels, str]:
    said = f"{name}: {chosen or 'as it comes'}"
    if kind != _RECIPE:
        return sheet(KINDS[kind], name, chosen, seed=seed, count=count, side=side, folder=folder), said
    found = recipe_sheet(name, chosen, seed=seed, count=count, folder=folder)
    return found.pixels, "\n\n".join([describe(name).line, said, *(f"Left out: {line}" for line in found.left_out)])
