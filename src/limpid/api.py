"""What a notebook calls where a shell would type a command: the same options, as keywords."""

from limpid.data.manifest import Manifest
from limpid.data.options import SynthesisOptions
from limpid.data.synthesise import synthesise as _synthesise
from limpid.evaluation.options import EvaluateOptions
from limpid.evaluation.results import Results
from limpid.options import with_keywords
from limpid.scale.evaluation import evaluate_anywhere
from limpid.training.options import TrainOptions
from limpid.training.trainer import TrainedRun
from limpid.training.trainer import train as _train


@with_keywords(EvaluateOptions)
def evaluate(options: EvaluateOptions) -> Results:
    """Measure models on sets, as ``limpid evaluate``; the keywords are the fields of ``EvaluateOptions``.

    Scores are remembered in the folder ``report``; ``limpid.evaluation.write.write`` makes tables and the HTML page of the results.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     made = synthesise(kind="pairs", out=Path(folder, "glass"), count=2, size=(64, 64), quiet=True)
    ...     results = evaluate(on=[f"{folder}/glass"], report=Path(folder, "report"), traces="none", quiet=True)
    >>> [info.title for info in results.metrics], len(results.scores)
    (['PSNR', 'SSIM', 'NCC', 'LMSE'], 2)
    """
    return evaluate_anywhere(options)


@with_keywords(SynthesisOptions)
def synthesise(options: SynthesisOptions) -> Manifest:
    """Make seeded synthetic data, as ``limpid synthesise``; the keywords are the fields of ``SynthesisOptions``.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     made = synthesise(kind="kernels", out=Path(folder, "kernels"), count=3, seed=7, quiet=True)
    >>> made.count, made.set
    (3, 'kernels')
    """
    return _synthesise(options)


@with_keywords(TrainOptions)
def train(options: TrainOptions) -> TrainedRun:
    """Train by a recipe, as ``limpid train``; the keywords are the fields of ``TrainOptions``.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> short = ["data.batch=2", "data.workers=0", "train.epochs=1", "data.train.0.length=4", "data.validate.0.count=1"]
    >>> with TemporaryDirectory() as folder:
    ...     run = train(recipe="stacked_denoise_leaves", overrides=short, out=Path(folder), device="cpu", quiet=True)
    ...     weights = run.best.name
    >>> run.exit_code, weights
    (0, 'best_epoch_0001.safetensors')
    """
    return _train(options)
