"""Motion blur by camera shake: kernels drawn as random walks, or taken from a set on disk."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from torch import Tensor

from limpid.catalogue import Entry
from limpid.errors import SettingError, ShapeError
from limpid.layers.encoding import to_encoded, to_linear
from limpid.physics.degradation import Degraded, check_photo, new_seed
from limpid.physics.formation import Parameters, check_share
from limpid.physics.kernel_files import read_kernels
from limpid.physics.motion import CLASSES, centre, convolve, shake_kernel
from limpid.physics.seeds import generator as seeded


@dataclass(frozen=True, kw_only=True)
class MotionBlur:
    """y = k∗x, a true convolution; only the pixels that the kernel sees whole are kept, in the target as well.

    ``classes``: of camera shake, drawn evenly, then the extent uniformly within ``limpid.physics.motion.CLASSES``; or
    ``kernels``: a set on disk, drawn evenly, each centred on its centroid. ``sharp``: probability of the identity (the
    published set appends it as one more kernel). ``rim``: pixels cut from each side, so that crops of one batch agree; None
    cuts what the kernel needs. ``linear``: blur linear light, as a sensor does, in place of encoded values, as published.
    Source: specs of the dead-leaves restoration study; random walk in the manner of Boracchi & Foi, TIP 2012.
    """

    classes: tuple[str, ...] = tuple(CLASSES)
    kernels: Path | None = None
    sharp: float = 0.0
    rim: int | None = None
    linear: bool = False

    def __post_init__(self) -> None:
        if not self.classes or not set(self.classes) <= set(CLASSES):
            raise SettingError(f"motion_blur.classes must be some of {', '.join(CLASSES)}; got {self.classes}")
        check_share("motion_blur.sharp", self.sharp)

    def draw(self, generator: np.random.Generator, size: tuple[int, int]) -> Parameters:
        """Draw a kernel, as its seed or its place in the set; the size of the photo plays no part."""
        common = {"rim": self.rim, "linear": self.linear}
        if generator.random() < self.sharp:
            return {**common, "kernel": "identity"}
        if self.kernels is not None:
            index = int(generator.integers(len(_read(self.kernels))))
            return {**common, "kernel": "file", "path": str(self.kernels), "index": index}
        low, high = CLASSES[self.classes[generator.integers(len(self.classes))]]
        return {**common, "kernel": "shake", "extent": float(generator.uniform(low, high)), "seed": new_seed(generator)}

    def apply(self, image: Tensor, parameters: Parameters) -> Degraded:
        """Blur a (3, H, W) photo, 0…1, encoded; the result is smaller.

        Raises ShapeError for another shape and for a photo or a rim too small for the kernel.
        """
        check_photo(image)
        kernel = kernel_of(parameters)
        blurred = convolve(to_linear(image), kernel) if parameters["linear"] else convolve(image, kernel)
        down, across = (side // 2 for side in kernel.shape)
        rim = parameters["rim"]
        if rim is not None:
            if rim < max(down, across) or 2 * rim >= min(image.shape[1:]):
                raise ShapeError(f"a rim of {rim} px does not fit a kernel of {kernel.shape} on a photo of {tuple(image.shape)}")
            blurred = _cut(blurred, rim - down, rim - across)
            down = across = rim
        encoded = to_encoded(blurred) if parameters["linear"] else blurred
        return Degraded(image=encoded.contiguous(), target=_cut(image, down, across), parameters=parameters)


def kernel_of(parameters: Parameters) -> np.ndarray:
    """The kernel that ``parameters`` describe: (h, w), both odd, float64, sum 1, its centroid in the middle."""
    if parameters["kernel"] == "identity":
        return np.ones((1, 1))
    if parameters["kernel"] == "file":
        return centre(_read(Path(parameters["path"]))[parameters["index"]])
    return shake_kernel(seeded(parameters["seed"], "shake"), parameters["extent"])


def _read(path: Path) -> list[np.ndarray]:
    files = sorted(path.iterdir()) if path.is_dir() else [path] if path.exists() else []
    return _read_as(path, tuple((file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in files))


@lru_cache(maxsize=4)
def _read_as(path: Path, state: tuple[tuple[str, int, int], ...]) -> list[np.ndarray]:
    """``state``: names, times and sizes of the files, so that a set that was written anew is read anew."""
    return read_kernels(path)


def _cut(image: Tensor, down: int, across: int) -> Tensor:
    return image[:, down : image.shape[1] - down, across : image.shape[2] - across]


ENTRY = Entry(build=MotionBlur, source="random walk in the manner of Boracchi & Foi, TIP 2012; kernel sets of the deblurring study")
