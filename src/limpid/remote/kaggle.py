"""``limpid remote kaggle``: the folder of a notebook and its code, pushed with Kaggle's own client, and the runs fetched back."""

import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from limpid.errors import LimpidError, UsageError
from limpid.progress import say
from limpid.remote.notebook import notebook, write_notebook
from limpid.remote.options import KaggleOptions
from limpid.remote.parcel import Parcel, check_parcel, pack, train_words

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{3,48})[a-z0-9]")
_SET = re.compile(r"([A-Z][A-Z0-9_]*)=([\w-]+/[\w-]+)((?:/[^/]+)*)/?")
_PATIENCE = 600.0  # seconds until Kaggle has unpacked the code
_PAUSE = 5.0


class KaggleError(LimpidError):
    """Kaggle's client is missing, has no credentials, or failed; what it said is in the text."""


@dataclass(frozen=True, kw_only=True)
class _Names:
    """What things are called on Kaggle."""

    notebook: str
    code: str


def build(options: KaggleOptions) -> Path:
    """Write what is pushed into a folder: ``code/`` (a private data set) and ``kernel/`` (the notebook); returns the folder.

    Nothing is sent, and nothing secret is written: keys stay with Kaggle's client and Kaggle's secrets. Raises UsageError for a
    place of the recipe that no ``data`` names, and what ``check_parcel`` raises.
    """
    names, sets = _names(options), _sets(options)
    parcel = check_parcel(options, tuple(sets))
    if parcel.places:
        name = min(parcel.places)
        raise UsageError(f"${name} has no folder on Kaggle; say --data {name}=OWNER/SET, the data set that holds it there")
    folder = options.folder / names.notebook.partition("/")[2]
    code, kernel = folder / "code", folder / "kernel"
    pack(parcel, code, code=options.git is None)
    for wheel in options.wheels.glob("*.whl") if options.wheels is not None else ():
        shutil.copyfile(wheel, code / wheel.name)
    _write(
        code / "dataset-metadata.json", {"title": names.code.partition("/")[2], "id": names.code, "licenses": [{"name": "other"}]}
    )
    kernel.mkdir(parents=True, exist_ok=True)
    write_notebook(_notebook(options, parcel, sets), kernel / "train.ipynb")
    _write(kernel / "kernel-metadata.json", _metadata(options, names, sets))
    return folder


def push(options: KaggleOptions) -> str:
    """Build the folder, send it to Kaggle and start the notebook; returns its address. Raises KaggleError, and as ``build``."""
    client, names = _client(), _names(options)
    if not _has_credentials():
        raise KaggleError(
            "Kaggle's client has no credentials; `kaggle auth login`, or set KAGGLE_API_TOKEN, or KAGGLE_USERNAME and KAGGLE_KEY"
        )
    folder = build(options)
    there = _call(client, "datasets", "status", names.code, may_fail=True)
    code = str(folder / "code")
    if there is None:
        _call(client, "datasets", "create", "-p", code)
    else:
        _call(client, "datasets", "version", "-p", code, "-m", "limpid remote")
    until = time.monotonic() + _PATIENCE
    while "ready" not in (_call(client, "datasets", "status", names.code, may_fail=True) or ""):
        if time.monotonic() > until:
            raise KaggleError(f"Kaggle has not unpacked {names.code} in {_PATIENCE:.0f} seconds; look there, then push again")
        time.sleep(_PAUSE)
    accelerator = ["--accelerator", options.accelerator] if options.accelerator is not None else []
    _call(client, "kernels", "push", "-p", str(folder / "kernel"), *accelerator)
    return f"https://www.kaggle.com/code/{names.notebook}"


def status(options: KaggleOptions) -> str:
    """What Kaggle says of the notebook, in one line. Raises KaggleError."""
    return " ".join((_call(_client(), "kernels", "status", _names(options).notebook) or "").split())


def pull(options: KaggleOptions) -> list[Path]:
    """Fetch the runs of the notebook into ``options.out``; returns their folders.

    Raises KaggleError when there is nothing to fetch, UsageError for runs that are here already.
    """
    names = _names(options)
    with tempfile.TemporaryDirectory(prefix="limpid-") as name:
        _call(_client(), "kernels", "output", names.notebook, "-p", name)
        archive, runs = Path(name, "runs.tgz"), Path(name, "unpacked")
        if not archive.is_file():
            raise KaggleError(f"{names.notebook} has left no runs.tgz; see --status, or its log on Kaggle")
        try:
            with tarfile.open(archive) as packed:
                packed.extractall(runs, filter="data")
            found = sorted(path for path in (runs / "runs").iterdir() if path.is_dir())
        except (tarfile.TarError, OSError, EOFError) as error:
            raise KaggleError(f"the runs.tgz of {names.notebook} is damaged ({' '.join(str(error).split())[:100]})") from error
        held = [path.name for path in found if (options.out / path.name).exists()]
        if held and not options.overwrite:
            raise UsageError(f"{options.out / held[0]} exists; add --overwrite to replace it, or choose another --out")
        for path in found:
            target = options.out / path.name
            if target.exists():
                shutil.rmtree(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(str(path), str(target))
        return [options.out / path.name for path in found]


def _names(options: KaggleOptions) -> _Names:
    name = options.name or re.sub(
        r"[^a-z0-9]+", "-", f"limpid-{'-'.join(Path(one).stem for one in options.recipes)}".lower()
    ).strip("-")
    if not _SLUG.fullmatch(name):
        raise UsageError(f"{name!r} is no name of a notebook: 5 to 50 small letters, digits and dashes; give another with --name")
    if not re.fullmatch(r"[\w-]+", options.user):
        raise UsageError(f"{options.user!r} is no user of Kaggle: letters, digits and dashes")
    return _Names(notebook=f"{options.user}/{name}", code=f"{options.user}/{name[:44].rstrip('-')}-code")


def _sets(options: KaggleOptions) -> Mapping[str, tuple[str, str]]:
    """Name of a place → the data set that holds it, and the folder where it lies in the notebook."""
    sets: dict[str, tuple[str, str]] = {}
    for text in options.data:
        match = _SET.fullmatch(text)
        if match is None or ".." in text:
            raise UsageError(f"--data {text}: write NAME=OWNER/SET, or NAME=OWNER/SET/FOLDER for a folder in the set")
        name, owner_set, below = match.groups()
        sets[name] = (owner_set, f"/kaggle/input/{owner_set.partition('/')[2]}{below}")
    return sets


def _notebook(options: KaggleOptions, parcel: Parcel, sets: Mapping[str, tuple[str, str]]) -> Mapping[str, object]:
    places = [f"{name}={folder}" for name, (_, folder) in sets.items()]
    init = parcel.init.name if parcel.init is not None else options.init
    commands = []
    for recipe, run in zip(parcel.recipes, parcel.names, strict=True):
        mine = [place for place in places if place.partition("=")[0] in parcel.places_of[recipe]]
        commands.append((run, train_words(options, recipe, None, mine), init))
    first = next(iter(parcel.recipes))
    return notebook(first, commands, git=options.git, offline=options.offline, wandb=options.wandb, resume=options.resume)


def _metadata(options: KaggleOptions, names: _Names, sets: Mapping[str, tuple[str, str]]) -> Mapping[str, object]:
    """Source: Kaggle's client, kernel-metadata.json."""
    return {
        "id": names.notebook,
        "title": names.notebook.partition("/")[2],
        "code_file": "train.ipynb",
        "language": "python",
        "kernel_type": "notebook",
        "is_private": True,
        "enable_gpu": not options.cpu,
        "enable_tpu": False,
        "enable_internet": not options.offline,
        "dataset_sources": list(dict.fromkeys([names.code, *(owner_set for owner_set, _ in sets.values())])),
        "competition_sources": [],
        "kernel_sources": [names.notebook] if options.resume else [],
        "model_sources": [],
    }


def _write(path: Path, content: Mapping[str, object]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _client() -> str:
    client = shutil.which("kaggle")
    if client is None:
        raise KaggleError("Kaggle's client is not on the PATH; run: pip install kaggle six")
    return client


def _has_credentials() -> bool:
    """Whether the client will find a key; none is read here. Source: kagglesdk, kaggle_env."""
    if os.environ.get("KAGGLE_API_TOKEN") or (os.environ.get("KAGGLE_USERNAME") and os.environ.get("KAGGLE_KEY")):
        return True
    folders = [Path(os.environ.get("KAGGLE_CONFIG_DIR") or Path.home() / ".kaggle"), Path.home() / ".kaggle"]
    return any((folder / name).is_file() for folder in folders for name in ("kaggle.json", "access_token", "credentials.json"))


def _call(client: str, *words: str, may_fail: bool = False) -> str | None:
    """What the client printed; None when it failed and may. Raises KaggleError: it says errors with exit code 0, too."""
    done = subprocess.run([client, *words], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    said = f"{done.stdout}\n{done.stderr}".strip()
    sends = words[1] in ("push", "create", "version")
    if done.returncode or (sends and re.search(r"\berror\b", done.stdout, re.IGNORECASE)):
        if may_fail:
            return None
        raise KaggleError(f"kaggle {' '.join(words[:2])} failed: {' '.join(said.split())[:300] or done.returncode}")
    if sends:
        say(" ".join(done.stdout.split())[:300])
    return done.stdout
