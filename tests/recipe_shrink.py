"""Shipped recipes made small enough to take two steps in a second: photos made on the spot, overrides that shrink everything."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import torch

from limpid import catalogue
from limpid.checkpoints import file
from limpid.layers.task import find_task
from limpid.recipe.load import FOLDER
from limpid.recipe.text import read
from training_samples import photos

SIDE = 32
"""Height and width of a shrunk crop: what the smallest networks, discriminators and losses can bear."""

_PLACE = re.compile(r"\$([A-Z][A-Z0-9_]*)")


def text_of(name: str) -> str:
    """A shipped recipe as it is written."""
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def names_in(name: str) -> list[str]:
    """The places that a recipe asks for, comments left aside."""
    lines = (line.partition(" #")[0] for line in text_of(name).splitlines() if not line.lstrip().startswith("#"))
    return sorted({found for line in lines for found in _PLACE.findall(line)})


def make_places(folder: Path) -> dict[str, Path]:
    """``HELD``: photos; ``TEACHER``: a small checkpoint; ``*``: photos, and pairs below, that serve under any other name.

    ``SYN``: two folders of the same names, to be blended. ``GLASS``, ``SINTEL``: photos and layers that do not belong together.
    """
    pool = photos(folder / "pool", 4, seed=2)
    for below in ("blended", "transmission_layer"):
        photos(pool / below, 3, seed=3 if below == "blended" else 4)
    for path in (pool / "transmission_layer").iterdir():
        path.rename(path.with_name(path.name.replace("4_", "3_", 1)))
    syn = photos(folder / "syn" / "transmission_layer", 3, seed=5).parent
    shutil.copytree(syn / "transmission_layer", syn / "reflection_layer")
    apart = folder / "apart"
    for seed, below in enumerate(("blended", "transmission_layer", "reflection_layer", "albedo_layer", "shading_layer")):
        photos(apart / below, 2, seed=6 + seed)
    unpaired = {"GLASS": apart, "SINTEL": apart}
    return {
        **unpaired,
        "*": pool,
        "HELD": photos(folder / "held", 2, seed=1),
        "SYN": syn,
        "TEACHER": _teacher(folder / "teacher.safetensors"),
    }


def overrides(name: str, places: dict[str, Path]) -> list[str]:
    """``NAME=folder`` for every place of a recipe, and what makes it small: network, crops, backbones, batch, epoch, log."""
    data: Any = read(text_of(name), name).data
    changed: dict[str, Any] = {
        "model": _model(data),
        "data.epoch": 2,
        "data.batch": 1,
        "data.workers": 0,
        "train.epochs": 1,
        "train.init": None,
        "train.threads": 1,
        "train.compile": False,
        "train.accumulate": 1,
        "train.precision": "float32",
        "log": {"every": 1, "images": 0, "curves": False},
    }
    if "discriminators" in data.get("procedure", {}):
        changed["procedure.discriminators"] = {"width": 4, "layers": 2, "scales": 2, "pool": 1}
    if data["data"].get("augment"):
        changed["data.augment"] = _small(data["data"]["augment"], _rim(data["data"]["train"]))
    for part in ("train", "validate"):
        for place, item in enumerate(data["data"][part]):
            changed.update({f"data.{part}.{place}.{key}": value for key, value in _shrunk(item).items()})
            if part == "validate":
                changed[f"data.{part}.{place}.count"] = 1
    for place, term in enumerate(data["losses"]):
        if isinstance(term.get("weight"), dict):  # from its last epoch on, so that the discriminator plays
            changed[f"losses.{place}.weight"] = list(term["weight"].values())[-1]
    given = [f"{asked}={places.get(asked, places['*'])}" for asked in names_in(name)]
    return [*given, *(f"{key}={json.dumps(value)}" for key, value in changed.items())]


def _model(data: dict[str, Any]) -> dict[str, Any]:
    """The smallest network of its kind, for the same layers and with the same parts."""
    model = {"name": data["model"]["name"], "size": "tiny"}
    model |= {part: True for part in ("hints", "fills", "gate") if data["model"].get(part)}
    if model["name"] == "sils":
        model["layers"] = list(find_task(data.get("task", "reflection")).layers)
    return {**model, **({"training_parts": True} if data["model"].get("training_parts") else {})}


def _shrunk(item: dict[str, Any]) -> dict[str, Any]:
    """What replaces the settings of a source."""
    small: dict[str, Any] = {}
    if item.get("augment"):
        small["augment"] = _small(item["augment"], _rim([item]))
    if item["name"] in ("leaves", "intrinsic"):
        small.update(size=[SIDE, SIDE])
    if item["name"] == "toy":
        small.update(side=SIDE)
    if item["name"] in ("intrinsic", "toy"):
        small.update(length=2)
    return small


def _small(augment: dict[str, Any], rim: int) -> dict[str, Any]:
    values = {"crop": SIDE + 2 * rim, "stretch": SIDE, "short_side": [SIDE, 40], "width": [SIDE, 48], "window": SIDE}
    return {key: values.get(key, value) for key, value in augment.items()}


def _rim(items: list[dict[str, Any]]) -> int:
    return max((one.get("rim") or 0 for item in items for one in item.get("degradations", ())), default=0)


def _teacher(path: Path) -> Path:
    """Half as wide as the tiny student, so that projectors are needed."""
    entry = catalogue.find("models", "hypercolumn")
    settings = {**entry.sizes["tiny"], "width": 4}
    torch.manual_seed(5)
    tensors = entry.build(**settings).state_dict()
    file.save(path, file.Checkpoint(model="hypercolumn", settings=settings, tensors=tensors, notes={}))
    return path


def start(path: Path, model: str, **chosen: Any) -> Path:
    """A checkpoint of the smallest network, as a trained baseline would be: without the scales of residual variants.

    ``chosen``: settings beside those of its size.
    """
    entry = catalogue.find("models", model)
    settings = {**entry.sizes["tiny"], **chosen}
    torch.manual_seed(6)
    tensors = {name: one for name, one in entry.build(**settings).state_dict().items() if "scale" not in name.partition(".")[0]}
    file.save(path, file.Checkpoint(model=model, settings=settings, tensors=tensors, notes={}))
    return path
