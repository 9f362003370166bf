"""USI3D: albedo and shading learnt without pairs, as one shared content decoded in two styles.

Liu, Li, You, Lu, "Unsupervised Learning for Intrinsic Image Decomposition from a Single Image", CVPR 2020, arXiv:1911.09930.
Three generators (image, reflectance, shading), a splitter that turns the photo's style into the styles of both layers, and a
merger that turns it back. Only the image's encoders, the layers' decoders and the splitter are needed on a photo; the rest
trains them, with one ``MultiScaleDiscriminator`` per layer (``blocks/munit``).

Ranges: the forward answers with the raw tanh, −1…1, which the losses of the authors multiply. What their script saves is
that stretched so that the smallest value of the photo becomes 0 and the largest 1: ``to_unit_range`` does this.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid.blocks.munit import AdaptiveDecoder, ContentEncoder, Perceptron, StyleEncoder
from limpid.catalogue import ModelEntry
from limpid.errors import SettingError
from limpid.layers.context import GlobalModule, Recall, recalled
from limpid.layers.network import Needs, Resize
from limpid.layers.separation import Separation
from limpid.layers.unpaired import Translation, UnpairedNetwork

STYLE_SHIFT = 10.0
"""Mean of the styles of albedo, and less than zero of shading, that are drawn where nothing splits the style of the photo."""


class Generator(nn.Module):
    """One domain: image ↔ content and style; each half is there only where it is used."""

    def __init__(self, *, width: int, style: int, residuals: int, hidden: int, encodes: bool, decodes: bool) -> None:
        super().__init__()
        if encodes:
            self.enc_style = StyleEncoder(width, style)
            self.enc_content = ContentEncoder(width, residuals)
        if decodes:
            self.dec = AdaptiveDecoder(width, residuals)
            self.mlp = Perceptron(style, self.dec.parameters_needed, hidden=hidden, layers=3)

    def encode(self, image: Tensor, recall: Recall | None = None) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) → content (B, 4 · width, H/4, W/4), style (B, style)."""
        return self.enc_content(image, recall), self.enc_style(image, recall).flatten(1)

    def decode(self, content: Tensor, style: Tensor, recall: Recall | None = None) -> Tensor:
        """Content and style (B, style) → (B, 3, H, W), −1…1."""
        image: Tensor = self.dec(content, self.mlp(style), recall)
        return image


class StyleMap(nn.Module):
    """A perceptron under its published name: the splitter (style → two styles) or the merger (two → one)."""

    def __init__(self, channels: int, out: int, *, hidden: int, layers: int) -> None:
        super().__init__()
        self.mlp = Perceptron(channels, out, hidden=hidden, layers=layers)

    def forward(self, style: Tensor) -> Tensor:
        """(B, C) → (B, C')."""
        mapped: Tensor = self.mlp(style)
        return mapped


class Stretch(GlobalModule):
    """Smallest value of the whole photo to 0, largest to 1, each sample by itself; (B, 3, H, W) or (3, H, W) → the same."""

    def forward(self, layer: Tensor, recall: Recall | None = None) -> Tensor:
        """Stretch by what this layer shows, or by what is recalled."""
        low, high = recalled(recall, self, lambda: torch.aminmax(layer.flatten(-3), dim=-1), [()] * 2)
        return (layer - low[..., None, None, None]) / (high - low).clamp_min(1e-6)[..., None, None, None]


class Usi3d(UnpairedNetwork):
    """Photo (B, 3, H, W), 0…1, encoded → albedo and shading, raw tanh, −1…1; sides of at least 16.

    The published network answers in multiples of 4, rounded down; the last rows and columns are repeated here.

    ``width``: channels at full resolution, 4 times as many at 1/4; ``style``: length of a style; ``residuals``: blocks of the
    encoder and of each decoder; ``hidden``: width of the perceptrons; ``mapping``: layers of splitter and merger, 0 for an ablation
    without them, whose styles are drawn around ±10 in the authors' code and are ±10 here. ``short_side``: pixels to which the
    authors bring the shorter side of a photo first, None: not at all. ``input_range``: what the network is fed, ``unit`` (0…1, as
    in the authors' test script) or ``signed`` (−1…1); ``output_range``: what ``to_unit_range`` makes of the answer, ``stretch``
    (smallest value of the photo to 0, largest to 1, as the authors save it), ``half`` ((v + 1) / 2) or ``raw``. With which ranges
    the published file was trained is not known. ``training_parts``: hold also
    the parts that are used in training alone. Keys are those published.
    """

    needs = Needs(minimum=16, phase=4, tiling="discouraged")

    def __init__(
        self,
        *,
        width: int = 64,
        style: int = 8,
        residuals: int = 4,
        hidden: int = 256,
        mapping: int = 3,
        short_side: int | None = 300,
        input_range: Literal["unit", "signed"] = "unit",
        output_range: Literal["stretch", "half", "raw"] = "stretch",
        training_parts: bool = False,
    ) -> None:
        super().__init__()
        self.input_range, self.output_range, self.training_parts, self.mapping = input_range, output_range, training_parts, mapping

        def generator(*, encodes: bool, decodes: bool) -> Generator:
            return Generator(
                width=width,
                style=style,
                residuals=residuals,
                hidden=hidden,
                encodes=encodes or training_parts,
                decodes=decodes or training_parts,
            )

        self.i = generator(encodes=True, decodes=False)
        self.r = generator(encodes=False, decodes=True)
        self.s = generator(encodes=False, decodes=True)
        self.radius = 22 + 16 * residuals  # 5 and 4 on the way down, blocks of 8 px, 4 + 2 + 3 up, and a cell of 4
        if short_side is not None:
            self.needs = replace(self.needs, resize=Resize(short=short_side))
        if mapping:
            self.fs = StyleMap(style, 2 * style, hidden=hidden, layers=mapping)
        if training_parts and mapping:
            self.fm = StyleMap(2 * style, style, hidden=hidden, layers=mapping)
        if output_range == "stretch":
            self.stretch = nn.ModuleDict({"albedo": Stretch(), "shading": Stretch()})

    def separate(self, mixed: Tensor, recall: Recall | None = None) -> Separation:
        """(B, 3, H, W) → layers of the same shape, −1…1."""
        content, style = self.i.encode(mixed * 2 - 1 if self.input_range == "signed" else mixed, recall)
        albedo_style, shading_style = self.split(style)
        layers = {
            "albedo": self.r.decode(content, albedo_style, recall),
            "shading": self.s.decode(content, shading_style, recall),
        }
        height, width = mixed.shape[-2:]
        rim = (0, width - layers["albedo"].shape[-1], 0, height - layers["albedo"].shape[-2])
        return Separation({name: F.pad(layer, rim, mode="replicate") for name, layer in layers.items()})

    def split(self, style: Tensor) -> tuple[Tensor, Tensor]:
        """A photo's style (B, style) → those of albedo and shading; without a mapping the means of those that are drawn [X]."""
        if not self.mapping:
            return torch.full_like(style, STYLE_SHIFT), torch.full_like(style, -STYLE_SHIFT)
        albedo, shading = self.fs(style).chunk(2, dim=1)
        return albedo, shading

    def translate(self, photo: Tensor, samples: Mapping[str, Tensor], mixed: Tensor | None = None) -> Translation:
        """Photos, albedos and shadings that do not belong together → everything that their losses look at.

        As in the authors' training step, whose slips are put right: samples are decoded by the generator of their own domain;
        styles of random translations of a photo are compared with the random styles; these are drawn around +10 for albedo and −10
        for shading, for both sides of the game. Raises SettingError without ``training_parts``.
        """
        if not self.training_parts:
            raise SettingError("usi3d learns with the parts that only training uses; give the network `training_parts: true`")
        images = (photo, samples["albedo"], samples["shading"])
        return _Step(self, *((image * 2 - 1 if self.input_range == "signed" else image) for image in images)).translation()

    def stretched(self, layers: Separation, recall: Recall | None = None) -> Separation:
        """The forward's answer for the whole photo brought to 0…1 as ``output_range`` says, each layer and sample by itself."""
        if self.output_range == "raw":
            return layers
        if self.output_range == "half":
            return layers.map(lambda layer: (layer + 1) / 2)
        return Separation({name: self.stretch[name](layer, recall) for name, layer in layers.items()})


BIAS = 10.0
"""Mean of random albedo styles, and less that of random shading styles; their deviation is 1."""


class _Step:
    """One translation of a photo and a sample of each domain, in the range that the network is fed."""

    def __init__(self, network: Usi3d, photo: Tensor, albedo: Tensor, shading: Tensor) -> None:
        self.network, self.images = network, {"i": photo, "r": albedo, "s": shading}
        self.domains = {"i": network.i, "r": network.r, "s": network.s}
        self.contents, self.styles = {}, {}
        for domain, image in self.images.items():
            self.contents[domain], self.styles[domain] = self.domains[domain].encode(image)
        self.split = dict(zip("rs", network.split(self.styles["i"]), strict=True))
        self.random = {domain: torch.randn_like(self.split[domain]) + shift for domain, shift in (("r", BIAS), ("s", -BIAS))}

    def translation(self) -> Translation:
        """Six translated images: each layer from the other one, and from the photo with split and with random style."""
        made = {
            **{(domain, "other"): self._made(domain, "s" if domain == "r" else "r", self.random[domain]) for domain in "rs"},
            **{(domain, "split"): self._made(domain, "i", self.split[domain]) for domain in "rs"},
            **{(domain, "random"): self._made(domain, "i", self.random[domain]) for domain in "rs"},
        }
        content, style, cycle = [], [], []
        for (domain, kind), image in made.items():
            source = ("s" if domain == "r" else "r") if kind == "other" else "i"
            again, own = self.domains[domain].encode(image)
            content.append((again, self.contents[source]))
            style.append((own, self.split[domain] if kind == "split" else self.random[domain]))
            cycle.append((self.domains[source].decode(again, self.styles[source]), self.images[source]))
        if self.network.mapping:
            style.append((self.network.fm(torch.cat((self.split["r"], self.split["s"]), dim=1)), self.styles["i"]))
        names = {"r": "albedo", "s": "shading"}
        return Translation(
            layers=Separation({name: made[domain, "split"] for domain, name in names.items()}),
            fakes={name: [made[domain, kind] for kind in ("other", "split", "random")] for domain, name in names.items()},
            compared={"self": self._itself(), "content": content, "style": style, "cycle": cycle},
            compositions=[{name: made[domain, kind] for domain, name in names.items()} for kind in ("split", "random")],
            codes={name: (self.split[domain], self.styles[domain]) for domain, name in names.items()},
        )

    def _made(self, domain: str, source: str, style: Tensor) -> Tensor:
        image: Tensor = self.domains[domain].decode(self.contents[source], style)
        return image

    def _itself(self) -> list[tuple[Tensor, Tensor]]:
        return [(self._made(domain, domain, self.styles[domain]), image) for domain, image in self.images.items()]


ENTRY = ModelEntry(
    build=Usi3d,
    source="Liu, Li, You, Lu, CVPR 2020, arXiv:1911.09930",
    licence="CC BY-NC 4.0",
    tasks=("intrinsic",),
    layers=("albedo", "shading"),
    sizes={
        "mpi": {},
        "iiw": {"style": 32, "mapping": 5},
        "tiny": {"width": 8, "style": 4, "residuals": 1, "hidden": 16},
    },
)
