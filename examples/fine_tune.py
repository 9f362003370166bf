"""Fine-tune on pairs of your own: ``python examples/fine_tune.py PAIRS HELD [KEY=VALUE …]``.

PAIRS and HELD hold ``blended/`` (photos through glass) and ``transmission_layer/`` (the same without it), equal names; HELD chooses
the best epoch and is not trained on. ``pip install 'limpid[train]'`` first. What a run writes: docs/training/reading-the-losses.md.
"""

import sys
from pathlib import Path

import limpid
from limpid.weights.manifest import locate

CHANGES = (
    "name=fine_tuned",
    'data.train=[{name: pairs, root: "$PAIRS"}]',
    'data.validate=[{name: pairs, root: "$HELD"}]',
    "data.augment={crop: 224, flip: 0.5}",
    "data.epoch=1000",
    "data.batch=4",
    "data.workers=1",
    "losses=[{name: l1, on: {transmission: 1.0}}, {name: gradient, on: {transmission: 1.0}, label: grad}]",
    "optimiser.rate=1.0e-4",
    "train.epochs=10",
    "train.precision=float32",
    "train.compile=false",
)
"""What is different from the recipe ``limpid``, by which the shipped network was trained."""


def fine_tune(pairs: Path, held: Path, *changes: str, start: Path | None = None, out: Path = Path("runs")) -> Path | None:
    """Train the shipped network, or the checkpoint ``start``, a little further; returns the best weights."""
    overrides = [f"PAIRS={pairs}", f"HELD={held}", *CHANGES, *changes]
    run = limpid.train(recipe="limpid", overrides=overrides, init=start or locate("limpid"), out=out)
    return run.best


if __name__ == "__main__":
    best = fine_tune(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
    print(f"try it: limpid separate photo.jpg -m {best}")
