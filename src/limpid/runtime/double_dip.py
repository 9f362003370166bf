"""One photo alone, no weights: two untrained networks draw two layers that add up to it, each what is simple to it.

Gandelsman, Shocher & Irani, "Double-DIP", CVPR 2019, arXiv:1812.00467; constants of their code. It knows nothing of photos: which
of the layers is which is undefined, and a short run proves nothing (below the trivial split until about 1,500 steps).
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.blocks.skip_network import LEAST, MULTIPLE, SkipNetwork
from limpid.errors import SettingError
from limpid.image.photo import Photo
from limpid.image.size import fit, padded_size
from limpid.image.write import write
from limpid.layers.network import LayerNetwork, Needs
from limpid.layers.task import ADD, Task
from limpid.losses.perceptual import Perceptual
from limpid.physics.seeds import torch_generator
from limpid.progress import bar, say
from limpid.runtime.memory import Plan
from limpid.runtime.options import DOUBLE_DIP, DOUBLE_DIP_PERCEPTUAL, SeparationOptions
from limpid.runtime.row_bands import Bands
from limpid.runtime.separator import Separator

WORKING = 256
"""Longest side that is drawn, pixels; larger photos are rebuilt from it."""

RATE, EXCLUSION, NOISE = 5e-4, 0.01, 0.01
"""Adam's rate, weight of the exclusion, and the width of the uniform noise that the networks are fed."""

MAPS = dict.fromkeys(("half", "quarter", "eighth", "sixteenth"), 0.01)
"""Maps of EfficientNet-Lite0 that the perceptual variant compares → weight beside the L1 of pixels [X]."""

Likeness = Callable[[Tensor, Tensor], Tensor]
"""How far a picture is from another, (B, 3, H, W) each → a scalar."""

_PREVIEW_EVERY = 100
_BYTES_PER_PIXEL = 6000.0  # of both networks, their gradients and activations, measured roughly
_SECONDS_PER_PIXEL_STEP = 7e-6


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What a fit came to: two layers (3, H, W), 0…1, that nearly add up, the PSNR of their sum in dB, the step it was met at."""

    layers: tuple[Tensor, Tensor]
    psnr: float
    step: int


def fit_layers(
    photo: Tensor,
    *,
    steps: int,
    seed: int = 0,
    seen: Callable[[int, Drawn], None] = lambda step, best: None,
    perceptual: Likeness | None = None,
) -> Drawn:
    """Two layers of a photo (3, H, W), 0…1, H and W multiples of 32 and at least 96; the best sum over all ``steps``.

    ``seen`` is told of every step and of the best so far; a KeyboardInterrupt ends the fit and keeps that. ``perceptual``: added to
    the L1 between the sum and the photo. Raises SettingError.
    """
    if steps < 1 or min(photo.shape[-2:]) < LEAST or any(side % MULTIPLE for side in photo.shape[-2:]):
        shape = tuple(photo.shape)
        raise SettingError(f"double_dip draws sides of {MULTIPLE} px, at least {LEAST}, in 1 step or more; got {shape}")
    draw = torch_generator(seed, DOUBLE_DIP)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        networks = nn.ModuleList(SkipNetwork() for _ in range(2)).to(photo.device)
    noises = [((torch.rand(1, 3, *photo.shape[-2:], generator=draw) - 0.5) * NOISE).to(photo.device) for _ in range(2)]
    optimiser = torch.optim.Adam(networks.parameters(), lr=RATE)
    best = Drawn(layers=(photo / 2, photo / 2), psnr=-1.0, step=0)
    try:
        for step in range(steps):
            turn = 0 if step % 2 == 0 else (step // 2) % 8
            sigma = 0.0 if step == steps - 1 else _jitter(step)
            target = turned(photo[None], turn)
            made = [
                network(turned(noise + sigma * torch.randn(noise.shape, generator=draw).to(noise), turn))
                for network, noise in zip(networks, noises, strict=True)
            ]
            total = made[0] + made[1]
            loss = (total - target).abs().mean() + EXCLUSION * plain_exclusion(made[0], made[1])
            loss = loss if perceptual is None else loss + perceptual(total, target)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            if turn == 0:
                error = float((total.detach().clamp(0, 1) - target).square().mean())
                psnr = -10 * float(torch.log10(torch.tensor(max(error, 1e-10))))
                if psnr > best.psnr:
                    best = Drawn(layers=(made[0].detach()[0].clone(), made[1].detach()[0].clone()), psnr=psnr, step=step + 1)
            seen(step + 1, best)
    except KeyboardInterrupt:
        say(f"limpid: double_dip stopped in step {step + 1}; the best so far, of step {best.step}, is kept")
    return best


def plain_exclusion(first: Tensor, second: Tensor, *, levels: int = 3) -> Tensor:
    """Half of Σ over x, y of the mean over levels and the nine pairs of channels of mean(a²·b²)^¼, a, b = 2σ(∇) − 1: a scalar.

    Two (B, 3, H, W). Unlike ``losses.exclusion`` no gradient is scaled to the other, and every channel meets every channel.
    """
    total = first.new_zeros(())
    for level in range(levels):
        if level:
            first, second = F.avg_pool2d(first, 2), F.avg_pool2d(second, 2)
        for dim in (-2, -1):
            one, other = (torch.tanh(image.diff(dim=dim) / 2).square() for image in (first, second))
            pairs = [(one[:, a] * other[:, b]).mean() for a, b in product(range(3), range(3))]
            total = total + (torch.stack(pairs) + 1e-12).pow(0.25).mean() / levels
    return total / 2


def _jitter(step: int) -> float:
    """Deviation of the noise that a step adds to its input: it rises by 1/1000 every 100 steps and is 1/1000 from step 1000 on."""
    return (step // 100) / 1000 if step < 1000 else 1 / 1000


def turned(image: Tensor, turn: int) -> Tensor:
    """One of the eight flips and rotations of (B, C, H, W); 0 leaves it."""
    image = image.flip(-1) if turn >= 4 else image
    return torch.rot90(image, turn % 4, (-2, -1))


class _Nothing(LayerNetwork):
    """What a ``Separator`` asks a network for, where there is none."""

    needs = Needs(multiple=MULTIPLE, minimum=LEAST, tiling="never")


class DoubleDip(Separator):
    """A ``Separator`` that fits two networks to every photo, in ``steps`` steps, and shows the best so far in the file ``preview``.

    ``backbone_weights``: of EfficientNet-Lite0, for the perceptual variant (``pretrained``, ``none`` or a path); None: the plain
    one. Raises SettingError for a task whose layers are not two that add up, WeightsError where the weights are not there.
    """

    def __init__(self, task: Task, *, device: torch.device, backbone_weights: str | None = None) -> None:
        if len(task.layers) != 2 or not (task.symmetric or task.law is ADD):
            raise SettingError(f"double_dip separates two layers that add up; {task.name} has {', '.join(task.layers)}")
        name = DOUBLE_DIP if backbone_weights is None else DOUBLE_DIP_PERCEPTUAL
        super().__init__(_Nothing(), task, name=name, model=name)
        self._where, self._steps = device, 0
        self._perceptual = None if backbone_weights is None else _perceptual(backbone_weights).to(device)
        self._file: Path | None = None

    @property
    def device(self) -> torch.device:
        """Where photos are fitted."""
        return self._where

    def plan(
        self, size: tuple[int, int], options: SeparationOptions, *, held: int = 0, layers: int = 0, otherwise: int = 0
    ) -> Plan:
        """The whole photo at once, large ones reduced to ``WORKING`` pixels."""
        self._steps, self._file = options.steps, None if options.preview is None else Path(options.preview)
        working = size if options.resolution == "full" else fit(*size, WORKING)
        pixels = working[0] * working[1]
        ram, seconds = held + layers + int(_BYTES_PER_PIXEL * pixels), _SECONDS_PER_PIXEL_STEP * pixels * options.steps
        return Plan(working=working, tile=None, tiles=1, pixels=pixels, halo=0, context=None, ram=ram, seconds=seconds)

    def _separated(self, photo: Photo, chosen: Plan, hint: Tensor | None, residue: bool) -> Bands:
        with torch.inference_mode(False), torch.enable_grad():
            layers = self._drawn(photo.tensor().clone())
        yield 0, photo.height, layers

    def _drawn(self, image: Tensor) -> dict[str, Tensor]:
        height, width = image.shape[-2:]
        rows, columns = padded_size(height, width, MULTIPLE, LEAST)
        padded = F.pad(image[None], (0, columns - width, 0, rows - height), mode="replicate")[0].to(self.device)
        with bar(total=self._steps, unit="step") as progress:

            def seen(step: int, best: Drawn) -> None:
                progress.advance(f"{best.psnr:.1f} dB")
                if step % _PREVIEW_EVERY == 0:
                    self._show(best, height, width)

            best = fit_layers(padded, steps=self._steps, seen=seen, perceptual=self._perceptual)
        self._show(best, height, width)  # also of a fit that was stopped
        gain = 2 if self.task.symmetric else 1  # layers that take equal shares of the photo
        layers = (gain * layer[:, :height, :width].cpu() for layer in best.layers)
        return dict(zip(self.task.layers, layers, strict=True))

    def _show(self, best: Drawn, height: int, width: int) -> None:
        """Both layers beside each other, without the rim that was added."""
        if self._file is not None:
            picture = torch.cat([layer[:, :height, :width] for layer in best.layers], dim=-1)
            write(picture.cpu(), self._file, format="png", overwrite=True)


def _perceptual(backbone_weights: str) -> Perceptual:
    """The loss of ``MAPS``, its backbone filled."""
    loss = Perceptual(backbone="efficientnet_lite0", layers=MAPS)
    loss.features.backbone.fill(backbone_weights)
    return loss
