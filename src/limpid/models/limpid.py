"""The package's own network: a small dual-stream restoration network in the manner of NAFNet, local everywhere.

An encoder on the photo at half resolution, a bottleneck at 1/16, then two streams (transmission, reflection) that are
decoded side by side and gate each other, as what leaves one layer must enter the other. Sources of the pieces: NAFNet blocks
(Chen et al., ECCV 2022, arXiv:2204.04676), mutual gates (Hu & Guo, NeurIPS 2021, arXiv:2110.10546). Means are taken over
a fixed window instead of the whole photo (after Chu et al., ECCV 2022, arXiv:2112.04491), in training too, so that a tile
with a halo of ``receptive_radius`` gives exactly what the whole photo gives, and one of ``reach`` nearly so.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from limpid import catalogue
from limpid.backbones._backbone import Backbone
from limpid.blocks.naf import ChannelNorm, NafBlock
from limpid.blocks.presence_gate import PresenceGate
from limpid.catalogue import ModelEntry
from limpid.errors import SettingError
from limpid.layers.context import Recall
from limpid.layers.network import LayerNetwork, Limits, Needs
from limpid.layers.separation import Separation

_TAPS = ("quarter", "eighth", "sixteenth")

_UNLIKELY = -6.0
"""Logit with which every place starts as not lost."""


class DualBlock(nn.Module):
    """Two NAF half-blocks side by side whose gates are crossed: each stream is multiplied by what the other one passes.

    Streams: two of (B, C, H, W), same shapes back.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.ModuleList(ChannelNorm(channels) for _ in range(2))
        self.expand = nn.ModuleList(nn.Conv2d(channels, 2 * channels, 1) for _ in range(2))
        self.spread = nn.ModuleList(nn.Conv2d(2 * channels, 2 * channels, 3, padding=1, groups=2 * channels) for _ in range(2))
        self.project = nn.ModuleList(nn.Conv2d(channels, channels, 1) for _ in range(2))
        self.scale = nn.ParameterList(nn.Parameter(torch.zeros(1, channels, 1, 1)) for _ in range(2))

    def forward(self, streams: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """(B, C, H, W) twice in, (B, C, H, W) twice out."""
        values, gates = zip(*(self._halves(index, stream) for index, stream in enumerate(streams)), strict=True)
        crossed = (values[0] * gates[1], values[1] * gates[0])
        first, second = (
            stream + self.project[index](product) * self.scale[index].to(product.dtype)
            for index, (stream, product) in enumerate(zip(streams, crossed, strict=True))
        )
        return first, second

    def _halves(self, index: int, stream: Tensor) -> tuple[Tensor, Tensor]:
        value, gate = self.spread[index](self.expand[index](self.norm[index](stream))).chunk(2, dim=1)
        return value, gate


class DualDecoder(nn.Module):
    """One level up: both streams are enlarged twofold, given the encoder's features, and refined together."""

    def __init__(self, channels: int, skip: int, blocks: int) -> None:
        super().__init__()
        self.up = nn.ModuleList(nn.Conv2d(channels, 4 * skip, 1, bias=False) for _ in range(2))
        self.skip = nn.ModuleList(nn.Conv2d(skip, skip, 1) for _ in range(2))
        self.blocks = nn.Sequential(*(DualBlock(skip) for _ in range(blocks)))

    def forward(self, streams: tuple[Tensor, Tensor], features: Tensor) -> tuple[Tensor, Tensor]:
        """Two of (B, C, H, W) and features (B, S, 2H, 2W) → two of (B, S, 2H, 2W)."""
        first, second = (
            F.pixel_shuffle(self.up[index](stream), 2) + self.skip[index](features) for index, stream in enumerate(streams)
        )
        refined: tuple[Tensor, Tensor] = self.blocks((first, second))
        return refined


class Fill(nn.Module):
    """What stands where the photo is blown out and nothing of the layer behind is left: colours from the surroundings.

    Features (B, C, H/2, W/2) → colours (B, 3, H, W) and the logit (B, 1, H, W) of how far they replace what the photo holds.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.head = _silent(channels, 16, 3)
        with torch.no_grad():
            self.head.get_parameter("bias")[12:] = _UNLIKELY

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Colours and logit."""
        answer = F.pixel_shuffle(self.head(features), 2)
        return answer[:, :3], answer[:, 3:]


class Limpid(LayerNetwork):
    """Photo (B, 3, H, W), 0…1, encoded → Separation of transmission and reflection, unclamped; H, W multiples of 16.

    With ``hints`` a fourth channel may say where a person saw the reflection: 1 there, 0 where nothing is said.

    ``width``: channels at half resolution, the next levels hold 2, 4 and 6 times as many. ``encoder``: blocks at 1/2,
    1/4 and 1/8; ``middle``: blocks at 1/16; ``decoder``: dual blocks at 1/8, 1/4 and 1/2. ``window``: side in features of
    the local mean that gates the channels of every third middle block, odd. ``mirrored``: outside training, answer with the mean
    over the photo and its mirror image, in twice the time. ``features``: the maps of a pretrained EfficientNet-Lite0 join the
    encoder. ``scales``: the transmission is S·photo + B in place of photo + B. ``fills``: blown out places are filled from their
    surroundings, as far as the step ``lost`` (B, 1, H, W), a logit, says. ``gate``: pooled maps of EfficientNet-Lite0 and the
    network's own change say how probable a reflection is (``presence``). All of these start as if they were not there, so
    that weights without them can be continued.

    Settings for the runtime: ``reach``: pixels beyond which these weights were seen to hardly look (99.9 % of the
    values change by less than 2 of 255), which tiles need as surroundings; None takes all that the layers could connect,
    ``receptive_radius``. ``local_confidence``, ``whole_confidence``: mean changes, 0…1, between which the runtime begins to
    believe the network around a pixel and on a whole photo (``runtime/confidence``); None believes it always.
    ``presence_limits``: the same for the probability that a gate gives, ``reduced_presence_limits``: for photos that were made
    smaller before it saw them. Raises SettingError.
    """

    needs = Needs(multiple=16, minimum=16, precisions=("float32", "bfloat16"))
    may_start_new = ("hint_intro", "gain", "fill", "joins", "backbone", "gate")

    def __init__(
        self,
        *,
        width: int = 32,
        encoder: tuple[int, int, int] = (1, 2, 3),
        middle: int = 6,
        decoder: tuple[int, int, int] = (2, 2, 1),
        window: int = 7,
        mirrored: bool = False,
        features: bool = False,
        scales: bool = False,
        fills: bool = False,
        hints: bool = False,
        gate: bool = False,
        reach: int | None = None,
        local_confidence: Limits | None = None,
        whole_confidence: Limits | None = None,
        presence_limits: Limits | None = None,
        reduced_presence_limits: Limits | None = None,
    ) -> None:
        super().__init__()
        if window < 1 or window % 2 == 0 or (reach is not None and reach < 0):
            raise SettingError(f"the window of a local mean is odd and the reach is not negative; got {window} and {reach}")
        self.mirrored, self.hints = mirrored, hints
        self.local_confidence, self.whole_confidence = local_confidence, whole_confidence
        self.presence_limits, self.reduced_presence_limits = presence_limits, reduced_presence_limits
        widths = (width, 2 * width, 4 * width, 6 * width)
        self.intro = nn.Conv2d(12, width, 3, padding=1)
        self.encoders = nn.ModuleList(
            nn.Sequential(*(NafBlock(channels) for _ in range(count))) for channels, count in zip(widths, encoder, strict=False)
        )
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 2, stride=2) for a, b in zip(widths, widths[1:], strict=False))
        self.middle = nn.Sequential(*(NafBlock(widths[3], window=window if index % 3 == 1 else None) for index in range(middle)))
        self.split = nn.ModuleList(nn.Conv2d(widths[3], widths[3], 1) for _ in range(2))
        self.decoders = nn.ModuleList(
            DualDecoder(a, b, count) for a, b, count in zip(widths[:0:-1], widths[-2::-1], decoder, strict=True)
        )
        self.heads = nn.ModuleList(nn.Conv2d(width, 12, 3, padding=1) for _ in range(2))
        self.hint_intro = _silent(4, width, 3) if hints else None
        self.gain = _silent(width, 12, 3) if scales else None
        self.fill = Fill(width) if fills else None
        backbone: Backbone | None = catalogue.find("backbones", "efficientnet_lite0").build() if features or gate else None
        self.backbone = backbone
        self.joins = _joins(backbone, widths[1:]) if backbone is not None and features else None
        self.gate = PresenceGate(list(backbone.channels.values())) if backbone is not None and gate else None
        windows = len([index for index in range(middle) if index % 3 == 1])
        own = receptive_radius(encoder, middle, decoder, windows * (window // 2))
        self.receptive_radius = own + (backbone.reach or 0) if backbone is not None and features else own
        self.radius = self.receptive_radius if reach is None else reach

    def separate(self, mixed: Tensor, recall: Recall | None = None) -> Separation:
        """(B, 3, H, W), with a hint (B, 4, H, W) → layers of (B, 3, H, W)."""
        answer = self._separate(mixed)
        logit = self._presence_logit(mixed[:, :3], answer) if self.training else None
        if logit is not None:
            answer.steps["presence"] = logit[:, None, None, None]
        if not self.mirrored or self.training:
            return answer
        other = self._separate(mixed.flip(-1)).map(lambda layer: layer.flip(-1))
        layers = {name: (layer + other[name]) / 2 for name, layer in answer.items()}
        return Separation(layers, steps={name: (step + other.steps[name]) / 2 for name, step in answer.steps.items()})

    def presence(self, photo: Tensor, layers: Separation) -> Tensor | None:
        """Probability (B,), 0…1, that photos (B, 3, H, W) show a reflection, given what ``forward`` answered."""
        logit = self._presence_logit(photo, layers)
        return None if logit is None else logit.sigmoid()

    def _presence_logit(self, photo: Tensor, layers: Separation) -> Tensor | None:
        if self.gate is None or self.backbone is None:
            return None
        logit: Tensor = self.gate(list(self.backbone(photo).values()), photo, layers.transmission, layers.reflection)
        return logit

    def _separate(self, mixed: Tensor) -> Separation:
        photo = mixed[:, :3]
        streams = self._streams(photo, self._intro(mixed))
        with torch.autocast(mixed.device.type, enabled=False):  # eight bits of mantissa would show as banding
            first, second = (stream.to(mixed.dtype) for stream in streams)
            transmission = photo + F.pixel_shuffle(self.heads[0](first), 2)
            if self.gain is not None:
                transmission = transmission + photo * F.pixel_shuffle(self.gain(first), 2)
            reflection, steps = F.pixel_shuffle(self.heads[1](second), 2), {}
            if self.fill is not None:
                colours, steps["lost"] = self.fill(first)
                transmission = torch.lerp(transmission, colours, torch.sigmoid(steps["lost"]))
        return Separation({"transmission": transmission, "reflection": reflection}, steps=steps)

    def _intro(self, mixed: Tensor) -> Tensor:
        features: Tensor = self.intro(F.pixel_unshuffle(mixed[:, :3], 2))  # (B, 12, H/2, W/2) -> (B, C, H/2, W/2)
        if self.hint_intro is not None and mixed.shape[1] > 3:
            features = features + self.hint_intro(F.pixel_unshuffle(mixed[:, 3:], 2))
        return features

    def _streams(self, photo: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Features at half resolution → those of both layers."""
        known = self.backbone(photo) if self.joins is not None and self.backbone is not None else {}
        skips = []
        for level, (encoder, down) in enumerate(zip(self.encoders, self.downs, strict=True)):
            features = encoder(features)
            skips.append(features)
            features = down(features)
            if self.joins is not None:
                features = features + self.joins[level](known[_TAPS[level]])
        features = self.middle(features)  # (B, 6C, H/16, W/16)
        streams = (self.split[0](features), self.split[1](features))
        for decoder, skip in zip(self.decoders, reversed(skips), strict=True):
            streams = decoder(streams, skip)
        return streams


def _joins(backbone: Backbone, widths: tuple[int, ...]) -> nn.ModuleList:
    return nn.ModuleList(_silent(backbone.channels[tap], width, 1) for tap, width in zip(_TAPS, widths, strict=True))


def _silent(channels: int, out: int, kernel: int) -> nn.Conv2d:
    """A convolution that starts with the answer 0."""
    layer = nn.Conv2d(channels, out, kernel, padding=kernel // 2)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


def receptive_radius(encoder: tuple[int, ...], middle: int, decoder: tuple[int, ...], windows: int) -> int:
    """Pixels beyond which an input pixel cannot influence an output pixel, as the sum over levels of stride × 3×3 layers.

    ``windows``: sum of the radii of the local means, features at 1/16. Two more strides cover how features lie in blocks.
    """
    strides = (2, 4, 8)
    blocks = sum(stride * (e + d) for stride, e, d in zip(strides, encoder, reversed(decoder), strict=True))
    return blocks + 16 * (middle + windows) + 2 * 2 + 2 * 16


ENTRY = ModelEntry(
    build=Limpid,
    source="limpid's own; pieces after Chen et al., ECCV 2022 (NAFNet) and Hu & Guo, NeurIPS 2021 (mutual gates)",
    licence="Apache-2.0",
    tasks=("reflection",),
    layers=("transmission", "reflection"),
    sizes={
        "base": {},
        "large": {"encoder": (2, 6, 8), "middle": 11, "decoder": (4, 6, 3)},
        "features": {"encoder": (2, 6, 8), "middle": 11, "decoder": (4, 6, 3), "features": True, "fills": True, "hints": True},
        "tiny": {"width": 8, "encoder": (1, 1, 1), "middle": 1, "decoder": (1, 1, 1), "window": 3},
    },
)
