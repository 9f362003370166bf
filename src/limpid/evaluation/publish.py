"""``limpid publish``: a folder that a model hub takes, from any weight file that is known here."""

import json
import re
from dataclasses import asdict, replace
from pathlib import Path

from limpid._version import __version__
from limpid.checkpoints import file
from limpid.checkpoints.inspect import UNSTATED, inspect
from limpid.errors import UsageError
from limpid.evaluation.model_card import card, read_scores
from limpid.evaluation.publish_options import PublishOptions
from limpid.files import sha256
from limpid.weights import hub, manifest


def publish(options: PublishOptions) -> list[Path]:
    """Write the folder; returns its files. Nothing is sent anywhere.

    Raises UsageError for a folder in use, a licence or data that nobody states, a name that no hub takes, and a report of other
    weights; WeightsError for a file that cannot be opened.
    """
    folder, name = options.folder, options.name or options.folder.absolute().name
    if not re.fullmatch(r"\w[\w.-]{0,95}", name) or ".." in name:
        raise UsageError(f"{name!r} is no name for a hub: letters, digits, dots, dashes; give one with --name")
    targets = {key: folder / key for key in (hub.FILE, "config.json", "README.md")}
    for path in targets.values():
        if path.exists() and not options.overwrite:
            raise UsageError(f"{path} exists; choose another folder or add --overwrite")
    row = manifest.rows().get(options.weights)
    source = manifest.locate(row.name) if row else Path(options.weights)
    about = inspect(source)
    licence = _stated("--licence", options.licence, about.licence, "its licence")
    data = _stated("--data", options.data, about.trained_on, "what it was trained on")
    scores = read_scores(options.report, about.sha256) if options.report is not None else []
    checkpoint = file.read(source)
    notes = {**checkpoint.notes, "licence": licence, "trained_on": data}
    network = file.build(checkpoint, source=str(source))
    file.save(targets[hub.FILE], replace(checkpoint, notes=notes))
    config = {
        "limpid": __version__,
        "model": about.model,
        "settings": about.settings,
        "tasks": about.tasks,
        "layers": network.layer_names or about.layers,
        "needs": asdict(network.needs),
        "sha256": sha256(targets[hub.FILE]),
        "made_from": about.sha256,
        "licence": licence,
        "trained_on": data,
    }
    targets["config.json"].write_text(json.dumps(config, indent=1, default=str, ensure_ascii=False) + "\n", encoding="utf-8")
    text = card(
        about,
        name=name,
        licence=licence,
        data=data,
        scores=scores,
        tags=options.tags,
        task=((row.default_for if row else ()) + about.tasks)[0],
    )
    targets["README.md"].write_text(text, encoding="utf-8")
    return list(targets.values())


def _stated(flag: str, given: str | None, found: str, what: str) -> str:
    """What the options or the file say of the weights. Raises UsageError when neither does."""
    if given is None and found == UNSTATED:
        raise UsageError(f"the file does not state {what}, and nobody should have to guess; say it with {flag}")
    return " ".join((given or found).split())
