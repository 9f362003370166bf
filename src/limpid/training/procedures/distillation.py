"""Distillation: a student learns from the truth and from a frozen teacher at once.

Optimised: the network (student), once per step. Losses: every term of layers and scenes against the truth, plus terms against the
teacher: its layers (``pixel_distillation``) and the activations of named modules (``feature_distillation``). Order: teacher without
gradient, student, sum. The activations are those of trainable modules, so the feature term moves the student; the published one
compares maps of frozen backbones and moves nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from limpid.catalogue import Entry
from limpid.checkpoints import file
from limpid.errors import SettingError, UnknownNameError
from limpid.layers.batch import Batch
from limpid.layers.separation import Separation
from limpid.losses.feature_distillation import FeatureDistillation
from limpid.training.objective import LossValue, Objective
from limpid.training.procedure import separate, unwrapped
from limpid.training.schedules import cosine

STAGES = ("conv1", "conv4", "conv7", "conv9")
"""Of the hypercolumn networks: modules whose outputs are compared by default, all trainable and alike in every backbone."""


class Distillation:
    """Student and teacher see the same photo.

    ``teacher``: its checkpoint, ours or a published one; its architecture is recognised. ``modules``: names of modules of
    the student whose outputs are compared, or student's name → teacher's name. ``decay``: epochs (a, b) between which all
    teacher terms fade by half a cosine; None keeps them. Raises SettingError without a teacher term, and
    UnknownNameError for a module that is not there.
    """

    needs_start = False
    one_forward = False

    def __init__(
        self,
        *,
        network: nn.Module,
        objective: Objective,
        teacher: Path,
        modules: tuple[str, ...] | dict[str, str] = STAGES,
        decay: tuple[int, int] | None = None,
    ) -> None:
        self.terms = objective.others("teacher")
        if not self.terms or objective.others("logits"):
            raise SettingError(
                "the procedure distillation needs a pixel_distillation or feature_distillation loss and no adversarial one"
            )
        self.networks: dict[str, nn.Module] = {"network": network}
        self.objective, self.decay = objective, decay
        self.teacher = file.build(file.read(teacher), source=str(teacher)).requires_grad_(False)
        self.frozen = (self.teacher,)
        self.notes: Mapping[str, str] = {}
        self.modules = dict(modules) if isinstance(modules, Mapping) else {name: name for name in modules}
        self._fit(unwrapped(network))

    def order(self, step: int, epoch: int) -> tuple[str, ...]:
        """The student, always."""
        return ("network",)

    def loss(self, name: str, batch: Batch, epoch: int) -> LossValue:
        """All terms; what the teacher shows carries no gradient."""
        student = unwrapped(self.networks["network"])
        with watching(student, self.modules) as seen:
            layers = separate(self.networks["network"], batch.seen)
        with torch.no_grad(), watching(self.teacher, self.modules.values()) as known:
            target: Separation = self.teacher(batch.input)
        loss: LossValue = self.objective(layers, batch, epoch)
        renamed = {mine: known[theirs] for mine, theirs in self.modules.items() if theirs in known}
        for term in self.terms:
            weight = term.weight(epoch) * self.scale(epoch)
            features = isinstance(term.loss, FeatureDistillation)
            value = term.against(seen if features else layers, renamed if features else target)
            loss = loss + LossValue(total=weight * value, parts={term.label: value.detach()})
        return loss

    def scale(self, epoch: int) -> float:
        """Factor on the teacher's terms in an epoch."""
        if self.decay is None:
            return 1.0
        begin, end = self.decay
        return cosine(max(0, epoch - begin), end - begin, warmup=0, floor=0.0)

    def _fit(self, student: nn.Module) -> None:
        """Give the feature terms projectors between the widths that the modules turn out to have."""
        widths = []
        for network, names in ((student, list(self.modules)), (self.teacher, list(self.modules.values()))):
            training = network.training
            with torch.no_grad(), watching(network.eval(), names) as seen:
                network(torch.zeros(1, 3, 64, 64))
            network.train(training)
            widths.append([seen[name].shape[1] for name in names])
        pairs = {name: (mine, theirs) for name, mine, theirs in zip(self.modules, *widths, strict=True)}
        for term in self.terms:
            if isinstance(term.loss, FeatureDistillation):
                term.loss.fit(pairs)


@contextmanager
def watching(network: nn.Module, names: Iterable[str]) -> Iterator[dict[str, Tensor]]:
    """Collect the outputs of named modules while the block runs; copies where no gradient is wanted, as those are written over."""
    known = dict(network.named_modules())
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[nn.Module, object, Tensor], None]:
        def hook(module: nn.Module, inputs: object, output: Tensor) -> None:
            seen[name] = output if output.requires_grad else output.clone()

        return hook

    with ExitStack() as stack:
        for name in names:
            if name not in known:
                raise UnknownNameError("module", name, [module for module in known if module])
            handle = known[name].register_forward_hook(keep(name))
            stack.callback(handle.remove)
        yield seen


ENTRY = Entry(build=Distillation, source="Hinton et al., arXiv:1503.02531; Romero et al. (FitNets), ICLR 2015; PINTO0309 (weights)")
