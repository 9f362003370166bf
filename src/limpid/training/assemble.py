"""From a checked recipe to things that run: every name is looked up in the catalogue, every setting checked against its owner."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from limpid import catalogue
from limpid.backbones._backbone import Backbone
from limpid.blocks.weight_init import fill as fill_weights
from limpid.catalogue import Settings
from limpid.data.augment import Augment
from limpid.data.stream import Source, Stream
from limpid.errors import SettingError, UsageError
from limpid.layers.network import LayerNetwork
from limpid.layers.task import Task, find_task
from limpid.physics.seeds import torch_seed
from limpid.progress import say
from limpid.recipe.errors import located, unknown
from limpid.recipe.load import Loaded
from limpid.recipe.models import Item
from limpid.recipe.models import Term as TermWish
from limpid.recipe.settings import arguments, built, validated
from limpid.training.objective import Objective, Term
from limpid.training.procedure import FabricModule, Procedure
from limpid.training.validation import Part, ScoredSet


@dataclass(frozen=True, kw_only=True)
class Assembly:
    """What a recipe names, made: its task, network (bare and as a module), procedure, training items, sets to be scored on.

    ``settings``: those that the network was built with, for its checkpoints.
    """

    task: Task
    settings: Settings
    network: LayerNetwork
    procedure: Procedure
    sources: Sequence[Source]
    stream: Stream
    sets: Sequence[ScoredSet]


def assemble(loaded: Loaded) -> Assembly:
    """Make everything that a recipe names; equal seeds make equal networks, whose backbones are still to be filled.

    Raises the errors of whoever finds a fault in its settings, with the place in the recipe.
    """
    recipe, task = loaded.recipe, task_of(loaded)
    sources = data_sources(loaded)
    weights = [item.weight for item in recipe.data.train]
    stream = Stream(
        list(zip(sources, weights, strict=True)),
        epochs=recipe.train.epochs,
        seed=recipe.seed,
        length=recipe.data.epoch,
        labels=[item.label for item in recipe.data.train],
    )
    sets = scored_sets(loaded)
    torch.manual_seed(torch_seed(recipe.seed, "network"))
    settings, network = _network(loaded)
    _choose_trained(loaded, network)
    fill_weights(network, recipe.train.init_type, recipe.train.init_gain)
    objective = Objective([_term(loaded, place, options, task.layers) for place, options in enumerate(recipe.losses)])
    procedure: Procedure = built(
        "procedures",
        recipe.procedure.name,
        recipe.procedure.settings,
        given={"network": FabricModule(network), "objective": objective},
        where=loaded.where("procedure"),
    )
    if "discriminator" in procedure.networks and recipe.discriminator is None:
        raise UsageError(
            f"{loaded.where('procedure')}: {recipe.procedure.name} has a discriminator; give its optimiser as `discriminator:`"
        )
    return Assembly(
        task=task,
        settings=settings,
        network=network,
        procedure=procedure,
        sources=sources,
        stream=stream,
        sets=sets,
    )


def task_of(loaded: Loaded) -> Task:
    """What a recipe trains for: as it says, or what its network is usually for. Raises UsageError when the network cannot do it."""
    tasks = catalogue.find("models", loaded.recipe.model.name).tasks
    wanted = loaded.recipe.task or tasks[0]
    if wanted not in tasks:
        raise unknown(loaded.where("task"), f"task of {loaded.recipe.model.name}", wanted, tasks)
    return find_task(wanted)


def data_sources(loaded: Loaded) -> list[Source]:
    """The training sources of a recipe, each with the recipe's augmentation unless it has its own."""
    data = loaded.recipe.data
    augment = None if data.augment is None else Augment(**validated(Augment, data.augment, where=loaded.where("data", "augment")))
    return [_source(loaded, ("data", "train", place), item, augment) for place, item in enumerate(data.train)]


def scored_sets(loaded: Loaded) -> list[ScoredSet]:
    """``validation``, which chooses the best epoch, where there is one, and the test sets by name, which never choose."""
    data = loaded.recipe.data
    held_out = [_part(loaded, ("data", "validate", place), item, place) for place, item in enumerate(data.validation)]
    tests = {label: [_part(loaded, ("data", "test", label), item, 0)] for label, item in data.test.items()}
    chosen = {"validation": held_out} if held_out else {}
    return [ScoredSet(label=label, task=task_of(loaded), parts=parts) for label, parts in (*chosen.items(), *tests.items())]


def _part(loaded: Loaded, path: tuple[str | int, ...], item: Item, place: int) -> Part:
    return Part(source=_source(loaded, path, item, None), seed=loaded.recipe.seed + place, count=item.count)


def fill(procedure: Procedure, weights: str) -> None:
    """Fill every backbone of network, losses and teacher: ``pretrained``, ``none`` (random) or the path of a file or folder.

    Raises UsageError when weights are named and there is none to fill, and WeightsError when they cannot be had.
    """
    modules = (*procedure.networks.values(), procedure.objective, *procedure.frozen)
    backbones = {id(found): found for module in modules for found in module.modules() if isinstance(found, Backbone)}
    if not backbones and weights != "pretrained":
        raise UsageError(f"this recipe has no backbone to fill; leave out --backbone-weights {weights}")
    for backbone in backbones.values():
        backbone.fill(weights)
    if any(backbone.origin == "none" for backbone in backbones.values()):
        say("note: backbones hold random numbers, as --backbone-weights none asks for; this is for tests, not for results")


def _network(loaded: Loaded) -> tuple[Settings, LayerNetwork]:
    options, where = loaded.recipe.model, loaded.where("model")
    settings = arguments("models", options.name, options.settings, size=options.size, where=where)
    entry = catalogue.find("models", options.name)
    with located(where):
        return settings, entry.build(**settings)


def _choose_trained(loaded: Loaded, network: nn.Module) -> None:
    """Which parts learn: all but backbones by default."""
    parts = dict(network.named_children())
    for key, wanted in (("trained", loaded.recipe.train.trained), ("frozen", loaded.recipe.train.frozen)):
        for name in wanted:
            if name not in parts:
                raise unknown(loaded.where("train", key), "part of this network", name, tuple(parts))
            parts[name].requires_grad_(key == "trained")


def _source(loaded: Loaded, path: tuple[str | int, ...], item: Item, augment: Augment | None) -> Source:
    given = {"augment": augment, "seed": loaded.recipe.seed, "task": task_of(loaded)}
    source: Source = built("sources", item.name, item.settings, given=given, where=loaded.where(*path))
    return source


def _term(loaded: Loaded, place: int, options: TermWish, layers: tuple[str, ...]) -> Term:
    where = loaded.where("losses", place)
    loss = built("losses", options.name, options.settings, where=where)
    takes = catalogue.find("losses", options.name).takes
    if takes is None:
        raise UsageError(f"{where}: {options.name} is no loss that a recipe can name")
    if takes != "layer" and options.on:
        raise SettingError(f"{where / 'on'}: {options.name} looks at more than one layer; leave out `on`")
    chosen = (options.layers or {layers[0]: 1.0}) if takes == "layer" else {}
    for name in chosen:
        if name not in layers:
            raise unknown(where / "on", "layer of this network", name, layers)
    return Term(
        loss=loss,
        takes=takes,
        label=options.label,
        weight=options.weight_at,
        layers=chosen,
        kinds=options.only,
        sources=options.sources,
        steps=tuple(float(weight) for weight in options.steps),
    )
