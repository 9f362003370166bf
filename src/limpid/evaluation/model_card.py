"""The card of a model on a hub: what its page shows of licence, data and scores, as YAML and Markdown."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import yaml

from limpid.checkpoints.inspect import Inspection
from limpid.errors import UsageError
from limpid.files import parse_json, read_file

_TAGS = {
    "reflection": ("reflection-removal", "layer-separation"),
    "intrinsic": ("intrinsic-images", "layer-separation"),
    "denoise": ("denoising", "image-restoration"),
    "deblur": ("deblurring", "image-restoration"),
}
_COMMANDS = {"reflection": "separate", "intrinsic": "decompose", "denoise": "denoise", "deblur": "deblur"}


@dataclass(frozen=True, kw_only=True)
class CardScore:
    """A mean over ``count`` images of a set under its conditions, by a protocol."""

    set: str
    metric: str
    title: str
    value: float
    count: int
    protocol: str


def read_scores(report: Path, sha256: str) -> list[CardScore]:
    """Mean scores of the weights with that checksum in an evaluation's report: its folder, or its ``results.json``.

    Images that failed are left out of the means. Raises UsageError for what is no report, or one of other weights.
    """
    path = report / "results.json" if report.is_dir() else report
    try:
        data = parse_json(read_file(path))
        models = {model["label"] for model in data["models"] if model["weights"] == sha256}
        titles = {metric["name"]: metric["title"] for metric in data["metrics"]}
        found: dict[tuple[str, str], list[float]] = {}
        for score in (score for score in data["scores"] if score["model"] in models and not score["error"]):
            label = " ".join([score["set"], *(f"{name} {value}" for name, value in score["conditions"].items())])
            for metric in titles:
                if (value := score["values"].get(metric)) is not None and math.isfinite(value):
                    found.setdefault((label, metric), []).append(float(value))
        protocol = str(data["protocol"])
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}; name the folder that `limpid evaluate --report` wrote") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is no report of limpid evaluate; name the folder that its --report wrote") from error
    if not found:
        raise UsageError(f"{path} holds no scores of these weights ({sha256[:12]}…); evaluate this very file, then publish it")
    return [
        CardScore(set=label, metric=metric, title=titles[metric], value=fmean(values), count=len(values), protocol=protocol)
        for (label, metric), values in found.items()
    ]


def card(
    about: Inspection, *, name: str, licence: str, data: str, scores: Sequence[CardScore], tags: Sequence[str], task: str
) -> str:
    """The card as Markdown with its YAML head: ``licence`` and ``data`` as their owner states them."""
    known = [tag for each in about.tasks for tag in _TAGS.get(each, ("layer-separation",))]
    head: dict[str, Any] = {
        "license": licence.lower(),
        "library_name": "limpid",
        "pipeline_tag": "image-to-image",
        "tags": list(dict.fromkeys([*known, about.model, *tags])),
    }
    if scores:
        head["model-index"] = [{"name": name, "results": _index(scores)}]
    lines = [
        f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---",
        f"# {name}",
        f"A `{about.model}` network of limpid: {', '.join(about.tasks)};"
        f" layers {', '.join(about.layers)}; {about.parameters / 1e6:.2f} M parameters.",
        f"```\nlimpid {_COMMANDS.get(task, 'separate')} photo.jpg -m hf-hub:OWNER/{name}\n```",
        f"**Architecture.** {about.source}",
        f"**Licence of the weights.** {licence}",
        f"**Trained on.** {data}",
        f"**Scores.**\n\n{_table(scores)}" if scores else "**Scores.** None are given.",
    ]
    return "\n\n".join(lines) + "\n"


def _index(scores: Sequence[CardScore]) -> list[Mapping[str, Any]]:
    """The scores as a hub's ``model-index`` holds them, set by set."""
    sets: dict[str, list[CardScore]] = {}
    for score in scores:
        sets.setdefault(score.set, []).append(score)
    return [
        {
            "task": {"type": "image-to-image"},
            "dataset": {"name": label, "type": label.split(" ")[0]},
            "metrics": [{"type": score.metric, "name": score.title, "value": round(score.value, 6)} for score in mine],
        }
        for label, mine in sets.items()
    ]


def _table(scores: Sequence[CardScore]) -> str:
    rows = [f"| {score.set} | {score.title} | {score.value:.4f} | {score.count} |" for score in scores]
    return "\n".join([f"By protocol {scores[0].protocol}:\n", "| set | measure | mean | images |", "|---|---|---|---|", *rows])
