"""The table that the field lacks: every network against reflections, from the entries of the catalogue and what was measured.

Usage: python docs/field.py; writes docs/field.md. Seconds and memory come from docs/field.json, which benchmarks/field.py writes on
one machine; scores are those of ``evaluation/published.yaml``, as they were printed.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
import yaml

from limpid import catalogue
from limpid.layers.network import Needs
from limpid.models._build import create_model, list_models

PAGE = Path(__file__).with_name("field.md")
MEASURED = Path(__file__).with_name("field.json")

_SETS = {"real20": "Real20", "sir2_objects": "Objects", "sir2_postcard": "Postcard", "sir2_wild": "Wild", "nature": "Nature"}
_PUBLISHED = {
    "dsit": ("DSIT",),
    "dsrnet": ("DSRNet",),
    "errnet": ("ERRNet", "ERRNet-F"),
    "ibcln": ("IBCLN",),
    "ragnet": ("RAGNet",),
    "rdnet": ("RDNet",),
    "ytmt": ("YTMT",),
}
"""Network → what tables of papers call it."""

_INTRODUCTION = """# The field

Written by `docs/field.py` from the entries of the catalogue; do not edit. Seconds and peak memory are those of one 512×512 photo on
one machine ({machine}), weights included; a dash says that it was not measured.
Published scores are PSNR in dB and SSIM, as they were printed: image variants, resizers and training sets differ behind one name,
so that columns of different sources do not compare.
"""


def page() -> str:
    """The whole page."""
    measured: dict[str, Any] = json.loads(MEASURED.read_text(encoding="utf-8"))
    parts = [_INTRODUCTION.format(machine=measured["machine"]), _networks(measured["costs"])]
    parts += ["## Published scores", _scores()]
    return "\n".join(parts)


def _networks(costs: Mapping[str, Mapping[str, float]]) -> str:
    rows = []
    for name in list_models("reflection"):
        entry, cost = catalogue.find("models", name), costs.get(name, {})
        with torch.device("meta"):  # counted without being allocated
            network = create_model(name)
        count = sum(parameter.numel() for parameter in network.parameters())
        rows.append(
            (
                f"`{name}`",
                _year(entry.source),
                entry.source,
                f"{count / 1e6:.1f} M ({next(iter(entry.sizes))})",
                entry.licence,
                _needs(network.needs),
                f"{cost['seconds']:.1f}" if "seconds" in cost else "-",
                f"{cost['bytes'] / 1e9:.2f}" if "bytes" in cost else "-",
            )
        )
    return _table(("Network", "Year", "Source", "Parameters", "Licence", "Needs", "s", "GB"), rows)


def _needs(needs: Needs) -> str:
    """What a network asks of a photo."""
    whole = {"never": "the photo whole", "discouraged": "tiles with context", "harmless": "any tiles"}[needs.tiling]
    multiple = needs.resize.multiple if needs.resize else needs.multiple
    return f"{whole}; multiples of {multiple}" if multiple > 1 else whole


def _year(source: str) -> str:
    found = re.search(r"\b(?<!arXiv:)(?:19|20)\d\d\b", source) or re.search(r"arXiv:(\d\d)", source)
    return "-" if found is None else found[0] if found.lastindex is None else f"20{found[1]}"


def _scores() -> str:
    return _table(("Network", "Called", *_SETS.values(), "Source"), list(_published()))


def _published() -> Iterator[tuple[str, ...]]:
    tables = yaml.safe_load(files("limpid.evaluation").joinpath("published.yaml").read_text(encoding="utf-8"))
    for table in tables:
        if table["metrics"] != ["psnr", "ssim"]:
            continue
        for network, names in _PUBLISHED.items():
            for called in names:
                cells = dict(zip(table["sets"], table["rows"].get(called, ()), strict=False))
                shown = [_cell(cells.get(name)) for name in _SETS]
                if any(shown):
                    yield (f"`{network}`", called, *shown, table["source"])


def _cell(values: list[float] | None) -> str:
    return "" if values is None else f"{values[0]:.2f} / {values[1]:.3f}"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
