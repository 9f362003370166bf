"""The table that the field lacks: every network of the catalogue, from its entry and what was measured.

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
_RESTORED = {"gopro": "GoPro", "sidd": "SIDD", "hide": "HIDE"}
_PUBLISHED = {
    "dsit": ("DSIT",),
    "dsrnet": ("DSRNet",),
    "errnet": ("ERRNet", "ERRNet-F"),
    "ibcln": ("IBCLN",),
    "nafnet": ("NAFNet width 32", "NAFNet width 64"),
    "ragnet": ("RAGNet",),
    "rdnet": ("RDNet",),
    "ytmt": ("YTMT",),
}
"""Network → what tables of papers call it."""

_INTRODUCTION = """# The field

Written by `docs/field.py` from the entries of the catalogue; do not edit.
{measured}
Published scores are as they were printed: image variants, resizers and training sets differ behind one name, so that columns of
different sources do not compare. Networks that are opened through spandrel are its own, see [restoration](evaluation.md).
"""
_MEASURED = """Seconds and peak memory are those of one 512×512 photo, measured with random weights on {date} on one machine
({machine}): processor time of a forward, and the whole process with weights and libraries; a dash: not measured."""
_UNMEASURED = "Seconds and peak memory are not measured yet (`python benchmarks/field.py`): a dash."


def page() -> str:
    """The whole page."""
    measured: dict[str, Any] = json.loads(MEASURED.read_text(encoding="utf-8"))
    costs = measured["costs"]
    says = _MEASURED.format(date=measured["date"], machine=measured["machine"]) if costs else _UNMEASURED
    parts = [_INTRODUCTION.format(measured=says), _networks(costs)]
    parts += ["## Published scores: reflections, PSNR in dB and SSIM", _scores(_SETS, ["psnr", "ssim"])]
    parts += ["## Published scores: noise and blur, PSNR in dB of one error over RGB", _scores(_RESTORED, ["psnr_joint"])]
    return "\n".join(parts)


def _networks(costs: Mapping[str, Mapping[str, float]]) -> str:
    rows = []
    for name in list_models():
        entry, cost = catalogue.find("models", name), costs.get(name, {})
        with torch.device("meta"):  # counted without being allocated
            network = create_model(name)
        count = sum(parameter.numel() for parameter in network.parameters())
        rows.append(
            (
                f"`{name}`",
                ", ".join(entry.tasks),
                _year(entry.source),
                entry.source,
                f"{count / 1e6:.1f} M ({next(iter(entry.sizes))})",
                entry.licence,
                _needs(network.needs),
                f"{cost['seconds']:.1f}" if "seconds" in cost else "-",
                f"{cost['bytes'] / 1e9:.2f}" if "bytes" in cost else "-",
            )
        )
    return _table(("Network", "For", "Year", "Source", "Parameters", "Licence", "Needs", "s", "GB"), rows)


def _needs(needs: Needs) -> str:
    """What a network asks of a photo."""
    whole = {"never": "the photo whole", "discouraged": "tiles with context", "harmless": "any tiles"}[needs.tiling]
    multiple = needs.resize.multiple if needs.resize else needs.multiple
    return f"{whole}; multiples of {multiple}" if multiple > 1 else whole


def _year(source: str) -> str:
    found = re.search(r"\b(?<!arXiv:)(?:19|20)\d\d\b", source) or re.search(r"arXiv:(\d\d)", source)
    return "-" if found is None else found[0] if found.lastindex is None else f"20{found[1]}"


def _scores(sets: Mapping[str, str], metrics: Sequence[str]) -> str:
    """What was printed for networks of the catalogue: sets → headings, and the measures of a cell."""
    return _table(("Network", "Called", *sets.values(), "Sizes", "Source"), list(_published(sets, metrics)))


def _published(sets: Mapping[str, str], metrics: Sequence[str]) -> Iterator[tuple[str, ...]]:
    tables = yaml.safe_load(files("limpid.evaluation").joinpath("published.yaml").read_text(encoding="utf-8"))
    for table in tables:
        if table["metrics"][: len(metrics)] != metrics or "conditions" in table:
            continue
        for network, names in _PUBLISHED.items():
            for called in names:
                cells = dict(zip(table["sets"], table["rows"].get(called, ()), strict=False))
                shown = [_cell(cells.get(name), len(metrics)) for name in sets]
                if any(shown):
                    yield (f"`{network}`", called, *shown, _sizes(table), table["source"])


def _sizes(table: Mapping[str, Any]) -> str:
    """The size rule of a table and which of the copies of a set it is of, as far as it says."""
    copies = [f"{_SETS.get(name, name)} {variant}" for name, variant in table.get("variants", {}).items()]
    return "; ".join((table.get("size_rule", "not stated"), *copies))


def _cell(values: list[float] | None, count: int) -> str:
    return "" if values is None else " / ".join(f"{value:.{2 if not place else 3}f}" for place, value in enumerate(values[:count]))


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
