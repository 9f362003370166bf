"""The command ``limpid``: one sub-command per file, nothing heavy imported before it is needed."""

import os
import signal
import sys
from types import FrameType
from typing import Annotated

import typer

from limpid._version import __version__
from limpid.cli import app as app_command
from limpid.cli import (
    bench,
    convert,
    demo,
    doctor,
    evaluate,
    export,
    film,
    inspect,
    models,
    photo,
    plot,
    prepare,
    publish,
    remote,
    synthesise,
    train,
)
from limpid.errors import LimpidError, UsageError, is_out_of_memory
from limpid.progress import lost_output, open_streams, say, tell

app = typer.Typer(
    name="limpid",
    help="Separate the layers of a photograph: what lies behind the glass and what it mirrors.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_NO_COLOR = "--no-color"
_PHOTO_COMMANDS = {
    "separate": ("reflection", "Split photos taken through glass into what is behind it and what it mirrors."),
    "denoise": ("denoise", "Take the noise out of photos."),
    "deblur": ("deblur", "Take motion blur out of photos."),
    "decompose": ("intrinsic", "Split photos into the colour of things (albedo) and the light on them (shading)."),
}
for _name, (_task, _help) in _PHOTO_COMMANDS.items():
    app.command(_name, help=_help, epilog="Writes photo.LAYER.jpg beside photo.jpg; nothing is overwritten unless you say so.")(
        photo.photo_command(_task)
    )
app.command("demo")(demo.demo)
app.command("models")(models.models)
app.command("inspect")(inspect.inspect)
app.command("convert")(convert.convert)
app.command("export")(export.export)
app.command("film")(film.film)
app.command("publish")(publish.publish)
app.command("synthesise")(synthesise.synthesise)
app.command("prepare")(prepare.prepare)
app.command("train")(train.train)
app.command("plot")(plot.plot)
_remote = typer.Typer(help="Train on other machines.", no_args_is_help=True)
_remote.command("kaggle")(remote.kaggle)
_remote.command("bundle")(remote.bundle)
app.add_typer(_remote, name="remote")
app.command("evaluate")(evaluate.evaluate)
app.command("app")(app_command.app)
app.command("bench")(bench.bench)
app.command("doctor")(doctor.doctor)


def _version(wanted: bool) -> None:
    if wanted:
        tell(f"limpid {__version__}")
        raise typer.Exit


def _colourless(wanted: bool) -> None:
    if wanted:
        os.environ["NO_COLOR"] = "1"  # which every library that colours text knows


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    no_color: Annotated[
        bool,
        typer.Option(
            _NO_COLOR, callback=_colourless, is_eager=True, help="No colours, before or after any command; also NO_COLOR=1."
        ),
    ] = False,
) -> None:
    """Separate the layers of a photograph: what lies behind the glass and what it mirrors."""


class Terminated(BaseException):
    """SIGTERM came; unwinds like Ctrl-C so that nothing half-written stays."""


def _terminate(signal_number: int, frame: FrameType | None) -> None:
    raise Terminated


def main() -> None:
    """Run the command line: exit code 0 all done, 1 a file failed, 2 usage, 130 Ctrl-C, 143 SIGTERM."""
    signal.signal(signal.SIGTERM, _terminate)
    open_streams()
    sys.argv[1:] = _colourless_first(sys.argv[1:])
    code = _run()
    if fault := lost_output():
        say(f"limpid: standard output could not be written ({fault.strerror}); what should stand there is lost")
    sys.exit(code or (1 if fault else 0))


def _colourless_first(words: list[str]) -> list[str]:
    """``--no-color`` concerns all commands, so it may stand behind any of them, up to ``--``."""
    end = words.index("--") if "--" in words else len(words)
    if _NO_COLOR not in words[:end]:
        return words
    return [_NO_COLOR, *(word for word in words[:end] if word != _NO_COLOR), *words[end:]]


def _run() -> int | str | None:
    """The exit code of what was asked for; what can be foreseen is told in one line."""
    try:
        app()
    except SystemExit as end:
        return end.code
    except Terminated:
        say("limpid: stopped by SIGTERM; finished files are complete")
        return 143
    except Exception as error:
        line = _line(error)
        if line is None or "--traceback" in sys.argv:
            raise
        say(f"limpid: {line}")
        return 2 if isinstance(error, UsageError) else 1
    return 0


def _line(error: Exception) -> str | None:
    """What a person is told of an error; None for one that nobody foresaw."""
    if isinstance(error, LimpidError):
        return str(error)
    if is_out_of_memory(error):
        return "out of memory; close other programs, or lower --max-memory or --jobs where the command has them"
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename is not None else ""
        return f"{place}{error.strerror or error}; check the name, your permission and the space on the disk"
    return None
