"""The options of ``limpid publish``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from limpid.options import option


@dataclass(frozen=True, kw_only=True)
class PublishOptions:
    """Which weights become which folder, and what its card says; what the file states itself need not be given.

    ``licence``: of the weights, as an SPDX identifier; ``data``: what they were trained on; ``report``: of ``limpid evaluate`` on
    this very file, for the scores; ``tags``: further ones.
    """

    weights: str = option(..., "NAME or FILE.", argument=True, metavar="FILE")
    folder: Path = option(..., "Folder to write: weights, config.json and README.md.", argument=True, metavar="DIR")
    name: str | None = option(None, "Name on the hub (that of the folder).")
    licence: str | None = option(None, "Licence of the weights, e.g. apache-2.0.")
    data: str | None = option(None, "What they were trained on, in a sentence.")
    report: Path | None = option(None, "Report folder of `limpid evaluate` on this file, for the scores.")
    tags: Sequence[str] = option((), "A further tag; repeatable.", "--tag")
    overwrite: bool = option(False, "Replace the three files if they exist.")
