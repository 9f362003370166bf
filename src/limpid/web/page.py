"""The page: one tab per thing to do, on the same networks and the same queue as the HTTP API."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import gradio as gr
from fastapi import FastAPI, File, UploadFile

from limpid.image.formats import format_of
from limpid.web import clean_page, compare_page, data_page, run_page
from limpid.web.api import Service
from limpid.web.options import MAX_UPLOAD, UPLOADS, AppOptions

_ASSETS = Path(__file__).parent / "assets"
_KEPT = 3600  # seconds that pictures stay in the temporary folder


def mount(app: FastAPI, service: Service, options: AppOptions, folder: Path) -> None:
    """Put the page at ``/``; ``folder``: where uploads and results lie for an hour at most."""
    app.add_api_route(UPLOADS, _store(folder), methods=["POST"], include_in_schema=False)
    with gr.Blocks(title="limpid", analytics_enabled=False, delete_cache=(60, _KEPT)) as blocks:
        gr.Markdown("# limpid\nSeparates the layers of a photo, on this machine; no photo leaves it.", elem_id="title")
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap"):
            with gr.Tab("Clean a photo", elem_id="clean"):
                clean_page.fill(service)
            with gr.Tab("Compare live", elem_id="compare") as compare:
                compare_page.fill(service, options.folder)(compare)
            with gr.Tab("See the data", elem_id="data"):
                data_page.fill(service, options.folder)
            if options.runs is not None:
                with gr.Tab("See a run", elem_id="run") as run:
                    run_page.fill(options.runs)(run)
    blocks.queue(max_size=options.queue + 1, default_concurrency_limit=options.queue + 1, api_open=False)
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        ssr_mode=False,
        footer_links=[],
        run_history=False,
        max_file_size=MAX_UPLOAD,
        show_error=True,
        css=(_ASSETS / "page.css").read_text(encoding="utf-8"),
        head=f"<script>{(_ASSETS / 'page.js').read_text(encoding='utf-8')}</script>",
        theme=_theme(),
    )


def _theme() -> Any:
    """Gradio's own, with text that stands out from its background by 4.5 to 1 (WCAG 2 AA)."""
    return gr.themes.Default(font="system-ui", font_mono="monospace").set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        color_accent="*primary_700",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_800",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
    )


def _store(folder: Path) -> Any:
    """What receives photos in place of gradio, which would keep the names that the browser gives them."""

    async def store(files: Annotated[Sequence[UploadFile], File()]) -> list[str]:
        stored = []
        for file in files:
            known = format_of(file.filename or "")
            place = folder / secrets.token_hex(16)
            place.mkdir(mode=0o700)
            path = place / f"photo.{known.lower()}" if known else place / "photo"
            path.write_bytes(await file.read())
            path.chmod(0o600)
            stored.append(str(path))
        return stored

    return store
