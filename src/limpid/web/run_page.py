"""See a run: the curves and pictures of a training while it goes on."""

import time
from pathlib import Path
from typing import Any

import gradio as gr

from limpid.web.watch import changed, curves, drawing, pictures, runs, state

_EVERY = 5.0  # seconds


def fill(folder: Path) -> Any:
    """Put the controls into the tab that is open; returns what starts watching when the tab is chosen."""
    with gr.Row():
        which = gr.Dropdown(list(runs(folder)), label="Run", elem_id="run_name")
        again = gr.Button("Look again", elem_id="run_again")
    said = gr.Markdown("Runs are looked at every 5 seconds while this page is open.", elem_id="run_said")
    drawn = gr.HTML(elem_id="run_curves")
    gallery = gr.Gallery(
        label="Pictures of the newest epoch", columns=4, format="png", elem_id="run_pictures", buttons=["fullscreen"]
    )
    seen = gr.State(("", 0.0))
    timer = gr.Timer(_EVERY, active=False)

    def look(name: str | None, before: tuple[str, float]) -> Any:
        there = runs(folder)
        if not there:
            return gr.Dropdown(choices=[]), "No training here yet.", "", [], before
        chosen = name if name in there else next(iter(there))
        run = there[chosen]
        menu, words, now = gr.Dropdown(choices=list(there), value=chosen), state(run, time.time()), (chosen, changed(run))
        if now == before:
            return menu, words, gr.skip(), gr.skip(), before
        figures = "".join(map(drawing, curves(run)))
        return menu, words, f'<div class="curves">{figures}</div>', pictures(run), now

    inputs, outputs = [which, seen], [which, said, drawn, gallery, seen]
    which.input(look, inputs, outputs, show_progress="hidden")
    again.click(lambda name: look(name, ("", 0.0)), which, outputs, show_progress="hidden")
    timer.tick(look, inputs, outputs, show_progress="hidden")

    def chosen(tab: Any) -> None:
        tab.select(look, inputs, outputs, show_progress="hidden").then(lambda: gr.Timer(active=True), None, timer)

    return chosen
