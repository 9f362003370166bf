"""SILS: layers separated in latent space, learnt without pairs: an encoder and a decoder for every layer.

Liu & Lu, "Separate In Latent Space: Unsupervised Single Image Layer Separation", AAAI 2020, arXiv:1906.00734. No code of the paper
was ever released. What is built here follows the paper's abstract and figures [P, F], the authors' early repository
DreamtaleCore/USIS (commit 53a91ca, nine days before the first version of the paper) [C], and, marked [X], choices where no source
settles it. Weights were never published, so keys are ours. How layers compose the photo is the law of the task, unknown here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from torch import Tensor, nn

from limpid.backbones._vgg_trunk import VggTrunk
from limpid.blocks import latent_vgg
from limpid.blocks.latent_unet import LatentDecoder, LatentEncoder, Norm, Upsampling
from limpid.blocks.weight_init import kaiming_normal
from limpid.catalogue import ModelEntry
from limpid.errors import SettingError
from limpid.layers.context import Recall
from limpid.layers.network import Needs
from limpid.layers.separation import Separation
from limpid.layers.unpaired import Translation, UnpairedNetwork


class Sils(UnpairedNetwork):
    """Photo (B, 3, H, W), 0…1, encoded → its ``layers``, unclamped; sides are multiples of 2^(``depth`` + 1).

    ``layers``: their names, two or more, in the task's order. ``width``: channels of the first stage (16 [C]); ``depth``:
    stages after it (6 [C]); ``norm``: ``in`` [X: batches of one], ``bn`` [C] or ``none``. ``head``: ``linear`` [C] (a ``sigmoid``
    head dies to constant black on mostly black layers, measured by the specification); ``shared_encoder``: one encoder for all
    decoders, as the authors do for three layers [C], which leaves nothing for the independence loss; ``skips``, ``upsampling``,
    ``full_stem``, ``bias``: see ``blocks/latent_unet``. ``encoder``: that U, or ``vgg19``: a VGG-19 that learns, before the decoder
    of ``blocks/latent_vgg``, for images of any size from 48 pixels on; ``width`` and ``depth`` are then that decoder's, ``bias`` of
    it alone, and what else concerns the U stays as it is. Its ImageNet weights are optional [C] and not filled in here. Which of
    both made the paper's numbers is unknown. Images enter shifted to −1…1 and a linear head leaves around 0.5 [X]. Raises
    SettingError for fewer than two layers and for settings of the other encoder.
    """

    def __init__(
        self,
        *,
        layers: tuple[str, ...] = ("transmission", "reflection"),
        width: int = 16,
        depth: int = 6,
        norm: Norm = "in",
        head: Literal["linear", "sigmoid"] = "linear",
        skips: bool = True,
        shared_encoder: bool = False,
        full_stem: bool = False,
        upsampling: Upsampling = "transposed",
        bias: bool = True,
        encoder: Literal["unet", "vgg19"] = "unet",
    ) -> None:
        super().__init__()
        if len(layers) < 2 or len(set(layers)) != len(layers):
            raise SettingError(f"sils separates two or more layers of different names; got {', '.join(layers) or 'none'}")
        self.names, self.head, self.depth, self.vgg = tuple(layers), head, depth, encoder == "vgg19"
        self.layer_names = self.names
        if self.vgg and (norm != "in" or full_stem or not skips or upsampling != "transposed"):
            raise SettingError("a sils with encoder vgg19 has no norm, skips, stem or upsampling to choose; leave them out")
        multiple = 1 if self.vgg else 2**depth if full_stem else 2 ** (depth + 1)
        least = multiple if norm == "none" else 2 * multiple  # a norm over one cell knows no deviation
        least = latent_vgg.LEAST if self.vgg else least
        self.needs = Needs(multiple=multiple, minimum=least, tiling="never" if self.vgg else "discouraged")

        shape: dict[str, Any] = {"width": width, "depth": depth, "norm": norm, "bias": bias, "full_stem": full_stem}

        def encode() -> nn.Module:
            return VggTrunk(latent_vgg.TAPS) if self.vgg else LatentEncoder(**shape)

        def decode() -> nn.Module:
            if self.vgg:
                return latent_vgg.VggDecoder(width=width, depth=depth, bias=bias)
            return LatentDecoder(**shape, upsampling=upsampling, skips=skips)

        self.encoders = nn.ModuleList(encode() for _ in range(1 if shared_encoder else len(layers)))
        self.decoders = nn.ModuleList(decode() for _ in layers)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                kaiming_normal(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def separate(self, mixed: Tensor, recall: Recall | None = None) -> Separation:
        """(B, 3, H, W) → layers of the same shape."""
        return self._decoded(self._encoded(mixed, recall), recall)

    def encode(self, image: Tensor, layer: str, recall: Recall | None = None) -> list[Tensor]:
        """What a layer's encoder makes of an image (B, 3, H, W): ``depth`` + 1 maps, fine to coarse.

        VGG-19's: the image as it enters, and four maps.
        """
        encoder = self.encoders[self.names.index(layer) % len(self.encoders)]
        if self.vgg:
            return [image * 2 - 1, *encoder(image * 2 - 1)]
        pyramid: list[Tensor] = encoder(image * 2 - 1, recall)
        return pyramid

    def decode(self, pyramid: Sequence[Tensor], layer: str, recall: Recall | None = None) -> Tensor:
        """A layer (B, 3, H, W) from its pyramid."""
        decoder = self.decoders[self.names.index(layer)]
        image: Tensor = decoder(pyramid) if self.vgg else decoder(pyramid, recall)
        return image.sigmoid() if self.head == "sigmoid" else image + 0.5

    def translate(self, photo: Tensor, samples: Mapping[str, Tensor], mixed: Tensor | None = None) -> Translation:
        """Photos and samples of every layer → layers, both cycles, self-reconstructions, and four maps of each pyramid."""
        pyramids = self._encoded(photo, None)
        layers = self._decoded(pyramids, None)
        again = {name: self.taps(self.encode(layer, name)) for name, layer in layers.items()}
        compared = {"self": [(self.decode(self.encode(sample, name), name), sample) for name, sample in samples.items()]}
        if mixed is not None:
            compared["backward"] = [(layer, samples[name]) for name, layer in self.separate(mixed).items()]
        return Translation(
            layers=layers,
            fakes={name: [layer] for name, layer in layers.items()},
            compared=compared,
            compositions=[dict(layers)],
            features={name: self.taps(pyramid) for name, pyramid in pyramids.items()},
            again=again,
        )

    def taps(self, pyramid: Sequence[Tensor]) -> list[Tensor]:
        """The maps that the latent losses see: stages ⌊n/4⌋, ⌊n/2⌋, ⌊3n/4⌋ and n of n, or all four of VGG-19 [C]."""
        if self.vgg:
            return list(pyramid[1:])
        return [pyramid[place] for place in (self.depth // 4, self.depth // 2, 3 * self.depth // 4, self.depth)]

    def _encoded(self, image: Tensor, recall: Recall | None) -> dict[str, list[Tensor]]:
        if len(self.encoders) == 1:
            return dict.fromkeys(self.names, self.encode(image, self.names[0], recall))
        return {name: self.encode(image, name, recall) for name in self.names}

    def _decoded(self, pyramids: Mapping[str, Sequence[Tensor]], recall: Recall | None) -> Separation:
        return Separation({name: self.decode(pyramid, name, recall) for name, pyramid in pyramids.items()})


_THREE = ("layer_1", "layer_2", "layer_3")
_TOY: Mapping[str, Any] = {"width": 8, "depth": 3, "norm": "none", "full_stem": True}

ENTRY = ModelEntry(
    build=Sils,
    source="Liu & Lu, AAAI 2020, arXiv:1906.00734; DreamtaleCore/USIS, commit 53a91ca",
    licence="CC BY-NC by its badge (SILS); none (USIS); built from facts",
    tasks=("reflection", "intrinsic", "layers_2", "layers_3", "layers_4", "layers_5", "layers_6"),
    layers=("transmission", "reflection"),
    sizes={
        "reflection": {},
        "intrinsic": {"layers": ("albedo", "shading")},
        "three_layers": {"layers": _THREE},
        "three_layers_shared": {"layers": _THREE, "shared_encoder": True},
        "toy": {"layers": ("layer_1", "layer_2"), **_TOY},
        "toy_intrinsic": {"layers": ("albedo", "shading"), **_TOY},
        "toy_three_layers": {"layers": _THREE, **_TOY},
        "published": {"norm": "bn", "bias": False},
        "vgg": {"encoder": "vgg19"},
        "tiny": {"width": 4, "depth": 2},
    },
)
