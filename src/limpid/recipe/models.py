"""What every recipe has, whatever network, data and losses it names: frozen values, unknown keys refused.

Settings of catalogued things are kept as they came (``Named.settings``); ``limpid.recipe.settings`` checks them against the
signature of the entry. Nothing here imports torch.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from limpid.catalogue import Settings
from limpid.epochs import at

Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Weight = Number | Annotated[dict[Annotated[int, Field(ge=0)], Number], Field(min_length=1)]
"""A number, or ``{epoch: number}``; see ``limpid.epochs.at``."""
Kind = Literal["synthetic", "aligned", "unaligned", "unpaired"]
"""As in ``limpid.layers.batch``, which loads torch."""
Name = Annotated[str, Field(min_length=1)]
Items = Field(strict=False)
"""For tuples and paths, which YAML writes as lists and texts."""


class Section(BaseModel):
    """A part of a recipe."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        if cls.model_config.get("extra") == "forbid" and isinstance(data, Mapping):
            known = [field.alias or name for name, field in cls.model_fields.items()]
            for key in data:
                if key not in known:
                    raise PydanticCustomError("unknown_key", "unknown key {wanted}", {"wanted": str(key), "known": known})
        return data


class Named(Section):
    """A catalogued thing by name; every key that is not listed here is a setting of its entry."""

    model_config = ConfigDict(extra="allow")

    name: Name
    """Its name in the catalogue."""

    @property
    def settings(self) -> Settings:
        """Settings of the entry, unchecked."""
        return self.model_extra or {}


class Model(Named):
    """The network to train."""

    size: str | None = None
    """A named size of the network; null: its first one. Further settings override those of the size."""


def _labelled(data: Any) -> Any:
    """A thing's name as its label, unless it has one."""
    return {"label": data["name"], **data} if isinstance(data, Mapping) and "name" in data else data


class Item(Named):
    """A source of pairs."""

    weight: Weight = 1.0
    """Share of the items of an epoch, relative to the other sources: a number or {epoch: number}. Training only."""
    count: Count | None = None
    """Use so many pairs, the first ones; null: all."""
    label: Name = ""
    """What ``sources`` of losses call it; its name unless given."""

    @model_validator(mode="before")
    @classmethod
    def _label(cls, data: Any) -> Any:
        return _labelled(data)


class Term(Named):
    """A loss and what it is applied to."""

    weight: Weight = 1.0
    """Factor in the sum of losses: a number or {epoch: number}."""
    on: Annotated[tuple[Name, ...], Items] | dict[Name, Number] | None = None
    """Layers that it compares with their truth: a list, or {layer: factor}; null for losses that look at the whole scene."""
    only: Annotated[tuple[Kind, ...], Items] = ("synthetic", "aligned")
    """Kinds of pairs that it is computed on."""
    sources: Annotated[tuple[Name, ...], Items] = ()
    """Labels of the sources in data.train whose pairs it is computed on; none: those of all."""
    steps: Annotated[tuple[Number, ...], Items] = ()
    """Weights of the intermediate answers LAYER_1, LAYER_2, … that are compared in place of the layer; none: the layer."""
    label: Name = ""
    """What logs call it; its name unless given."""

    @model_validator(mode="before")
    @classmethod
    def _label(cls, data: Any) -> Any:
        return _labelled(data)

    @property
    def layers(self) -> Mapping[str, float]:
        """Layer → factor; empty for a loss of the whole scene."""
        return dict(self.on) if isinstance(self.on, Mapping) else dict.fromkeys(self.on or (), 1.0)

    def weight_at(self, epoch: int) -> float:
        """Factor in an epoch, counted from 0."""
        return at(self.weight, epoch)


class Data(Section):
    """Pairs to train on, to choose the best epoch by, and to report on."""

    train: Annotated[tuple[Item, ...], Items] = Field(min_length=1)
    """Sources that training draws from, by their weights."""
    augment: dict[str, Any] | None = None
    """Resizing, cropping, flipping: given to each training source that takes it and sets none itself."""
    validation: Annotated[tuple[Item, ...], Items] = Field(default=(), alias="validate")
    """Pairs that choose the best epoch; never a test set."""
    test: dict[Name, Item] = Field(default_factory=dict)
    """Name → pairs that are scored after each epoch and choose nothing."""
    epoch: Count | None = None
    """Items per epoch; null: as many as the training sources hold together."""
    batch: Count = 1
    """Photos per step and device."""
    workers: Annotated[int, Field(ge=0)] = 1
    """Processes that prepare photos; 0: the training process itself."""

    @field_validator("validation", "test")
    @classmethod
    def _unweighted(cls, items: Any) -> Any:
        for item in items.values() if isinstance(items, Mapping) else items:
            if item.weight != 1.0:
                raise PydanticCustomError("senseless", "only training sources have a weight; leave it out or use count")
        return items


class Rated(Section):
    """What all optimisers share."""

    rate: Weight
    """Learning rate: a number or {epoch: number}."""
    decay: Number = 0.0
    """Weight decay; AdamW's is decoupled from the gradient."""
    parts: dict[Name, Number] = Field(default_factory=dict)
    """Part of the network → factor on its rate, e.g. {backbone: 0.1}; parts within parts go by dots."""

    def rate_at(self, epoch: int) -> float:
        """Learning rate in an epoch, counted from 0, before the schedule."""
        return at(self.rate, epoch)


class Adam(Rated):
    """Adam (Kingma & Ba, ICLR 2015) and AdamW (Loshchilov & Hutter, ICLR 2019)."""

    name: Literal["adam", "adamw"]
    betas: Annotated[tuple[Share, Share], Items] = (0.9, 0.999)
    """Decay of the running means of gradient and squared gradient, per step."""


class Sgd(Rated):
    """Stochastic gradient descent."""

    name: Literal["sgd"]
    momentum: Share = 0.0
    """Share of the last step that is repeated."""


Optimiser = Annotated[Adam | Sgd, Field(discriminator="name")]


class Constant(Section):
    """The rate as the optimiser states it."""

    name: Literal["constant"] = "constant"


class Cosine(Section):
    """Linear warm-up, then half a cosine over the whole run."""

    name: Literal["cosine"]
    warmup: Annotated[int, Field(ge=0)] = 0
    """Steps until the full rate is reached."""
    floor: Share = 0.0
    """Share of the rate that is left in the last step."""


class Oscillating(Section):
    """Cosine down and up again, for ever."""

    name: Literal["oscillating"]
    half_period: Count
    """Steps from the full rate to the floor."""
    floor: Share = 0.0
    """Share of the rate at the lowest."""


class Plateau(Section):
    """The rate falls when validation stops getting better."""

    name: Literal["plateau"]
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """What the rate is multiplied by."""
    patience: Annotated[int, Field(ge=0)] = 5
    """Epochs without a better score that are waited for."""


class Step(Section):
    """The rate falls at fixed epochs."""

    name: Literal["step"]
    every: Count | None = None
    """Epochs between two falls; null: at those of ``at`` alone."""
    at: Annotated[tuple[Count, ...], Items] = ()
    """Epochs, counted from 0, from which on it is lower."""
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    """What the rate is multiplied by at each of them."""


class Linear(Section):
    """Linear warm-up, the full rate for a while, then linearly down to the end of the run."""

    name: Literal["linear"]
    warmup: Annotated[int, Field(ge=0)] = 0
    """Steps until the full rate is reached."""
    steady: Annotated[int, Field(ge=0)] = 0
    """Epochs at the full rate before it begins to fall."""
    floor: Share = 0.0
    """Share of the rate that is left in the last step."""


class Restarts(Section):
    """Half a cosine down, then from the full rate again, as often as there are steps for."""

    name: Literal["restarts"]
    period: Count
    """Steps of the first period."""
    growth: Count = 1
    """How many times as long as the one before every further period is."""
    floor: Share = 0.0
    """Share of the rate at the lowest."""


Schedule = Annotated[Constant | Cosine | Oscillating | Plateau | Step | Linear | Restarts, Field(discriminator="name")]


class Train(Section):
    """How long, how precisely and on what to train."""

    epochs: Annotated[int, Field(ge=0)] = 60
    """Epochs of the whole run."""
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    """Of the forward and backward pass; weights stay float32."""
    ema: Annotated[float, Field(ge=0, lt=1)] | None = 0.999
    """Share of the average of the weights that each step keeps; null: no average."""
    clip: Annotated[float, Field(gt=0)] | None = None
    """Longest norm of the gradient; null: unlimited."""
    patience: Count | None = None
    """Epochs without a better validation score after which the run ends early; null: it never does."""
    init: str | None = None
    """Weights that the network starts from, by their shipped name or as a file; null: random ones. `--init` comes before it."""
    frozen: Annotated[tuple[Name, ...], Items] = ()
    """Parts of the network that keep the weights that they start with."""
    trained: Annotated[tuple[Name, ...], Items] = ()
    """Pretrained backbones that learn too, which they do not by themselves; see ``optimiser.parts`` for a rate of their own."""
    init_type: Literal["default", "normal", "xavier", "kaiming", "orthogonal"] = "default"
    """How weights of convolutions and matrices are drawn where no file fills them; default: as each network's authors do."""
    init_gain: Annotated[float, Field(gt=0)] = 0.02
    """Standard deviation of ``normal``, gain of ``xavier`` and ``orthogonal``."""
    checkpointing: bool = False
    """Compute blocks again in the backward pass instead of keeping their activations: less memory, about a third more time."""
    accumulate: Count = 1
    """Batches whose gradients make one step."""
    devices: Count = 1
    """Devices that train together, each on its own batch; of each machine where there are several."""
    nodes: Count = 1
    """Machines that train together."""
    strategy: Literal["ddp", "fsdp"] = "ddp"
    """ddp: each process holds the whole network; fsdp: a share of its weights, gradients and moments."""
    threads: Count | None = None
    """Computing threads of each process; null: PyTorch's choice."""
    compile: bool = False
    """Compile the network first (torch.compile, minutes), on a CUDA device into CUDA graphs; all batches must have one size."""


class Log(Section):
    """What a run writes beside its weights."""

    every: Count = 50
    """Steps between two lines of the losses."""
    images: Annotated[int, Field(ge=0)] = 10
    """Photos whose layers are written after each epoch; 0: none."""
    photos: Annotated[Path, Items] | None = None
    """Folder of photos to take for that; null: the first training inputs."""
    keep: Annotated[int, Field(ge=0)] = 2
    """Weights of the best epochs that are kept, in float16."""
    save_every: Annotated[int, Field(ge=0)] = 0
    """Epochs between two weights that are kept beside the best and the last; 0: none, which saves disk."""
    state_every: Annotated[int, Field(ge=0)] = 0
    """Epochs between two states that are kept with their optimiser, for `--resume --from-epoch N`; 0: none but the last."""
    curves: bool = True
    """Draw the curves of losses, scores and rates as `curves.png` when the run ends."""
    history: Annotated[int, Field(ge=0)] = 20
    """Past epochs whose images, weights of ``save_every`` and states of ``state_every`` are kept; 0: all."""


class Recipe(Section):
    """Everything that a training run is made of."""

    name: Name
    """What the run is called: the folder under runs/."""
    source: str = ""
    """Where the method and its constants come from: authors, venue, identifier."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Of every random draw."""
    comment: str = ""
    """Free text, kept with the run."""
    model: Model
    """The network to train."""
    task: Name | None = None
    """What it is trained for; null: what the network is usually for."""
    data: Data
    """What it is trained and validated on."""
    procedure: Named = Named(name="supervised")
    """Which networks are optimised and in which order."""
    losses: Annotated[tuple[Term, ...], Items] = Field(min_length=1)
    """Terms of the sum that is minimised."""
    optimiser: Optimiser
    """How the network's weights move."""
    discriminator: Optimiser | None = None
    """How the discriminator's weights move in adversarial training; null where there is none."""
    schedule: Schedule = Constant(name="constant")
    """How the learning rate changes from step to step."""
    train: Train = Train()
    """How long, how precisely and on what to train."""
    log: Log = Log()
    """What the run writes beside its weights."""

    @model_validator(mode="after")
    def _known_sources(self) -> Self:
        known = sorted({item.label for item in self.data.train})
        for wanted in (name for term in self.losses for name in term.sources):
            if wanted not in known:
                context = {"wanted": repr(wanted), "known": ", ".join(known)}
                raise PydanticCustomError("senseless", "a loss names the source {wanted}; data.train has {known}", context)
        return self

    @field_validator("losses")
    @classmethod
    def _labels(cls, losses: tuple[Term, ...]) -> tuple[Term, ...]:
        labels = [term.label for term in losses]
        twice = next((label for label in labels if labels.count(label) > 1), None)
        if twice is not None:
            raise PydanticCustomError("senseless", "two losses are called {label}; give one another label", {"label": repr(twice)})
        return losses
