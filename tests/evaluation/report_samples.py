"""Results made up for the tests of the report, with photos on disk where asked for."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from limpid.evaluation.results import INPUT, MetricInfo, ModelInfo, PublishedRow, Results, Score, SetInfo

HOSTILE = "<script>window.hacked=1</script>"
METRICS = (
    MetricInfo(name="psnr", title="PSNR", unit="dB", direction="higher", digits=2, range=(0.0, 100.0)),
    MetricInfo(name="ssim", title="SSIM", unit="", direction="higher", digits=4, range=(-1.0, 1.0)),
    MetricInfo(name="lpips_alex", title="LPIPS", unit="", direction="lower", digits=4, range=(0.0, 2.0)),
)

PUBLISHED = (
    PublishedRow(set="real20", model="DSRNet", metric="psnr", value=24.23, source="WindowSeat, table 1"),
    PublishedRow(set="real20", model="DSRNet", metric="ssim", value=0.82, source="WindowSeat, table 1"),
)


def model(label: str, **more) -> ModelInfo:
    return ModelInfo(label=label, description=more.pop("description", f"the {label} of the tests"), **more)


def values(psnr: float) -> dict[str, float]:
    return {"psnr": psnr, "ssim": 1 - 2 ** (-psnr / 10), "lpips_alex": 1 / psnr}


def score(item: str, label: str, psnr: float, **more) -> Score:
    more = {"set": "real20", "size": (48, 64), "seconds": 0.0 if label == INPUT else psnr / 50} | more
    return Score(item=item, model=label, values=more.pop("values", values(psnr)), **more)


def results(scores: list[Score], labels: list[str], **more) -> Results:
    sets = list(dict.fromkeys(it.set for it in scores))
    counts = {name: len({it.item for it in scores if it.set == name}) for name in sets}
    infos = tuple(SetInfo(label=name, count=counts[name], expected="20", fingerprint="ab" * 32) for name in sets)
    whole = {
        "protocol": "field: 8-bit RGB, PSNR per band, native size",
        "metrics": METRICS,
        "sets": infos,
        "command": "limpid evaluate",
    }
    return Results(models=tuple(model(label) for label in (INPUT, *labels)), scores=tuple(scores), **(whole | more))


def reflections(labels: list[str], count: int = 12, **more) -> Results:
    """Two sets; the first model gains 4 dB on average, each further one 2 dB less."""
    draw = np.random.default_rng(3)
    scores = []
    for name, size in (("real20", count), ("nature20", count // 2)):
        for place in range(size):
            before = float(draw.uniform(14, 24))
            scores.append(score(f"{place:03d}", INPUT, before, set=name))
            for order, label in enumerate(labels):
                after = before + 4 - 2 * order + float(draw.normal(0, 2))
                scores.append(score(f"{place:03d}", label, after, set=name, peak_bytes=1_500_000_000))
    return results(scores, labels, **more)


def noisy(labels: list[str], count: int = 6) -> Results:
    """One set under four strengths of noise and three classes of blur."""
    draw = np.random.default_rng(5)
    conditions = [{"noise": sigma} for sigma in (5.0, 10.0, 25.0, 50.0)] + [{"blur": name} for name in ("small", "mild", "big")]
    scores = []
    for place in range(count):
        for order, condition in enumerate(conditions):
            before = 36 - 3 * order + float(draw.normal(0, 1))
            for rank, label in enumerate((INPUT, *labels)):
                scores.append(score(f"kodim{place:02d}", label, before + 3 * rank, set="kodak24", conditions=condition))
    return results(scores, labels)


def write_photos(found: Results, folder: Path, size: tuple[int, int] = (48, 64)) -> Results:
    """The same results with traces of every image written below ``folder``: inputs red, outputs green, truths blue."""
    colours = {"input": (200, 30, 30), "output": (30, 160, 30), "truth": (30, 30, 200)}
    (folder / "traces").mkdir()
    for kind, colour in colours.items():
        Image.new("RGB", size[::-1], colour).save(folder / "traces" / f"{kind}.png")
    inputs = {kind: f"traces/{kind}.png" for kind in ("input", "truth")}
    outputs = inputs | {"output": "traces/output.png"}
    return replace(found, scores=tuple(replace(it, traces=inputs if it.model == INPUT else outputs) for it in found.scores))
