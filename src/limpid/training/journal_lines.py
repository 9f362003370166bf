"""How a step and an epoch are said in one line."""

from collections.abc import Mapping, Sequence

_UNITS = {"psnr": " dB"}
_DIGITS = {"psnr": 2}


def step_line(
    means: Mapping[str, float | None], rates: Mapping[str, float], speed: float, *, only: Sequence[str] | None = None
) -> str:
    """``loss 0.0123, percep 0.2310, lr 2.0e-04, 8.1 samples/s``; ``only`` these means where given."""
    shown = [(name, value) for name, value in means.items() if only is None or name in only]
    parts = [f"{name} {value:.4f}" if value is not None else f"{name} not finite" for name, value in shown]
    return ", ".join([*parts, *(f"{name} {rate:.1e}" for name, rate in rates.items()), f"{speed:.1f} samples/s"])


def epoch_line(epoch: int, step: int, scores: Mapping[str, Mapping[str, float]], loss: float | None, seconds: float) -> str:
    """``epoch 3, step 1200: validation PSNR 24.31 dB (input 20.11), SSIM 0.8931 (input 0.8112); loss 0.0123; 312 s``."""
    parts = [f"{name} {_metrics(values)}" for name, values in scores.items() if values]
    parts += [f"loss {loss:.4f}"] if loss is not None else []
    return f"epoch {epoch}, step {step}: {'; '.join([*parts, f'{seconds:.0f} s'])}"


def _metrics(values: Mapping[str, float]) -> str:
    said = []
    for metric, value in values.items():
        if metric.startswith("input_"):
            continue
        digits = _DIGITS.get(metric, 4)
        untouched = values.get(f"input_{metric}")
        beside = "" if untouched is None else f" (input {untouched:.{digits}f})"
        said.append(f"{metric.upper()} {value:.{digits}f}{_UNITS.get(metric, '')}{beside}")
    return ", ".join(said)
