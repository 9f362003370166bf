"""The pictures of the model cards, from scikit-image's photographs (CC0 and public domain): where each network works and where not.

Usage: python benchmarks/cards.py [FOLDER]; writes limpid.jpg, limpid_denoise.jpg and limpid_deblur.jpg (default: docs/images/).
"""

import sys
from pathlib import Path

import torch
from skimage import data
from torch import Tensor

from limpid import load
from limpid.catalogue import find
from limpid.image.contact_sheet import side_by_side
from limpid.image.write import write
from limpid.metrics.psnr import psnr
from limpid.physics.seeds import generator
from limpid.runtime.demo import square

SIDE = 256
PANES = (  # behind, mirrored, what the pane does
    ("rocket", "astronaut", {"brightness": (10.0, 20.0), "defocus": (1.0, 3.0), "uneven": 1.0}),
    ("astronaut", "coffee", {"brightness": (40.0, 48.0), "defocus": (1.0, 2.0), "uneven": 0.0}),
    ("chelsea", "astronaut", {"brightness": (8.0, 12.0), "defocus": (0.3, 0.5), "uneven": 0.0, "thickness": (0.0, 1.0)}),
)


def photograph(name: str, side: int = SIDE) -> Tensor:
    """The middle of one of scikit-image's photographs, made smaller."""
    return square(getattr(data, name)(), side)


def panes() -> list[Tensor]:
    separator, rows = load(precision="float32"), []
    for number, (behind, mirrored, settings) in enumerate(PANES):
        formation = find("mixtures", "glass").build(**settings)
        drawn = formation.draw(generator(3, number, "card"), (SIDE, SIDE))
        mixture = formation.apply(photograph(behind), photograph(mirrored), drawn)
        layers = separator(mixture.input)
        before, after = psnr(mixture.input, mixture.transmission), psnr(layers["transmission"], mixture.transmission)
        said = {f"input, {before:.1f} dB": mixture.input, f"transmission, {after:.1f} dB": layers["transmission"]}
        rows.append(side_by_side({**said, "reflection": layers["reflection"], "truth": mixture.transmission}))
    clean = photograph("chelsea")
    layers = separator(clean)
    said = {"clean": clean, f"transmission, {psnr(layers['transmission'], clean):.1f} dB": layers["transmission"]}
    return [*rows, side_by_side({**said, "reflection": layers["reflection"], "truth": clean})]


def restored(model: str, kind: str, settings: list[dict[str, object]], names: list[str], side: int) -> list[Tensor]:
    """A row per photo of ``side`` pixels, degraded and restored, of which the middle is shown."""
    separator, rows = load(model, precision="float32"), []
    for name, one in zip(names, settings, strict=True):
        degradation = find("degradations", kind).build(**one)
        degraded = degradation.apply(photograph(name, side), degradation.draw(generator(5, "card"), (side, side)))
        answer = separator.run(degraded.image)["restored"].clamp(0, 1)
        shown = {"input": degraded.image, "restored": answer, "truth": degraded.target}
        scores = {key: psnr(value, degraded.target) for key, value in shown.items()}
        middle = {f"{key}, {scores[key]:.1f} dB" if key != "truth" else key: cut(value) for key, value in shown.items()}
        rows.append(side_by_side(middle))
    return rows


def cut(photo: Tensor) -> Tensor:
    top, left = ((length - SIDE) // 2 for length in photo.shape[-2:])
    return photo[:, top : top + SIDE, left : left + SIDE]


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "images"
    noise = [{"sigma": (15.0, 15.0)}, {"sigma": (50.0, 50.0)}, {"sigma": (50.0, 50.0)}]
    shake = [{"classes": (kind,)} for kind in ("small", "mild", "big", "big")]
    sheets = {
        "limpid": panes(),
        "limpid_denoise": restored("limpid_denoise", "gaussian_noise", noise, ["coffee", "astronaut", "chelsea"], SIDE + 64),
        "limpid_deblur": restored("limpid_deblur", "motion_blur", shake, ["coffee", "astronaut", "rocket", "chelsea"], 384),
    }
    for name, rows in sheets.items():
        write(torch.cat(rows, dim=1), folder / f"{name}.jpg", quality=88, overwrite=True)


if __name__ == "__main__":
    main()
