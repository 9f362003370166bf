"""``limpid train --test-only``: what the weights that a run has left are worth."""

from pathlib import Path

from limpid.errors import UsageError
from limpid.progress import say
from limpid.recipe.load import Loaded
from limpid.runtime.load import load
from limpid.training.assemble import scored_sets
from limpid.training.kept_weights import END, BestWeights
from limpid.training.options import TrainOptions
from limpid.training.rehearsal import photos_of
from limpid.training.run_folder import remembered
from limpid.training.sample_images import write_sample_images


def score_run(loaded: Loaded, folder: Path, options: TrainOptions) -> int:
    """Score the best weights of a run, or its last ones, on all sets of its recipe and dump pictures into ``test/``; returns 0.

    Raises UsageError when the run has no weights.
    """
    kept = BestWeights(folder).kept if folder.is_dir() else ()
    if not kept and not (folder / END).is_file():
        raise UsageError(f"{folder} holds no weights to test; train first, or name the run with --name")
    options = remembered(folder, options)
    file, epoch = (kept[0].file, kept[0].epoch) if kept else (END, 0)
    separator = load(folder / file, device=options.device, backbone_weights=options.backbone_weights)
    for scored in scored_sets(loaded):
        scores = scored.score(separator) or {}
        say(f"{file} on {scored.label}: " + ", ".join(f"{name} {value:.4f}" for name, value in scores.items()))
    if loaded.recipe.log.photos:
        photos = photos_of(loaded.recipe.log.photos)
        for line in write_sample_images(separator.run, photos, folder / "test", epoch):
            say(line)
    return 0
