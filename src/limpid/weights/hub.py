"""Weights of a model hub by name: ``hf-hub:OWNER/NAME``, pinned to a commit, checked, kept in the cache."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from limpid.errors import UsageError, WeightsError
from limpid.files import parse_json, replacing
from limpid.progress import say
from limpid.weights.fetch import Remote, cache_folder, fetch, forbidden_by

PREFIX = "hf-hub:"
"""What the name of a model on the hub starts with."""

FILE = "model.safetensors"
"""The one file of a hub folder that is read; it says itself which network it holds, or is recognised."""

_HOME = "https://huggingface.co"
_NAME = re.compile(r"([\w.-]+)/([\w.-]+?)(?:@([\w./-]+))?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_PATIENCE = 10.0  # seconds for the answer of the hub


@dataclass(frozen=True, kw_only=True)
class HubName:
    """A model of the hub, and the branch, tag or commit wanted."""

    owner: str
    name: str
    revision: str = "main"


def parse_name(text: str) -> HubName:
    """``hf-hub:OWNER/NAME`` or ``hf-hub:OWNER/NAME@REVISION`` → its parts. Raises UsageError."""
    match = _NAME.fullmatch(text.removeprefix(PREFIX))
    if not match or ".." in text:
        raise UsageError(f"{text!r} names no model of the hub; write {PREFIX}OWNER/NAME or {PREFIX}OWNER/NAME@REVISION")
    return HubName(owner=match[1], name=match[2], revision=match[3] or "main")


def locate(text: str) -> Path:
    """The weights of a model on the hub, from the cache or downloaded, their checksum that of the hub.

    A branch or tag is looked up once and stays the commit that it was: what runs today runs tomorrow, also offline. Another one is
    had by ``@REVISION``. ``HF_ENDPOINT`` names another hub. Raises UsageError for a name that is none, WeightsError like ``fetch``.
    """
    wanted = parse_name(text)
    commit = wanted.revision if _COMMIT.fullmatch(wanted.revision) else _pinned(wanted)
    folder = f"hub/{wanted.owner}--{wanted.name}"
    url = f"{_home()}/{wanted.owner}/{wanted.name}/resolve/{commit}/{FILE}"
    return fetch(Remote(name=f"{folder}/{commit}/{FILE}", url=url))


def _home() -> str:
    return os.environ.get("HF_ENDPOINT", _HOME).rstrip("/")


def _pinned(wanted: HubName) -> str:
    """The commit of a branch or tag: as noted when it was first looked up, else from the hub."""
    pins = cache_folder() / "hub" / f"{wanted.owner}--{wanted.name}" / "revisions.json"
    known: dict[str, str] = {}
    if pins.is_file():
        try:
            known = dict(parse_json(pins.read_bytes()))
        except (ValueError, TypeError) as error:
            raise WeightsError(f"{pins} is damaged; delete it, and the revision is looked up again") from error
    commit = known.get(wanted.revision)
    if commit is None:
        commit = _look_up(wanted)
        with replacing(pins) as partial:
            partial.write_text(json.dumps({**known, wanted.revision: commit}, indent=1), encoding="utf-8")
        say(f"note: {PREFIX}{wanted.owner}/{wanted.name} is pinned to {commit[:12]} here; @REVISION asks for another")
    return commit


def _look_up(wanted: HubName) -> str:
    """The commit that a branch or tag is now. Raises WeightsError."""
    import requests

    label, url = f"{wanted.owner}/{wanted.name}@{wanted.revision}", _home()
    url += f"/api/models/{wanted.owner}/{wanted.name}/revision/{wanted.revision.replace('/', '%2F')}"
    if forbidden := forbidden_by():
        raise WeightsError(f"{label} is not in the cache and {forbidden} forbids to ask the hub; leave that out, or name a file")
    try:
        answer = requests.get(url, timeout=_PATIENCE)
    except requests.RequestException as error:
        raise WeightsError(f"{label} is not in the cache and the hub does not answer: {_home()}") from error
    if answer.status_code in (401, 403, 404):
        raise WeightsError(f"the hub knows no public model {label} ({answer.status_code}); check owner, name and revision")
    try:
        answer.raise_for_status()
        commit = str(answer.json()["sha"])
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"the hub's answer on {label} makes no sense ({' '.join(str(error).split())[:120]})") from error
    if not _COMMIT.fullmatch(commit):
        raise WeightsError(f"the hub's answer on {label} is no commit: {commit[:50]!r}")
    return commit
