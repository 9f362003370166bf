"""See the data: contact sheets of any mixture, degradation or kind of leaves, with a control for every setting."""

from pathlib import Path
from typing import Any

import gradio as gr

from limpid.errors import LimpidError
from limpid.web.api import Service
from limpid.web.controls import controls, defaults_of, settings
from limpid.web.data_sheets import KINDS, build_of, names, sheet


def fill(service: Service, folder: Path | None) -> None:
    """Put the controls into the tab that is open and connect them."""
    first = next(iter(KINDS))
    with gr.Row():
        with gr.Column(scale=1, min_width=300):
            kind = gr.Radio(list(KINDS), value=first, label="Kind", elem_id="data_kind")
            name = gr.Dropdown(names(KINDS[first]), value="glass", label="Which", elem_id="data_name")
            seed = gr.Slider(0, 100, 0, step=1, label="Seed", elem_id="data_seed")
            count = gr.Slider(1, 24, 4, step=1, label="Items", elem_id="data_count")
            side = gr.Slider(64, 512, 192, step=16, label="Side, pixels", elem_id="data_side")
            go = gr.Button("Draw", variant="primary", elem_id="data_go")
            made = gr.State({})
        with gr.Column(scale=2, min_width=300):
            picture = gr.Image(label="Contact sheet", format="png", interactive=False, elem_id="data_sheet", buttons=["download"])
            said = gr.Markdown("Draw shows a sheet; every setting of the chosen thing stands below it.", elem_id="data_said")
            place = gr.Column()

    def draw(kind: str, name: str, seed: float, count: float, side: float, chosen: Any) -> Any:
        def work() -> Any:
            return sheet(KINDS[kind], name, chosen, seed=int(seed), count=int(count), side=int(side), folder=folder)

        try:
            return service.queue.run(work), f"{name}: {chosen or 'as it comes'}"
        except LimpidError as error:
            raise gr.Error(str(error)) from error

    inputs = [kind, name, seed, count, side, made]
    outputs = [picture, said]

    def show(kind: str, name: str) -> None:
        build = build_of(KINDS[kind], name)
        with gr.Accordion("Settings", open=True):
            found = controls(build, "data_set")
        components = [control.component for control in found]

        def keep(*values: Any) -> Any:
            return settings(found, values, defaults_of(build))

        for component in components:
            changed = component.release if isinstance(component, gr.Slider) else component.change
            changed(keep, components, made, show_progress="hidden").then(draw, inputs, outputs)

    with place:
        gr.render(inputs=[kind, name], triggers=[kind.change, name.change, go.click])(show)
    kind.input(_menu, kind, [name, made], show_progress="hidden")
    name.input(lambda: {}, None, made, show_progress="hidden")
    go.click(draw, inputs, outputs)
    seed.release(draw, inputs, outputs)


def _menu(kind: str) -> tuple[Any, dict[str, Any]]:
    there = names(KINDS[kind])
    return gr.Dropdown(choices=there, value=there[0]), {}
