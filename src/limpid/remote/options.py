"""The options of ``limpid remote``: what is trained elsewhere, and where."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from limpid.errors import UsageError
from limpid.options import option


@dataclass(frozen=True, kw_only=True)
class RemoteOptions:
    """Which recipes are run on another machine, one after the other, and how.

    ``words``: names or files of recipes, and overrides ``KEY=VALUE`` for all of them; ``init``: weights to start from, the name of
    shipped ones or a file, which travels along.
    """

    words: Sequence[str] = option(..., "Recipes, and overrides for all of them.", argument=True, metavar="RECIPE… [KEY=VALUE]…")
    max_minutes: float | None = option(None, "Stop each run after so many minutes, resumable.", minimum=0.0)
    init: str | None = option(None, "Weights to start from: a shipped NAME, or a FILE.")
    backbone_weights: str | None = option(None, "Of pretrained backbones there: pretrained or none.")
    comment: str | None = option(None, "A note that stays with the runs.")
    wandb: bool = option(False, "Also log to Weights & Biases; the key stays with its owner.")
    cpu: bool = option(False, "Train on a CPU there.")

    @property
    def recipes(self) -> tuple[str, ...]:
        """The recipes among the words."""
        return tuple(word for word in self.words if "=" not in word)

    @property
    def overrides(self) -> tuple[str, ...]:
        """The overrides among the words."""
        return tuple(word for word in self.words if "=" in word)


@dataclass(frozen=True, kw_only=True)
class BundleOptions(RemoteOptions):
    """The same in a zip that runs on any machine with Python."""

    output: Path = option(Path("bundle.zip"), "Zip to write.", "--output", "-o")
    overwrite: bool = option(False, "Replace the zip if it exists.")


@dataclass(frozen=True, kw_only=True)
class KaggleOptions(RemoteOptions):
    """The same in a notebook on Kaggle.

    ``user``: whose account; ``name``: of the notebook, ``limpid-RECIPE`` without one; ``data``: places of the recipe and the data
    sets that hold them there; ``git``: code to install in place of this one's wheel; ``folder``: takes what is to be pushed.
    Raises UsageError for options that contradict each other.
    """

    user: str = option(..., "Owner of the notebook on Kaggle.", "--user", "-u")
    name: str | None = option(None, "Name of the notebook (limpid-RECIPE).", "--name", "-n")
    data: Sequence[str] = option((), "Where a place of the recipe lies; repeatable.", metavar="NAME=OWNER/SET[/FOLDER]")
    git: str | None = option(None, "Install this code instead of a wheel of the code here.", metavar="URL[@BRANCH]")
    folder: Path = option(Path("remote"), "Folder for what is pushed; this one goes to FOLDER/NAME.")
    out: Path = option(Path("runs"), "Folder of runs that --pull unpacks into.")
    accelerator: str | None = option(None, "Of Kaggle, e.g. NvidiaTeslaT4.")
    resume: bool = option(False, "Go on with the runs of the notebook's last version.")
    offline: bool = option(False, "No internet in the notebook; libraries come from --wheels.")
    wheels: Path | None = option(None, "Folder of wheels that the notebook needs without internet.")
    push: bool = option(False, "Send it to Kaggle and start it; without this nothing leaves this machine.")
    status: bool = option(False, "Say how the notebook is doing.")
    pull: bool = option(False, "Fetch its runs into OUT.")
    overwrite: bool = option(False, "Replace runs of the same names that --pull finds here.")

    def __post_init__(self) -> None:
        if sum((self.push, self.status, self.pull)) > 1:
            raise UsageError("--push, --status and --pull are three commands; give one of them")
        if self.git is not None and self.offline:
            raise UsageError("--git needs the internet in the notebook; leave out --offline")
        if self.wheels is not None and not self.offline:
            raise UsageError("--wheels belongs to --offline")
