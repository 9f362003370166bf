"""Which backend was the fastest for which weights on this machine, as ``limpid bench --save`` wrote it."""

import json
import platform
from pathlib import Path

from platformdirs import user_config_path

from limpid.files import replacing


def path() -> Path:
    """Where choices are kept: ``backends.json`` in the folder of settings."""
    return user_config_path("limpid", appauthor=False) / "backends.json"


def saved(sha256: str | None) -> str | None:
    """The backend that was saved for weights on this machine; None where none was, or the file is not what was written."""
    try:
        choices = json.loads(path().read_text(encoding="utf-8"))
        choice = choices[platform.node()][sha256 or ""]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return choice if isinstance(choice, str) else None


def save(sha256: str, backend: str) -> None:
    """Keep a choice beside those of other weights and machines (the folder may be shared)."""
    try:
        choices = json.loads(path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        choices = {}
    if not isinstance(choices, dict):
        choices = {}
    choices.setdefault(platform.node(), {})[sha256] = backend
    with replacing(path(), "choose with --backend each time instead") as partial:
        partial.write_text(json.dumps(choices, indent=1, sort_keys=True), encoding="utf-8")
