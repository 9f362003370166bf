"""A network that runs on real photos: any size, bounded memory, layers that add up again."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor, nn

from limpid.errors import NoRoomError, UnknownNameError
from limpid.image.photo import Photo
from limpid.image.read import Source, read
from limpid.image.size import crop, fit, pad, padded_size, shrink
from limpid.image.tile import Span, blend, spans
from limpid.layers.context import Context, Tile
from limpid.layers.network import LayerNetwork
from limpid.layers.separation import Separation
from limpid.layers.task import Task
from limpid.options import method_with_keywords
from limpid.runtime.confidence import PREVIEW_SIDE, WINDOW, blend_small_changes, confidence_of
from limpid.runtime.device import arithmetic
from limpid.runtime.guided_upsampling import apply_guidance, fit_guidance
from limpid.runtime.memory import FADE, HALO, Cost, Plan, default_budget, give_back, measure, plan
from limpid.runtime.options import SeparationOptions

WORKING_SIDE = 1024
"""Longest side in pixels at which a large photo is separated unless every pixel is asked for."""

LEAST_SIDE = 256
"""A network that must see photos whole gets them at no less than about this side, pixels, however little memory there is."""

_BAND = 256  # rows handled at once where there are no tiles


@dataclass(frozen=True, kw_only=True)
class RowBand:
    """Finished rows of all layers: ``top``…``bottom``, layer name → (3, bottom − top, W), clamped to 0…1.

    ``confidence``: how far the network is believed on this photo, 0 (nothing to remove) to 1.
    """

    top: int
    bottom: int
    layers: Mapping[str, Tensor]
    confidence: float = 1.0


class Separator:
    """A network that runs on photos; call it with one. One instance serves many threads: forwards are taken in turns.

    ``network`` is the bare module, which is left as it is found: its device is where photos are run, and while it runs it is in
    evaluation mode. ``task``: what its layers are for; ``name``: what messages call it; ``model``: its name in the catalogue;
    ``sha256``: that of its weights (None when they came from no file); ``precision``: the arithmetic it runs in.
    """

    def __init__(
        self,
        network: LayerNetwork,
        task: Task,
        *,
        name: str,
        model: str = "",
        precision: str = "float32",
        sha256: str | None = None,
    ) -> None:
        self.network, self.task = network, task
        self.name, self.model, self.precision, self.sha256 = name, model, precision, sha256
        self._turn = threading.Lock()

    def __repr__(self) -> str:
        return f"Separator({self.name!r}, {' and '.join(self.task.layers)}, {self.device}, {self.precision})"

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters(), torch.empty(0)).device

    @method_with_keywords(SeparationOptions)
    def __call__(self, photo: Source | Photo, options: SeparationOptions) -> Separation:
        """Separate one photo: path, bytes, PIL image, array or tensor → layers (3, H, W), float32, 0…1, on the CPU.

        For tasks whose layers add up, ``residual`` = I − T − R completes them, signed; ``confidence`` of the result is 0 where
        the network found nothing to remove. Raises PhotoError for what is no photo and SettingError for settings out of range.
        """
        read_photo = photo if isinstance(photo, Photo) else read(photo)
        names = (*self.task.layers, *self.task.optional)
        layers = {name: torch.empty(3, read_photo.height, read_photo.width) for name in names}
        confidence = 1.0
        held = sum(layer.nbytes for layer in layers.values()) + read_photo.pixels.nbytes
        for band in self.bands(read_photo, options, names, self.plan((read_photo.height, read_photo.width), options, held=held)):
            for name in names:
                layers[name][:, band.top : band.bottom] = band.layers[name]
            confidence = band.confidence
        return Separation(layers, confidence=confidence)

    def plan(self, size: tuple[int, int], options: SeparationOptions, *, held: int = 0) -> Plan:
        """How a photo of ``size`` (height, width) would be run; ``held``: bytes that the caller keeps throughout.

        Raises NoRoomError when a network that must see a photo whole does not fit even at a reduced size.
        """
        floats = 4 * 3 * len(self.task.layers)
        for working in self._workings(size, options):
            try:
                return plan(
                    working,
                    held=held + (4 * floats * working[0] * working[1] if working != size else 0),
                    band=3 * floats,
                    budget=default_budget() if options.max_memory is None else options.max_memory,
                    tile=options.tile,
                    halo=self.halo,
                    needs=self.network.needs,
                    cost=self.cost,
                    contextual=self.network.has_context,
                )
            except NoRoomError as error:
                refusal = error
        raise refusal

    def _workings(self, size: tuple[int, int], options: SeparationOptions) -> Iterator[tuple[int, int]]:
        """Sizes at which the network may see the photo, the best first; only one that must see it whole goes below it."""
        first = fit(*size, WORKING_SIDE) if self._rebuilds(size, options) else size
        yield first
        longest = max(first)
        while (
            self.network.needs.tiling == "never"
            and self.task.rebuilds
            and options.resolution == "auto"
            and longest * 3 // 4 >= LEAST_SIDE
        ):
            longest = longest * 3 // 4
            yield fit(*size, longest)

    @property
    def halo(self) -> int:
        """Surroundings that a tile needs on each side, pixels.

        Networks that do not know their radius see ``HALO``, and their tiles may show: chained local means, IBCLN's cascade.
        """
        window = WINDOW // 2 if self.network.local_confidence else 0
        return window + (HALO if self.network.radius is None else self.network.radius)

    @cached_property
    def cost(self) -> Cost:
        """Memory and time per pixel, measured once on a small square."""
        side = padded_size(256, 256, self.network.needs.multiple, self.network.needs.minimum)[0]
        with self._turn, evaluating(self.network):
            return measure(self._forward, self.device, side)

    def bands(
        self, photo: Photo, options: SeparationOptions, names: Sequence[str], chosen: Plan | None = None
    ) -> Iterator[RowBand]:
        """Layers ``names`` of a photo, a band of rows at a time from top to bottom, so that nothing large is held."""
        size = (photo.height, photo.width)
        chosen = chosen or self.plan(size, options, held=photo.pixels.nbytes)
        confidence, answer = self._preview(photo)
        if not confidence:  # nothing to remove: no layer of the network would be used
            nothing = torch.zeros(()).expand(3, *size)  # one number, whatever the size
            raw = _in_bands(dict.fromkeys(self.task.layers, nothing), photo.height)
        elif answer is not None and chosen.tile is None and chosen.working == size:
            raw = _in_bands(answer, photo.height)
        else:
            raw = self._rebuilt(photo, chosen) if chosen.working != size else self._separated(photo, chosen)
        try:
            for top, bottom, layers in raw:
                done = self._finished(photo, slice(top, bottom), layers, options.strength, confidence, names)
                yield RowBand(top=top, bottom=bottom, layers=done, confidence=confidence)
        finally:
            give_back()

    def _preview(self, photo: Photo) -> tuple[float, dict[str, Tensor] | None]:
        """How far the network is confidence on this photo, 1 where it sets no limits, and its answer if it saw every pixel."""
        limits = self.network.whole_confidence
        if limits is None:
            return 1.0, None
        large = max(photo.height, photo.width) > PREVIEW_SIDE
        small = shrink(photo.pixels, *fit(photo.height, photo.width, PREVIEW_SIDE)) if large else photo.pixels
        preview = replace(photo, pixels=small, alpha=None).tensor()
        answer = self.run(preview)
        return confidence_of(preview, answer[self.task.primary], limits), None if large else answer

    @torch.inference_mode()
    def run(self, image: Tensor, context: Context | None = None) -> dict[str, Tensor]:
        """The bare forward on (3, H, W) of any size, whole or, with ``context``, a tile: layer and step name → (3, H, W), CPU.

        Unclamped, but for networks whose layers have a range of their own, which is mapped to 0…1.
        """
        height, width = image.shape[-2:]
        with self._turn, evaluating(self.network):
            layers = self._forward(self._padded(image), context).map(lambda layer: crop(layer, height, width).float())
            layers = self.network.to_unit_range(layers, context).map(lambda layer: layer[0].cpu())
        limits = self.network.local_confidence
        found = blend_small_changes(image, layers, limits) if limits is not None else layers
        return {**found, **layers.steps}

    def _padded(self, image: Tensor) -> Tensor:
        """(3, H, W) → (1, 3, H', W') as the network wants it, where it is."""
        needs = self.network.needs
        return pad(image[None], needs.multiple, needs.minimum).to(self.device).contiguous(memory_format=torch.channels_last)

    def _forward(self, mixed: Tensor, context: Context | None = None) -> Separation:
        with torch.inference_mode(), arithmetic(mixed.device, self.precision):
            layers: Separation = self.network(mixed, context)
        return layers

    def _rebuilds(self, size: tuple[int, int], options: SeparationOptions) -> bool:
        return self.task.rebuilds and options.resolution == "auto" and max(size) > 1.25 * WORKING_SIDE

    def _separated(self, photo: Photo, chosen: Plan) -> Iterator[tuple[int, int, dict[str, Tensor]]]:
        if chosen.tile is None:
            yield from _in_bands(self.run(photo.tensor()), photo.height)
            return
        grid, size = self.network.needs.grid, (photo.height, photo.width)
        rows, columns = (spans(length, chosen.tile, chosen.halo, FADE, grid) for length in size)
        height, width = padded_size(*size, self.network.needs.multiple, self.network.needs.minimum)
        context = self._context(photo, chosen.context) if chosen.context else None

        def separate(row: Span, column: Span) -> dict[str, Tensor]:
            tile = photo.tensor(slice(row.start, row.stop))[:, :, column.start : column.stop]
            place = Tile(top=row.start, left=column.start, height=height, width=width)
            return self.run(tile, context and context.at(place))

        yield from blend(rows, columns, separate)

    @torch.inference_mode()
    def _context(self, photo: Photo, seen: tuple[int, int]) -> Context:
        """What the global parts of the network find on the photo, reduced to ``seen`` (height, width, padding included)."""
        size, needs = (photo.height, photo.width), self.network.needs
        padded = padded_size(*size, needs.multiple, needs.minimum)
        small = [max(1, round(side * to / full)) for side, to, full in zip(size, seen, padded, strict=True)]
        pixels = photo.pixels if padded == seen else shrink(photo.pixels, *small)
        image = replace(photo, pixels=pixels, alpha=None).tensor()
        with self._turn, evaluating(self.network), arithmetic(self.device, self.precision):
            return self.network.context(self._padded(image), (image.shape[-2], image.shape[-1]))

    def _rebuilt(self, photo: Photo, chosen: Plan) -> Iterator[tuple[int, int, dict[str, Tensor]]]:
        small = replace(photo, pixels=shrink(photo.pixels, *chosen.working), alpha=None)
        parts: dict[str, list[Tensor]] = {}
        for _, _, layers in self._separated(small, chosen):
            for name, layer in layers.items():
                parts.setdefault(name, []).append(layer)
        guide, primary = small.tensor(), self.task.primary
        found = {name: torch.cat(rows, dim=1) for name, rows in parts.items()}
        found[primary] = guide - found[primary]  # the change: it is smooth where the layer has detail
        guidance = {name: fit_guidance(guide, layer) for name, layer in found.items()}
        for top in range(0, photo.height, _BAND):
            rows = (top, min(top + _BAND, photo.height))
            mixed = photo.tensor(slice(*rows))
            band = apply_guidance(mixed, guide, guidance, rows, photo.height)
            yield *rows, {**band, primary: mixed - band[primary]}

    def _finished(
        self, photo: Photo, rows: slice, layers: Mapping[str, Tensor], strength: float, confidence: float, names: Sequence[str]
    ) -> dict[str, Tensor]:
        """Clamp (here and only here), apply confidence, and strength to the primary layer, complete the sum."""
        mixed = photo.tensor(rows)
        primary = self.task.primary
        done = {name: confidence * layer.clamp(0, 1) for name, layer in layers.items()}
        done[primary] = torch.lerp(mixed, layers[primary].clamp(0, 1), strength * confidence)
        done = self.task.completed(mixed, done) | {name: self.task.remainder(mixed, done) for name in self.task.optional}
        for name in names:
            if name not in done:
                raise UnknownNameError("layer", name, done)
        return {name: done[name] for name in names}


def _in_bands(layers: Mapping[str, Tensor], height: int) -> Iterator[tuple[int, int, dict[str, Tensor]]]:
    for top in range(0, height, _BAND):
        bottom = min(top + _BAND, height)
        yield top, bottom, {name: layer[:, top:bottom] for name, layer in layers.items()}


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode while the block runs; afterwards every module is in the mode that it was in."""
    training = [module for module in network.modules() if module.training]
    network.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True
