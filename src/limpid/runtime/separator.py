"""A network that runs on real photos: any size, bounded memory, layers that add up again."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from PIL.Image import Resampling
from torch import Tensor

from limpid.errors import NoRoomError, SettingError, UnknownNameError, UsageError, WeightsError
from limpid.image.photo import Photo
from limpid.image.read import Source, read
from limpid.image.resample import resample
from limpid.image.size import crop, fit, pad, padded_size, shrink
from limpid.image.tile import Span, blend, spans
from limpid.layers.context import Context, Tile
from limpid.layers.mode import answering, evaluating
from limpid.layers.network import LayerNetwork
from limpid.layers.pixels import Pixels
from limpid.layers.separation import Separation
from limpid.layers.task import Task
from limpid.options import method_with_keywords
from limpid.runtime.confidence import (
    LEAST_JUDGED,
    PREVIEW_SIDE,
    WINDOW,
    Verdict,
    believed_by,
    blend_small_changes,
    confidence_of,
)
from limpid.runtime.cost import PROBE_SIDE, Cost, LiveBytes, measure, remember, remembered, seen, shipped
from limpid.runtime.device import arithmetic
from limpid.runtime.guided_upsampling import Guidance, apply_guidance, fit_guidance
from limpid.runtime.masks import read_mask, rows_of, share_of_change
from limpid.runtime.memory import FADE, FIXED, HALO, Held, Plan, default_budget, give_back, least_tile, plan
from limpid.runtime.options import SeparationOptions
from limpid.runtime.row_bands import Bands, band_rows, in_bands, reduced, with_hint

WORKING_SIDE = 1024
"""Longest side in pixels at which a large photo is separated unless every pixel is asked for."""

LEAST_SIDE = 256
"""A network that must see photos whole gets them at no less than about this side, pixels, however little memory there is."""

RESIDUE = "residue"
"""What a network learnt to be neither layer, where it did: its ``residual``, −1…1."""

Engine = Callable[[Tensor], Separation]
"""Photo (1, 3, H, W), padded, on the CPU → what the network answers to it."""

_LARGER = 1.25  # times the size that the network sees, beyond which a photo has detail that it never saw
_WORTHWHILE = 1.5  # pixels that tiles see in all, of one that the photo has: beyond it, a smaller working size is better value
_REBUILDING = 100  # bytes a pixel of such rows, and of the working size, while layers are rebuilt (measured: benchmarks/memory.py)


@dataclass(frozen=True, kw_only=True)
class RowBand:
    """Finished rows of all layers: ``top``…``bottom``, layer name → (3, bottom − top, W), clamped to 0…1 unless asked otherwise.

    ``confidence``: how probable it is that there is something to remove from this photo, 0…1; ``believed``: how far the network is
    followed, 0 (nothing to remove) to 1.
    """

    top: int
    bottom: int
    layers: Mapping[str, Tensor]
    confidence: float = 1.0
    believed: float = 1.0


class Separator:
    """A network that runs on photos; call it with one. One instance serves many threads: forwards are taken in turns.

    ``network`` is the bare module, which is left as it is found: its device is where photos are run, and while it runs it is in
    evaluation mode. ``task``: what its layers are for; ``name``: what messages call it; ``model``: its name in the catalogue;
    ``sha256``: that of its weights (None when they came from no file); ``precision``: the arithmetic it runs in; ``engine``: what
    runs it on a CPU in place of PyTorch, None for PyTorch.
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
        engine: Engine | None = None,
    ) -> None:
        self.network, self.task = network, task
        self.name, self.model, self.precision, self.sha256 = name, model, precision, sha256
        self.engine = engine
        self._turn = threading.Lock()
        self._given = False

    def __repr__(self) -> str:
        return f"Separator({self.name!r}, {' and '.join(self.task.layers)}, {self.device}, {self.precision})"

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.network.parameters(), torch.empty(0)).device

    @method_with_keywords(SeparationOptions)
    def __call__(self, photo: Source | Photo, options: SeparationOptions) -> Separation:
        """Separate one photo: path, bytes, PIL image, array or tensor → layers (3, H, W), float32, 0…1, on the CPU.

        For tasks whose layers add up, ``residual`` = I − T − R completes them, signed; ``confidence`` of the result is how
        probable it is that there is something to remove. Raises PhotoError for what is no photo, SettingError for settings out
        of range, and UsageError for a hint that does not fit.
        """
        read_photo = photo if isinstance(photo, Photo) else read(photo)
        names = (*self.task.layers, *self.task.optional)
        layers = {name: torch.empty(3, read_photo.height, read_photo.width) for name in names}
        confidence = 1.0
        made = sum(layer.nbytes for layer in layers.values())
        chosen = self.plan((read_photo.height, read_photo.width), options, held=read_photo.pixels.nbytes, layers=made)
        for band in self.bands(read_photo, options, names, chosen):
            for name in names:
                layers[name][:, band.top : band.bottom] = band.layers[name]
            confidence = band.confidence
        return Separation(layers, confidence=confidence)

    def plan(
        self, size: tuple[int, int], options: SeparationOptions, *, held: int = 0, layers: int = 0, otherwise: int = 0
    ) -> Plan:
        """How a photo of ``size`` (height, width) would be run; ``held``: bytes that the caller keeps throughout.

        ``layers``: those of the layers that the caller makes of the answer; ``otherwise``: bytes that decoding and encoding take,
        with what is kept meanwhile. Memory and time are None for a network that has never run where the plan does not depend on
        them. Raises NoRoomError when a network that must see a photo whole does not fit even at a reduced size.
        """
        needs = self.network.needs
        budget = default_budget() if options.max_memory is None else options.max_memory
        small = max(padded_size(*size, needs.multiple, needs.minimum)) <= PROBE_SIDE
        cost = self.known_cost if small or options.tile == "off" else self.cost
        found, refusal = [], NoRoomError("")
        for working in self._workings(size, options):
            kept = replace(self._held(size, working), throughout=held, layers=layers, otherwise=otherwise)
            try:
                chosen = plan(
                    working,
                    held=kept,
                    budget=budget,
                    tile=self._tile(working, options),
                    halo=self.halo,
                    needs=needs,
                    cost=cost,
                    contextual=self.network.has_context,
                    preview=self._previewed(size),
                )
            except NoRoomError as error:
                refusal = error
                continue
            found.append(chosen)
            fits = chosen.most is None or chosen.most <= budget
            if fits and (chosen.tile is None or chosen.pixels <= _WORTHWHILE * working[0] * working[1]):
                break
        if not found:
            raise refusal
        return min(found, key=lambda chosen: (_excess(chosen, budget), chosen.tile is not None))

    def _held(self, size: tuple[int, int], working: tuple[int, int]) -> Held:
        """What the work on a photo of ``size`` takes besides the forward, when the network sees it at ``working``."""
        floats = 4 * 3 * len(self.task.layers)
        weights = sum(tensor.nbytes for tensor in self.network.state_dict().values())
        rebuilt = band_rows(size[1]) * size[1] + working[0] * working[1] if working != size else 0
        return Held(
            fixed=FIXED + weights,
            band=3 * floats,
            rebuilding=_REBUILDING * rebuilt,
        )

    def _previewed(self, size: tuple[int, int]) -> int:
        """Pixels that the network is shown before the photo itself, to see whether there is anything to remove."""
        if self.network.whole_confidence is None or max(size) <= PREVIEW_SIDE:
            return 0
        height, width = fit(*size, PREVIEW_SIDE)
        return height * width

    def _workings(self, size: tuple[int, int], options: SeparationOptions) -> Iterator[tuple[int, int]]:
        """Sizes at which the network may see the photo, the best first.

        Where the user leaves resolution and tiles to us, memory decides: a layer rebuilt from a smaller size is softer, and fits.
        """
        first = fit(*size, WORKING_SIDE) if self._rebuilds(size, options) else size
        fixed = self.network.fixed_size
        if fixed is not None and self.task.rebuilds and options.resolution == "auto":
            share = min(1.0, *(room / side for room, side in zip(fixed, first, strict=True)))
            first = (max(1, int(first[0] * share)), max(1, int(first[1] * share)))
        yield self._seen(first)
        never = self.network.needs.tiling == "never"
        if not self.task.rebuilds or options.resolution != "auto" or not (never or options.tile == "auto"):
            return
        longest = max(first) * 7 // 8
        while longest >= (LEAST_SIDE if never else PREVIEW_SIDE):
            yield self._seen(fit(*size, longest))
            longest = longest * 7 // 8

    def _tile(self, working: tuple[int, int], options: SeparationOptions) -> str:
        """The tile that was asked for, or that of a graph of one size where the photo is larger."""
        fixed = self.network.fixed_size
        if fixed is None or (working[0] <= fixed[0] and working[1] <= fixed[1]):
            return options.tile
        least = least_tile(self.halo, self.network.needs)
        if min(fixed) < least:
            raise SettingError(
                f"{self.name} takes {fixed[1]}×{fixed[0]} pixels, fewer than a tile of this network needs ({least}) to cut larger"
                f" photos; export it with --dynamic or --static {least}x{least}"
            )
        return str(min(fixed))

    def _seen(self, size: tuple[int, int]) -> tuple[int, int]:
        """What the authors of the network would resize a photo of ``size`` to."""
        resize = self.network.needs.resize
        return size if resize is None else resize.size(*size)

    @property
    def halo(self) -> int:
        """Surroundings that a tile needs on each side, pixels.

        Networks that do not know their radius see ``HALO``, and their tiles may show: chained local means, IBCLN's cascade.
        """
        window = WINDOW // 2 if self.network.local_confidence else 0
        return window + (HALO if self.network.radius is None else self.network.radius)

    @cached_property
    def known_cost(self) -> Cost | None:
        """What a pixel costs as far as anybody knows: remembered from an earlier run here, or shipped with the weights."""
        return remembered(self.sha256, self.device, self.precision) or shipped(self.sha256, self.device, self.precision)

    @property
    def _is_unknown(self) -> bool:
        """Whether the next forward is to be watched: foreign runtimes keep memory that nobody here sees."""
        return self.known_cost is None and self.network.bytes_per_pixel is None

    @property
    def cost(self) -> Cost:
        """Memory and time per pixel; where nobody knows them, the network is tried once on a small square.

        One that is set stays; else what later photos take replaces it.
        """
        if self.known_cost is None:
            square = padded_size(PROBE_SIDE, PROBE_SIDE, self.network.needs.multiple, self.network.needs.minimum)[0]
            side = min(self.network.fixed_size or (square,))
            with self._turn, evaluating(self.network):
                self._learn(measure(self.forward, self.device, side, self.network.bytes_per_pixel))
        assert self.known_cost is not None
        return self.known_cost

    @cost.setter
    def cost(self, cost: Cost) -> None:
        self.known_cost, self._given = cost, True

    def bands(
        self,
        photo: Photo,
        options: SeparationOptions,
        names: Sequence[str],
        chosen: Plan | None = None,
        share: Pixels | None = None,
        *,
        clamped: bool = True,
    ) -> Iterator[RowBand]:
        """Layers ``names`` of a photo, a band of rows at a time from top to bottom, so that nothing large is held.

        ``share``: how much of the change each pixel takes, (H, W), uint8, in place of what the masks of the options say.
        ``clamped``: to 0…1 (signed layers to −1…1); else as the network answers, for those who measure it.
        """
        if RESIDUE in names and not self.network.learns_residue:
            raise UsageError(f"{self.name} learnt no residue; ask for the residual, which is what its layers leave over")
        size = (photo.height, photo.width)
        chosen = chosen or self.plan(size, options, held=photo.pixels.nbytes)
        hint = self._hint(photo, options)
        share = share_of_change(photo, options) if share is None else share
        verdict = self._preview(photo, hint, force=options.force or hint is not None)
        if not verdict.believed:  # nothing to remove: no layer of the network would be used
            nothing = torch.zeros(()).expand(3, *size)  # one number, whatever the size
            raw = in_bands(dict.fromkeys(self.task.layers, nothing), *size)
        elif verdict.answer is not None and chosen.tile is None and chosen.working == size and RESIDUE not in names:
            raw = in_bands(verdict.answer, *size)
        else:
            separated = self._rebuilt if chosen.working != size else self._separated
            raw = separated(photo, chosen, hint, RESIDUE in names)
        try:
            for top, bottom, layers in raw:
                rows = slice(top, bottom)
                if clamped:  # here and only here
                    layers = {name: layer.clamp(-1.0 * (name in self.task.signed), 1) for name, layer in layers.items()}
                done = self._finished(photo, rows, layers, options.strength, verdict.believed, names, rows_of(share, rows))
                yield RowBand(top=top, bottom=bottom, layers=done, confidence=verdict.confidence, believed=verdict.believed)
        finally:
            give_back()

    def _hint(self, photo: Photo, options: SeparationOptions) -> Tensor | None:
        """The mask that a person painted, (1, H, W), 0…1; raises UsageError for one of another size or a network without hints."""
        if options.hint is None:
            return None
        if not self.network.hints:
            raise UsageError(f"{self.name} knows no hints; leave out --hint, or take a network that was trained with them")
        return rows_of(read_mask(options.hint, photo, "hint"), slice(None))

    def _preview(self, photo: Photo, hint: Tensor | None, *, force: bool) -> Verdict:
        """Whether there is anything to remove, by the change of the whole photo and, where the network has one, by its gate."""
        limits, gate = self.network.whole_confidence, self.network.presence_limits
        if limits is None and gate is None:
            return Verdict()
        size = (photo.height, photo.width)
        side = min(PREVIEW_SIDE, *(self.network.fixed_size or (PREVIEW_SIDE,)))
        large = max(size) > side
        small = fit(*size, side) if large else size
        pixels = shrink(photo.pixels, *small) if large else photo.pixels
        preview = with_hint(photo.resized(pixels).tensor(), reduced(hint, small))
        raw = self._answer(preview)
        answer = self._blended(preview, raw, residue=False)
        believed = confidence = 1.0 if limits is None else confidence_of(preview[:3], answer[self.task.primary], limits)
        probability = self._presence(preview[:3], raw)
        if probability is not None:
            gate = self.network.reduced_presence_limits or gate if large else gate
            confidence, believed = probability, believed * believed_by(probability, gate)
        return Verdict(confidence=confidence, believed=1.0 if force else believed, answer=None if large else answer)

    @torch.inference_mode()
    def _presence(self, image: Tensor, layers: Separation) -> float | None:
        with self._turn, evaluating(self.network):
            there = layers.map(lambda layer: pad(layer[None], 1, LEAST_JUDGED).to(self.device))
            probability = self.network.presence(pad(image[None], 1, LEAST_JUDGED).to(self.device), there)
        return None if probability is None else float(probability)

    def run(self, image: Tensor, context: Context | None = None, *, residue: bool = False) -> dict[str, Tensor]:
        """The bare forward on (3, H, W) of any size, whole or, with ``context``, a tile: layer name → (3, H, W), CPU.

        With a hint (4, H, W). Unclamped, but for networks whose layers have a range of their own, which is mapped to 0…1.
        ``residue``: with what the network learnt to be neither layer. What its authors resize is not resized here. Raises
        WeightsError for an answer that holds NaN or infinities, from which no photo can be made.
        """
        return self._blended(image, self._answer(image, context, residue=residue), residue=residue)

    @torch.inference_mode()
    def _answer(self, image: Tensor, context: Context | None = None, *, residue: bool = False) -> Separation:
        height, width = image.shape[-2:]
        with self._turn, evaluating(self.network), answering(self.network, residue):
            started = time.perf_counter()
            counter = LiveBytes() if self._is_unknown and context is None else None
            with counter or nullcontext():
                padded = self._padded(image)
                layers = self.forward(padded, context).map(lambda layer: crop(layer, height, width).float())
                layers = self.network.to_unit_range(layers, context).map(lambda layer: layer[0].cpu())
            self._learn_from(padded.shape[-2] * padded.shape[-1], time.perf_counter() - started, counter)
        give_back()
        self._check_finite(layers)
        return layers

    def _blended(self, image: Tensor, layers: Separation, *, residue: bool) -> dict[str, Tensor]:
        """Small changes taken back, a learnt residue under its name."""
        limits = self.network.local_confidence
        found = dict(blend_small_changes(image[:3], layers, limits) if limits is not None else layers)
        if self.network.learns_residue:
            found |= {RESIDUE: found.pop("residual")} if residue else {}
        return found

    def _learn_from(self, pixels: int, seconds: float, counter: LiveBytes | None) -> None:
        """Note what a forward of so many pixels cost, unless it tells little: a small one takes its time for setting up."""
        known = self.known_cost
        if counter is not None:
            self._learn(seen(pixels, seconds, counter))
            return
        telling = known is not None and (pixels >= PROBE_SIDE**2 or 0 < known.pixels < pixels)
        if known is not None and telling and not self._given and not 0.8 < seconds / pixels / known.seconds_per_pixel < 1.25:
            self._learn(replace(known, seconds_per_pixel=seconds / pixels, pixels=pixels))

    def _learn(self, cost: Cost) -> None:
        self.known_cost = cost
        remember(cost, self.sha256, self.device, self.precision)

    def _check_finite(self, layers: Mapping[str, Tensor]) -> None:
        for name, layer in layers.items():
            if not bool(torch.isfinite(layer.sum())):  # the sum of finite numbers may overflow: then each is looked at
                broken = int((~torch.isfinite(layer)).sum())
                if broken:
                    raise WeightsError(
                        f"{self.name} answers this photo with {broken} NaN or infinite values in its {name} ({self.precision}); "
                        + ("try --precision float32" if self.precision != "float32" else "its weights are of no use for it")
                    )

    def _padded(self, image: Tensor) -> Tensor:
        """(3, H, W) → (1, 3, H', W') as the network wants it, where it is."""
        needs = self.network.needs
        return pad(image[None], needs.multiple, needs.minimum).to(self.device).contiguous(memory_format=torch.channels_last)

    def forward(self, mixed: Tensor, context: Context | None = None) -> Separation:
        """The network on a padded photo or tile (1, 3, H, W), where it is, in the precision and by the engine of this separator."""
        if self.engine is not None and context is None and mixed.device.type == "cpu" and mixed.shape[1] == 3:
            return self.engine(mixed)
        with torch.inference_mode(), arithmetic(mixed.device, self.precision):
            layers: Separation = self.network(mixed, context)
        return layers

    def _rebuilds(self, size: tuple[int, int], options: SeparationOptions) -> bool:
        return self.task.rebuilds and options.resolution == "auto" and max(size) > _LARGER * WORKING_SIDE

    def _separated(self, photo: Photo, chosen: Plan, hint: Tensor | None, residue: bool) -> Bands:
        if chosen.tile is None:
            yield from in_bands(self.run(with_hint(photo.tensor(), hint), residue=residue), photo.height, photo.width)
            return
        grid, size = self.network.needs.grid, (photo.height, photo.width)
        same = self.network.bytes_per_pixel is not None  # memory of a foreign runtime grows with every new shape of a tile
        rows, columns = (spans(length, chosen.tile, chosen.halo, FADE, grid, full=same) for length in size)
        height, width = padded_size(*size, self.network.needs.multiple, self.network.needs.minimum)
        context = self._context(photo, chosen.context, residue) if chosen.context else None

        def separate(row: Span, column: Span) -> dict[str, Tensor]:
            rows = slice(row.start, row.stop)
            tile = with_hint(photo.tensor(rows), None if hint is None else hint[:, rows])[:, :, column.start : column.stop]
            place = Tile(top=row.start, left=column.start, height=height, width=width)
            return self.run(tile, context and context.at(place), residue=residue)

        yield from blend(rows, columns, separate)

    @torch.inference_mode()
    def _context(self, photo: Photo, seen: tuple[int, int], residue: bool) -> Context:
        """What the global parts of the network find on the photo, reduced to ``seen`` (height, width, padding included)."""
        size, needs = (photo.height, photo.width), self.network.needs
        padded = padded_size(*size, needs.multiple, needs.minimum)
        small = [max(1, round(side * to / full)) for side, to, full in zip(size, seen, padded, strict=True)]
        pixels = photo.pixels if padded == seen else shrink(photo.pixels, *small)
        image = photo.resized(pixels).tensor()
        with (
            self._turn,
            evaluating(self.network),
            answering(self.network, residue),
            arithmetic(self.device, self.precision),
        ):
            return self.network.context(self._padded(image), (image.shape[-2], image.shape[-1]))

    def _rebuilt(self, photo: Photo, chosen: Plan, hint: Tensor | None, residue: bool) -> Bands:
        small = self._resized(photo, chosen.working)
        parts: dict[str, list[Tensor]] = {}
        for _, _, layers in self._separated(small, chosen, reduced(hint, chosen.working), residue):
            for name, layer in layers.items():
                parts.setdefault(name, []).append(layer)
        guide, primary = small.tensor(), self.task.primary
        found = {name: torch.cat(rows, dim=1) for name, rows in parts.items()}
        found[primary] = guide - found[primary]  # the change: it is smooth where the layer has detail
        finer = max(photo.height, photo.width) > _LARGER * max(chosen.working)
        guidance = {
            name: fit_guidance(guide, layer) if finer else Guidance(layer, torch.zeros_like(layer)) for name, layer in found.items()
        }
        step = band_rows(photo.width)
        for top in range(0, photo.height, step):
            rows = (top, min(top + step, photo.height))
            mixed = photo.tensor(slice(*rows))
            band = apply_guidance(mixed, guide, guidance, rows, photo.height)
            yield *rows, {**band, primary: mixed - band[primary]}

    def _resized(self, photo: Photo, size: tuple[int, int]) -> Photo:
        """The photo that the network sees, as its authors would resize it, else reduced by areas."""
        resize = self.network.needs.resize
        if resize is not None:
            return resample(photo, *size, Resampling[resize.resampling.upper()])
        return photo.resized(shrink(photo.pixels, *size))

    def _finished(
        self,
        photo: Photo,
        rows: slice,
        layers: Mapping[str, Tensor],
        strength: float,
        confidence: float,
        names: Sequence[str],
        share: Tensor | None,
    ) -> dict[str, Tensor]:
        """Apply confidence and masks, and strength to the primary layer, complete the sum."""
        mixed = photo.tensor(rows)
        primary = self.task.primary
        done = {name: confidence * layer for name, layer in layers.items()}
        done[primary] = torch.lerp(mixed, layers[primary], strength * confidence)
        done = done if share is None else self.task.confined(mixed, done, share)
        done = self.task.completed(mixed, done) | {name: self.task.remainder(mixed, done) for name in self.task.optional}
        for name in names:
            if name not in done:
                raise UnknownNameError("layer", name, done)
        return {name: done[name] for name in names}


def _excess(chosen: Plan, budget: int) -> int:
    """Bytes above the budget at worst."""
    return max(0, (chosen.most or 0) - budget)
