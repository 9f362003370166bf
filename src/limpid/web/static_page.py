"""``limpid app --static DIR``: a page that separates photos in the visitor's browser, for any host of static files."""

import base64
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from limpid._version import __version__
from limpid.checkpoints.onnx_file import OnnxAbout, read_onnx
from limpid.errors import UsageError, WeightsError
from limpid.files import megabytes
from limpid.layers.task import find_task

PACKAGE = "onnxruntime-web@1.30.0"
_INTEGRITY = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
"""SHA-512 of the archive that the npm registry has of it, base64."""

_RUNTIME = {
    "dist/ort.wasm.min.mjs": "ort.mjs",
    "dist/ort-wasm-simd-threaded.mjs": "ort-wasm-simd-threaded.mjs",
    "dist/ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm",
}
"""What is taken out of the archive → under which name."""

_LICENCE = "onnxruntime-web 1.30.0, https://github.com/microsoft/onnxruntime\nMIT License\n\nCopyright (c) Microsoft Corporation\n"
_ASSETS = Path(__file__).parent / "assets" / "static"
_FACTS = {"multiple", "minimum", "size", "whole_confidence", "local_confidence"}


def write_static(folder: Path, networks: Sequence[Path], archive: Path | None = None) -> Path:
    """Write the page with ``networks`` (files of ``limpid export``); returns its folder, which must be new or empty.

    ``archive``: the npm package onnxruntime-web where it is at hand, else npm fetches it; its SHA-512 is checked. Raises UsageError
    for a folder with files and without npm, WeightsError for files that do not run in a browser.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} exists and is not empty; choose another folder")
    rows = [_row(path) for path in networks]
    runtime = _runtime(_checked(archive.read_bytes() if archive else _fetched()))
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in runtime.items():
        (folder / name).write_bytes(content)
    (folder / "onnxruntime-web.LICENSE").write_text(_LICENCE, encoding="utf-8")
    for path in networks:
        shutil.copyfile(path, folder / path.name)
    (folder / "networks.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    for asset in _ASSETS.iterdir():
        (folder / asset.name).write_bytes(asset.read_bytes())
    _list_files(folder)
    return folder


def size_of(folder: Path) -> str:
    """What a visitor loads, for a person."""
    return megabytes(sum(path.stat().st_size for path in folder.iterdir()))


def _list_files(folder: Path) -> None:
    """Let the service worker know what there is, and a version that changes with it."""
    names = sorted(path.name for path in folder.iterdir() if path.name != "service_worker.js")
    digest = hashlib.sha256(b"".join((folder / name).read_bytes() for name in names)).hexdigest()[:12]
    worker = folder / "service_worker.js"
    text = worker.read_text(encoding="utf-8").replace("limpid-VERSION", f"limpid-{__version__}-{digest}")
    worker.write_text(text.replace("/*FILES*/", ", ".join(map(json.dumps, ["./", *names]))), encoding="utf-8")


def _row(path: Path) -> Mapping[str, Any]:
    """What the page needs to know of a network, from what its file says."""
    about = _about(path)
    if about.noise or about.graph != "full" or about.answer_range != "unit":
        raise WeightsError(f"{path.name} needs more than its graph to run; this page runs networks that are whole in their file")
    task = find_task(about.tasks[0])
    facts = about.model_dump(include=_FACTS)
    layers = [name for name in about.layers if name in task.layers]
    return {"label": path.stem, "file": path.name, "task": task.name, "layers": layers, "rebuilds": task.rebuilds, **facts}


def _about(path: Path) -> OnnxAbout:
    found = read_onnx(path)
    if not found.ours:
        raise WeightsError(f"{path} is no file of `limpid export`; make it with `limpid export MODEL {path.name}`")
    return found.about


def _fetched() -> bytes:
    npm = shutil.which("npm")
    if npm is None:
        raise UsageError(f"npm is not installed; it fetches {PACKAGE}, which runs the networks in the browser")
    with TemporaryDirectory() as name:
        command = [npm, "pack", PACKAGE, "--silent", "--ignore-scripts", "--pack-destination", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = list(Path(name).glob("*.tgz"))
        if done.returncode or len(found) != 1:
            raise UsageError(f"npm could not fetch {PACKAGE}: {' '.join(done.stderr.split())[:200]}")
        return found[0].read_bytes()


def _checked(archive: bytes) -> bytes:
    if base64.b64encode(hashlib.sha512(archive).digest()).decode() != _INTEGRITY:
        raise WeightsError(f"the archive of {PACKAGE} is not the one that is known here (SHA-512); fetch it again")
    return archive


def _runtime(archive: bytes) -> Mapping[str, bytes]:
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as package:
        for name, target in _RUNTIME.items():
            file = package.extractfile(f"package/{name}")
            if file is None:
                raise WeightsError(f"{PACKAGE} holds no {name}")
            found[target] = file.read()
    return found
