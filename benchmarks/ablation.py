"""What training data and mixtures are worth: small networks, few steps, one seed; writes table.md and table.json, prints the table.

Makes the charts, trains eight networks one after the other by `limpid.training.trainer.train` with the shipped recipes cut down,
and measures them by `limpid.evaluation.evaluate.evaluate`. What is finished is not done again: the same command goes on after a
stop. On one free core half an hour; docs/ablation.md has the figures and what they do not say.
Usage: python benchmarks/ablation.py [--out DIR] [--photos DIR] [--held DIR] [--data DIR] [--only denoise|reflection|deblur] …;
DATA holds kodak24/ and ceilnet_synthetic/{blended,transmission_layer}.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import torch

from limpid import read
from limpid.data.synthesise import SynthesisOptions as Charts
from limpid.data.synthesise import synthesise
from limpid.evaluation.degradations import DegradationCondition, parse
from limpid.evaluation.evaluate import EvaluateOptions as Question
from limpid.evaluation.evaluate import evaluate
from limpid.evaluation.results import INPUT
from limpid.evaluation.summary import by_image, groups
from limpid.metrics.psnr import psnr
from limpid.recipe.load import load as load_recipe
from limpid.runtime.load import load as load_network
from limpid.training.kept_weights import BestWeights
from limpid.training.options import TrainOptions as Training
from limpid.training.set_up import RECIPE
from limpid.training.trainer import run_recipe

GROUPS = ("denoise", "reflection", "deblur")
STEPS = {"denoise": 1500, "reflection": 600, "deblur": 450}
RATES = {"denoise": 5e-3, "reflection": 8e-4, "deblur": 5e-3}
AVERAGES = {"denoise": 0.995, "reflection": 0.995, "deblur": 0.99}
BATCH, SIDE, COUNT, HELD_OUT = 8, 448, 160, 16

PLAIN: dict[str, Any] = {"colours": "natural", "supersample": 2}
# radii, fills and depth of field in the manner of VibrantLeaves (arXiv:2504.10201)
TEXTURED: dict[str, Any] = {
    **PLAIN,
    "radius": [10, 1000],
    "defocus": 5,
    "shapes": {"disk": 1, "ellipse": 1, "polygon": 2, "rectangle": 1, "stroke": 1},
    "fills": {"linear": 1, "noise": 13, "periodic": 6},
}
NOISE: list[dict[str, Any]] = [{"name": "gaussian_noise", "sigma": [25, 25]}]
SHAKE: list[dict[str, Any]] = [{"name": "motion_blur", "sharp": 0.12, "rim": 40}]  # no noise, as in the fifth work
# no gain on the transmission, as in the recipe: what is asked for is the transmission as it appears
SCREEN: list[dict[str, Any]] = [
    {"name": "screen", "share": 1.0, "transmission_gain": [1.0, 1.0], "sigma": [1.0, 5.0], "border": "reflect"}
]
SMALL = ["model.encoder=[1,1,2]", "model.middle=2", "model.decoder=[1,1,1]"]

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Places:
    """Folders: of runs and charts, of photos to train on and held out, of test sets."""

    out: Path
    photos: Path
    held: Path
    data: Path

    def charts(self, kind: str) -> Path:
        """Folder of a set of charts."""
        return self.out / f"leaves_{kind}"


def make_charts(places: Places) -> None:
    wanted = {
        "plain": (PLAIN, COUNT, 11, places.photos),
        "textured": (TEXTURED, COUNT, 11, places.photos),
        "held_out": (TEXTURED, HELD_OUT, 12, places.held),
    }
    for kind, (settings, count, seed, source) in wanted.items():
        if not places.charts(kind).is_dir():  # made whole or not at all
            size, out = (SIDE, SIDE), places.charts(kind)
            synthesise(
                Charts(kind="leaves", out=out, count=count, seed=seed, size=size, settings=settings, source=source, sheet=True)
            )


def shared(group: str) -> list[str]:
    """Overrides that all networks of a group have."""
    return [
        f"data.epoch={STEPS[group] * BATCH}",  # one epoch: validation is looked at and chooses nothing
        f"data.batch={BATCH}",
        "data.workers=1",
        "data.validate.0.count=16",
        "train.epochs=1",
        f"train.ema={AVERAGES[group]}",
        "train.threads=1",
        f"optimiser.rate={RATES[group]}",
        "schedule.warmup=50",
        "log.images=0",
    ]


def folders(roots: Sequence[Path], degradations: Sequence[Row]) -> str:
    """The override that trains on the photos of ``roots``, each with the same share, degraded by ``degradations``."""
    items = [{"name": "degraded", "root": str(root), "degradations": degradations, "keep": True} for root in roots]
    return f"data.train={json.dumps(items)}"


def restorers(places: Places, group: str) -> dict[str, list[str]]:
    """Label → overrides of the networks that denoise or deblur."""
    plain, textured, photos = places.charts("plain"), places.charts("textured"), places.photos
    roots = {"textured leaves": [textured], "natural photos": [photos]}
    if group == "denoise":
        roots = {"plain leaves": [plain], **roots, "textured leaves and photos": [textured, photos]}
    degrade, width = (NOISE, 16) if group == "denoise" else (SHAKE, 24)
    common = [f"HELD={places.held}", f"model.width={width}", *SMALL, *shared(group)]
    return {label: [*common, folders(found, degrade)] for label, found in roots.items()}


def removers(places: Places) -> dict[str, list[str]]:
    """Label → overrides of the networks that remove reflections."""
    common = [f"HELD={places.held}", "model.size=base", "model.width=16", "train.compile=false", *shared("reflection")]
    augments = ({"window": 84, "stretch": 112}, {"short_side": [112, 150], "crop": 112})
    for index, augment in enumerate(augments):
        item = f"data.train.{index}"
        common += [f"{item}.transmission={places.photos}", f"{item}.augment={json.dumps(augment)}"]
    screen = [f"data.train.{index}.mixtures={json.dumps(SCREEN)}" for index in range(len(augments))]
    return {"screen only": [*common, *screen], "all mixtures": common}


def trained(places: Places, group: str) -> dict[str, Path]:
    """Label → weights of every network of a group; those that are missing are trained now."""
    recipe = {"denoise": "limpid_denoise", "reflection": "limpid", "deblur": "limpid_deblur_guess"}[group]
    wanted = removers(places) if group == "reflection" else restorers(places, group)
    found = {}
    for label, overrides in wanted.items():
        folder = places.out / f"{group}_{label.replace(' ', '_')}_{STEPS[group]}"
        if not BestWeights(folder).kept:
            code = run_recipe(load_recipe(recipe, overrides), folder, Training(resume=(folder / RECIPE).is_file(), device="cpu"))
            if code:
                raise SystemExit(code)
        found[label] = folder / BestWeights(folder).kept[0].file
    return found


def measured(
    places: Places, group: str, networks: dict[str, Path], sets: Sequence[str], degradations: Sequence[DegradationCondition]
) -> list[Row]:
    """A row per set, strength and network, the untouched input first; kernels of one class make one mean."""
    models = {label: str(path) for label, path in networks.items()}
    report, protocol = places.out / "evaluation" / group, "restoration" if degradations else "field"
    options = Question(
        sets=sets, report=report, models=models, protocol=protocol, degradations=degradations, traces="none", device="cpu"
    )
    results = evaluate(options)
    parts = groups(results)
    rows = []
    for name in dict.fromkeys((part.set, strength(part.conditions)) for part in parts):
        alike = [part for part in parts if (part.set, strength(part.conditions)) == name]
        for model in (INPUT, *networks):
            means = {metric.name: by_image(alike, model, metric.name) for metric in results.metrics}
            row = {"group": group, "test": " ".join(filter(None, name)), "model": model, "protocol": protocol}
            values = {metric.split("_")[0].upper(): mean.value for metric, mean in means.items()}  # the protocol says which PSNR
            rows.append({**row, **values, "images": alike[0].count})
    return rows


def strength(conditions: Any) -> str:
    """How a degradation is called in the table: ``blur.1`` of a class is one of its kernels."""
    return " ".join(f"{name} {str(value).partition('.')[0]}" for name, value in conditions.items())


def clean(places: Places, networks: dict[str, Path]) -> list[Row]:
    """How far photos without any reflection are from what the networks make of them."""
    photos = sorted((places.data / "kodak24").glob("*.png"))
    rows = []
    for label, path in networks.items():
        separator = load_network(path, "cpu")
        scores = [psnr(separator(photo)["transmission"], read(photo).tensor()) for photo in photos]
        row = {"group": "reflection", "test": "kodak24, clean: to the input", "model": label, "protocol": "field"}
        rows.append({**row, "PSNR": sum(scores) / len(scores), "images": len(scores)})
    return rows


def rows_of(places: Places, group: str) -> list[Row]:
    networks = trained(places, group)
    kodak = f"kodak24={places.data / 'kodak24'}"
    if group == "denoise":
        return measured(places, group, networks, [kodak], parse(["noise:sigma=25"], [500]))
    if group == "deblur":
        sets = [kodak, f"dead leaves={places.charts('held_out')}"]
        return measured(places, group, networks, sets, parse(["blur:kernels=small.0,small.1,big.0,big.1"], [256]))
    table2 = f"table2={places.data / 'ceilnet_synthetic'}"
    return [*measured(places, group, networks, [table2], ()), *clean(places, networks)]


def table(rows: Sequence[Row]) -> str:
    """Markdown, one table per group; a measure that a row does not have stays empty."""
    texts = []
    for group in dict.fromkeys(row["group"] for row in rows):
        mine = [row for row in rows if row["group"] == group]
        titles = [title for title in ("PSNR", "SSIM", "LPIPS") if any(title in row for row in mine)]
        heading = ["test set", "trained on", *titles, "images"]
        lines = ["| " + " | ".join(heading) + " |", "|" + "---|" * len(heading)]
        for row in mine:
            cells = [f"{row[title]:.{2 if title == 'PSNR' else 3}f}" if title in row else "" for title in titles]
            lines.append("| " + " | ".join([row["test"], row["model"], *cells, str(row["images"])]) + " |")
        texts.append(f"## {group}, {STEPS[group]} steps of {BATCH}, protocol {mine[0]['protocol']}\n\n" + "\n".join(lines) + "\n")
    return "\n".join(texts)


def main() -> None:
    data = Path(__file__).parents[2] / "shared" / "data"
    parser = argparse.ArgumentParser(description="Train and measure the networks of docs/ablation.md.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[2] / "runs" / "ablation", help="runs, charts and tables")
    parser.add_argument("--photos", type=Path, default=data / "natural" / "train", help="photos to train on")
    parser.add_argument("--held", type=Path, default=data / "natural" / "val", help="photos that nothing is trained on")
    parser.add_argument("--data", type=Path, default=data, help="folder of kodak24 and ceilnet_synthetic")
    parser.add_argument("--only", action="append", choices=GROUPS, help="these groups alone; repeatable")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    places = Places(out=given.out, photos=given.photos, held=given.held, data=given.data)
    make_charts(places)
    rows = [row for group in GROUPS if group in (given.only or GROUPS) for row in rows_of(places, group)]
    (places.out / "table.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    (places.out / "table.md").write_text(table(rows), encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
