"""Train a separation network on pairs blended from photos: ``python -m limpid.training.supervised PHOTOS RUN``.

One explicit loop: autocast to bfloat16, AdamW, cosine schedule with warm-up, EMA, resumable at any step.
"""

import csv
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import typer
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset

from limpid import catalogue
from limpid.data.decode import pixels
from limpid.data.pair import Pair
from limpid.data.synthesis import Crops, SyntheticPairs
from limpid.errors import DataError, PhotoError
from limpid.image.separation import Separation
from limpid.losses.gradient import gradient
from limpid.losses.l1 import l1
from limpid.metrics.psnr import psnr
from limpid.physics.formation import Formation
from limpid.progress import bar, say


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Settings of a run. Rates per step; ``minutes`` ends a run early, ``steps`` fixes the schedule."""

    model: str = "limpid"
    size: str = "base"
    steps: int = 16000
    batch: int = 8
    side: int = 160
    rate: float = 1e-3
    warmup: int = 500
    decay: float = 1e-4
    clip: float = 0.5
    ema: float = 0.999
    clean: float = 0.1
    seed: int = 2026
    workers: int = 1
    threads: int = 1
    validate: int = 1000
    minutes: float = 600.0


def formations() -> list[tuple[Formation, float]]:
    """The blends of the first weights: published constants, but transmission as it appears, so that clean stays clean."""
    subtractive, screen, glass = (catalogue.find("mixtures", name).build for name in ("subtractive", "screen", "glass"))
    return [
        (subtractive(border="reflect"), 0.4),
        (subtractive(kernel=7, sigma=(0.3, 2.0), border="reflect"), 0.1),
        (screen(transmission_gain=(1.0, 1.0), sigma=(1.0, 5.0), border="reflect"), 0.2),
        (glass(), 0.3),
    ]


def load_photos(folder: Path) -> list[np.ndarray]:
    """All photos of a folder, sorted by name, as (H, W, 3) uint8 RGB. Raises DataError for an empty or broken folder."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    if not paths:
        raise DataError(f"{folder} holds no .jpg or .png photo to train on")
    photos = []
    for path in paths:
        try:
            photos.append(pixels(path))
        except PhotoError as error:
            raise DataError(str(error)) from error
    return photos


def objective(layers: Separation, pair: dict[str, Tensor]) -> Tensor:
    """L1 and gradient on the transmission, half of both on the reflection."""
    losses = [
        weight * (l1(layers[name].float(), pair[name]) + gradient(layers[name].float(), pair[name]))
        for name, weight in (("transmission", 1.0), ("reflection", 0.5))
    ]
    return torch.stack(losses).sum()


def rate_at(step: int, plan: Plan) -> float:
    """Learning rate of a step: linear warm-up, then a cosine to one thousandth."""
    if step < plan.warmup:
        return plan.rate * (step + 1) / plan.warmup
    progress = (step - plan.warmup) / max(1, plan.steps - plan.warmup)
    return plan.rate * (0.001 + 0.999 * 0.5 * (1 + float(np.cos(np.pi * min(progress, 1.0)))))


def collate(pairs: Sequence[Pair]) -> dict[str, Tensor]:
    """Stack pairs into (B, 3, H, W) tensors by layer name."""
    return {
        "input": torch.stack([pair.input for pair in pairs]),
        "transmission": torch.stack([pair.transmission for pair in pairs]),
        "reflection": torch.stack([pair.reflection for pair in pairs if pair.reflection is not None]),
    }


@torch.inference_mode()
def validate(network: nn.Module, pairs: SyntheticPairs) -> tuple[float, float]:
    """Mean joint PSNR of the transmission and of the untouched input, dB, over all pairs."""
    scores = []
    for index in range(len(pairs)):
        pair = pairs[index]
        with torch.autocast("cpu", torch.bfloat16):
            layers: Separation = network(pair.input[None])
        scores.append(
            (psnr(layers["transmission"][0], pair.transmission, joint=True), psnr(pair.input, pair.transmission, joint=True))
        )
    ours, untouched = np.mean(scores, axis=0)
    return float(ours), float(untouched)


class Run:
    """A network, its average, its optimiser and where they stand; ``runs/NAME/last.pt`` holds all of it."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        entry = catalogue.find("models", plan.model)
        torch.manual_seed(plan.seed)
        self.plan, self.folder, self.step = plan, folder, 0
        self.settings = dict(catalogue.settings_of(entry, plan.size))
        self.network: nn.Module = entry.build(**self.settings).to(memory_format=torch.channels_last)
        self.average: nn.Module = entry.build(**self.settings).to(memory_format=torch.channels_last)
        self.average.load_state_dict(self.network.state_dict())
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=plan.rate, weight_decay=plan.decay, betas=(0.9, 0.99))
        if (folder / "last.pt").exists():
            self.resume()

    def resume(self) -> None:
        """Go on where ``last.pt`` stands."""
        state: dict[str, Any] = torch.load(self.folder / "last.pt", weights_only=True)
        self.step = state["step"]
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])

    def save(self) -> None:
        """Write ``last.pt`` whole or not at all."""
        state = {
            "step": self.step,
            "plan": asdict(self.plan),
            "settings": self.settings,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        partial = self.folder / ".last.pt.partial"
        torch.save(state, partial)
        os.replace(partial, self.folder / "last.pt")

    def advance(self, pair: dict[str, Tensor]) -> float:
        """One optimiser step; returns the loss. A step whose loss or gradient is not finite is skipped."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate_at(self.step, self.plan)
        with torch.autocast("cpu", torch.bfloat16):
            layers = self.network(pair["input"].contiguous(memory_format=torch.channels_last))
        loss = objective(layers, pair)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.plan.clip)
        if bool(torch.isfinite(norm)):
            self.optimiser.step()
        self.step += 1
        self._update_average()
        return float(loss.detach())

    @torch.no_grad()
    def _update_average(self) -> None:
        keep = min(self.plan.ema, (1 + self.step) / (10 + self.step))
        mine: list[Tensor] = list(self.average.parameters())
        theirs: list[Tensor] = list(self.network.parameters())
        torch._foreach_lerp_(mine, theirs, 1 - keep)


def batches(pairs: SyntheticPairs, plan: Plan, start: int) -> Iterator[dict[str, Tensor]]:
    """Batches from step ``start`` on; the same ones for any number of workers."""
    rest = Subset(pairs, range(start * plan.batch, len(pairs)))
    loader = DataLoader(rest, batch_size=plan.batch, num_workers=plan.workers, collate_fn=collate)
    yield from loader


def train(photos: Path, held_out: Path, folder: Path, plan: Plan) -> None:
    """Train until the last step or minute; leaves ``last.pt`` and ``log.csv`` in ``folder``."""
    torch.set_num_threads(plan.threads)
    cv2.setNumThreads(1)
    folder.mkdir(parents=True, exist_ok=True)
    crops = Crops(side=plan.side)
    pairs = SyntheticPairs(
        load_photos(photos), formations(), length=plan.steps * plan.batch, seed=plan.seed, crops=crops, clean=plan.clean
    )
    checks = SyntheticPairs(load_photos(held_out), formations(), length=46, seed=plan.seed + 1, crops=Crops(side=224))
    run, started, losses = Run(plan, folder), time.monotonic(), []
    with (folder / "log.csv").open("a", newline="") as file, bar(total=plan.steps - run.step, unit="step") as progress:
        log = csv.writer(file)
        for batch in batches(pairs, plan, run.step):
            losses.append(run.advance(batch))
            progress.advance(f"loss {losses[-1]:.4f}")
            over = time.monotonic() - started > 60 * plan.minutes
            if run.step % plan.validate == 0 or run.step == plan.steps or over:
                ours, untouched = validate(run.average, checks)
                row = [
                    run.step,
                    round(float(np.mean(losses)), 5),
                    round(ours, 3),
                    round(untouched, 3),
                    round(time.monotonic() - started),
                ]
                log.writerow(row)
                file.flush()
                say("step {} loss {} validation {} dB (untouched {}) after {} s".format(*row))
                losses.clear()
                run.save()
            if over:
                return


def main(
    photos: Annotated[Path, typer.Argument(help="Folder of training photos.")],
    held_out: Annotated[Path, typer.Argument(help="Folder of photos for validation.")],
    run: Annotated[Path, typer.Argument(help="Folder of the run; an existing one is resumed.")],
    steps: int = Plan.steps,
    size: str = Plan.size,
    side: int = Plan.side,
    batch: int = Plan.batch,
    minutes: float = Plan.minutes,
    threads: int = Plan.threads,
    validate_every: int = Plan.validate,
) -> None:
    """Train the package's own network."""
    plan = Plan(steps=steps, size=size, side=side, batch=batch, minutes=minutes, threads=threads, validate=validate_every)
    train(photos, held_out, run, plan)


if __name__ == "__main__":
    typer.run(main)
