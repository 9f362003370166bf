"""Whether the gate knows: its probability on photos with and without glass, a reliability table and what each limit would change.

Clean: large photos, held-out natural ones, Kodak's, the transmissions of CEILNet's synthetic pairs; glass: the blends of those
pairs and CEILNet's real photos, each reduced to 512 pixels as the runtime looks at it. Prints JSON.
Usage: python benchmarks/reliability.py [MODEL] [DATA].
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from limpid import load
from limpid.data.decode import pixels
from limpid.image.formats import is_photo
from limpid.image.size import fit, shrink
from limpid.runtime.confidence import PREVIEW_SIDE
from limpid.runtime.separator import Separator

CLEAN = ("clean_large", "natural/val", "kodak24", "ceilnet_synthetic/transmission_layer")
GLASS = ("ceilnet_synthetic/blended", "ceilnet_real")
_BINS = 5


def previews(folder: Path) -> Iterator[np.ndarray]:
    for path in sorted(path for path in folder.rglob("*") if is_photo(path)):
        photo = pixels(path)
        height, width = photo.shape[:2]
        yield shrink(photo, *fit(height, width, PREVIEW_SIDE)) if max(height, width) > PREVIEW_SIDE else photo


def probabilities(separator: Separator, folder: Path) -> np.ndarray:
    return np.array([separator(photo).confidence for photo in previews(folder)])


def area_under_curve(clean: np.ndarray, glass: np.ndarray) -> float:
    """Probability that a photo through glass is given a larger number than a clean one."""
    above, equal = glass[:, None] > clean[None, :], glass[:, None] == clean[None, :]
    return float((above + 0.5 * equal).mean())


def reliability(clean: np.ndarray, glass: np.ndarray) -> list[dict[str, float]]:
    """Per bin of the probability: how many photos, the mean probability, and the share of glass among them."""
    values = np.concatenate([clean, glass])
    truth = np.concatenate([np.zeros(len(clean)), np.ones(len(glass))])
    places = np.minimum((values * _BINS).astype(int), _BINS - 1)
    rows = [(values[places == place], truth[places == place]) for place in range(_BINS)]
    return [
        {"photos": len(said), "said": round(float(said.mean()), 3), "glass": round(float(held.mean()), 3)}
        for said, held in rows
        if len(said)
    ]


def main() -> None:
    separator = load(sys.argv[1] if len(sys.argv) > 1 else "default")
    data = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parents[2] / "shared" / "data"
    found = {name: probabilities(separator, data / name) for name in (*CLEAN, *GLASS) if (data / name).is_dir()}
    for name, values in found.items():
        spread = [round(float(value), 3) for value in np.quantile(values, (0, 0.1, 0.5, 0.9, 1))]
        print(json.dumps({"set": name, "photos": len(values), "quantiles": spread}))
    clean, glass = (np.concatenate([found[name] for name in names if name in found] or [np.zeros(0)]) for names in (CLEAN, GLASS))
    if not len(clean) or not len(glass):
        print(json.dumps({"skipped": f"{data} holds no photos of both kinds"}))
        return
    print(json.dumps({"auc": round(area_under_curve(clean, glass), 4), "reliability": reliability(clean, glass)}))
    for limit in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7):
        print(json.dumps({"limit": limit, "clean_above": int((clean > limit).sum()), "glass_below": int((glass <= limit).sum())}))


if __name__ == "__main__":
    main()
