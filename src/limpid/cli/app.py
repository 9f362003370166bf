"""``limpid app``: the page and the HTTP API."""

from typing import Annotated

import typer

from limpid.cli.from_options import takes
from limpid.web.options import AppOptions


@takes(AppOptions)
def app(
    options: AppOptions,
    traceback: Annotated[bool, typer.Option("--traceback", help="Show where an error came from.")] = False,
) -> None:
    """Serve a page that cleans photos, and an HTTP API, on this machine alone; no photo leaves it.

    limpid app --port 7860

    limpid app --host 0.0.0.0 --token SECRET-OF-YOURS

    limpid app --static SITE --onnx limpid.onnx
    """
    if options.static is not None:
        from limpid.web.static_page import size_of, write_single, write_static

        if options.single:
            folder, what = write_single(options.static, options.onnx), "open limpid.html in a browser"
        else:
            folder = write_static(options.static, options.onnx, webgpu=options.webgpu)
            what = "serve it from any host of static files"
        typer.echo(f"wrote {folder} ({size_of(folder)}); {what}")
        return
    from limpid.web.serve import serve

    code = serve(options)
    if code:
        raise typer.Exit(code)
