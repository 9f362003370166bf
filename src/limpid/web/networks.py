"""The networks that are served: found by name, loaded when they are first asked for, kept while there is room."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from limpid.errors import UnknownNameError
from limpid.layers.task import Task, find_task
from limpid.runtime.load import load_with
from limpid.runtime.memory import default_budget
from limpid.runtime.options import DeviceOptions
from limpid.runtime.photo_jobs import labelled
from limpid.runtime.separator import Separator
from limpid.web.stopping import watch
from limpid.weights import manifest


@dataclass(frozen=True, kw_only=True)
class Served:
    """One network by its ``label``; ``name``: shipped weights or a file."""

    label: str
    name: str
    task: Task


class Networks:
    """``models``: NAME, FILE or LABEL=FILE, of which all are loaded once to see that they can be; none: the shipped ones.

    ``budget``: bytes above the imported process; weights take at most half of it, but for the one network that runs. Raises what
    ``load`` raises.
    """

    def __init__(self, models: Sequence[str], device: DeviceOptions, budget: int | None = None) -> None:
        self._device, self.budget = device, default_budget() if budget is None else budget
        self._loaded: dict[str, Separator] = {}  # the one used last stands last
        self._guard = threading.Lock()
        if models:
            self.served = {label: self._named(label, name) for label, name in labelled(models).items()}
        else:
            self.served = {
                row.name: Served(label=row.name, name=row.name, task=find_task(row.default_for[0]))
                for row in manifest.rows().values()
                if row.default_for
            }

    def of(self, task: str) -> Mapping[str, Served]:
        """The networks of a task by label."""
        return {label: served for label, served in self.served.items() if served.task.name == task}

    @property
    def tasks(self) -> tuple[str, ...]:
        """What can be asked for."""
        return tuple(dict.fromkeys(served.task.name for served in self.served.values()))

    @property
    def loaded(self) -> tuple[str, ...]:
        """Labels of the networks in memory."""
        return tuple(self._loaded)

    def get(self, label: str, task: str | None = None) -> Separator:
        """A network by its label, ``default`` for the first one of a task. Raises UnknownNameError and what ``load`` raises."""
        known = self.served if task is None else self.of(task)
        if label == "default" and known:
            label = next(iter(known))
        if label not in known:
            raise UnknownNameError("model here" if task is None else f"model here for {task}", label, known)
        with self._guard:
            separator = self._loaded.pop(label, None) or self._load(known[label].name, known[label].task.name)
            self._loaded[label] = separator
            self._make_room()
        return separator

    def _named(self, label: str, name: str) -> Served:
        separator = self._load(name, None)
        self._loaded[label] = separator
        self._make_room()
        return Served(label=label, name=name, task=separator.task)

    def _load(self, name: str, task: str | None) -> Separator:
        separator = load_with(name, self._device, task)
        watch(separator.network)
        return separator

    def _make_room(self) -> None:
        while len(self._loaded) > 1 and sum(map(_bytes, self._loaded.values())) > self.budget / 2:
            del self._loaded[next(iter(self._loaded))]


def _bytes(separator: Separator) -> int:
    return sum(parameter.nbytes for parameter in separator.network.parameters())
