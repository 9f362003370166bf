"""``limpid app --static DIR``: a page that separates photos in the visitor's browser, served by any host or one file."""

import base64
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from limpid._version import __version__
from limpid.errors import UsageError, WeightsError
from limpid.files import megabytes
from limpid.web.page_networks import network_row

PACKAGE = "onnxruntime-web@1.30.0"
_INTEGRITY = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="
"""SHA-512 of the archive that the npm registry has of it, base64."""

_RUNTIME = {
    "dist/ort.wasm.min.mjs": "ort.mjs",
    "dist/ort-wasm-simd-threaded.mjs": "ort-wasm-simd-threaded.mjs",
    "dist/ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm",
}
"""What is taken out of the archive → under which name."""

_ONE_FILE = {"dist/ort.wasm.bundle.min.mjs": "ort.mjs", "dist/ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm"}
"""The same for the page that is one file, whose script must not load another."""

_GRAPHICS = {
    "dist/ort.jspi.min.mjs": "ort.jspi.mjs",
    "dist/ort-wasm-simd-threaded.jspi.mjs": "ort-wasm-simd-threaded.jspi.mjs",
    "dist/ort-wasm-simd-threaded.jspi.wasm": "ort-wasm-simd-threaded.jspi.wasm",
}
"""What WebGPU needs besides."""

_LICENCE = "onnxruntime-web 1.30.0, https://github.com/microsoft/onnxruntime\nMIT License\n\nCopyright (c) Microsoft Corporation\n"
_ASSETS = Path(__file__).parent / "assets" / "static"
_SCRIPT = '<script type="module" src="page.js"></script>'


def write_static(folder: Path, networks: Sequence[Path], archive: Path | None = None, *, webgpu: bool = False) -> Path:
    """Write the page with ``networks`` (files of ``limpid export``); returns its folder, which must be new or empty.

    ``archive``: the npm package onnxruntime-web where it is at hand, else npm fetches it; its SHA-512 is checked. ``webgpu``: 17 MB
    more, with which browsers that have WebGPU use it. Raises UsageError for a folder with files and without npm, WeightsError for
    files that do not run in a browser.
    """
    content = _contents(folder, networks, archive, {**_RUNTIME, **(_GRAPHICS if webgpu else {})}, webgpu=webgpu)
    folder.mkdir(parents=True, exist_ok=True)
    for name, written in content.items():
        (folder / name).write_bytes(written)
    _list_files(folder)
    return folder


def write_single(folder: Path, networks: Sequence[Path], archive: Path | None = None) -> Path:
    """The same page as one file, ``limpid.html``, which a browser opens from the disk; returns its folder.

    Raises as ``write_static``.
    """
    content = _contents(folder, networks, archive, _ONE_FILE, webgpu=False)
    page, script = (content.pop(name).decode() for name in ("index.html", "page.js"))
    del content["service_worker.js"]
    held = "".join(
        f'<script type="text/plain" data-file="{escape(name)}">{base64.b64encode(one).decode()}</script>\n'
        for name, one in content.items()
    )
    folder.mkdir(parents=True, exist_ok=True)
    whole = page.replace(_SCRIPT, f'{held}<script type="module">\n{script}</script>')
    (folder / "limpid.html").write_text(whole, encoding="utf-8")
    return folder


def _contents(
    folder: Path, networks: Sequence[Path], archive: Path | None, wanted: Mapping[str, str], *, webgpu: bool
) -> dict[str, bytes]:
    """Name → content of every file of the page."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} exists and is not empty; choose another folder")
    networks_read = [network_row(path) for path in networks]
    rows = [{**row, "webgpu": webgpu} for row, _ in networks_read]
    content = {asset.name: asset.read_bytes() for asset in sorted(_ASSETS.iterdir())}
    content |= _runtime(_checked(archive.read_bytes() if archive else _fetched()), wanted)
    for _, files in networks_read:
        content |= files
    content["networks.json"] = (json.dumps(rows, indent=1) + "\n").encode()
    content["onnxruntime-web.LICENSE"] = _LICENCE.encode()
    return content


def size_of(folder: Path) -> str:
    """What a visitor loads, for a person."""
    return megabytes(sum(path.stat().st_size for path in folder.iterdir()))


def _list_files(folder: Path) -> None:
    """Let the service worker know what there is, and a version that changes with it."""
    names = sorted(
        path.name for path in folder.iterdir() if path.name != "service_worker.js" and path.name not in _GRAPHICS.values()
    )
    digest = hashlib.sha256(b"".join((folder / name).read_bytes() for name in names)).hexdigest()[:12]
    worker = folder / "service_worker.js"
    text = worker.read_text(encoding="utf-8").replace("limpid-VERSION", f"limpid-{__version__}-{digest}")
    worker.write_text(text.replace("/*FILES*/", ", ".join(map(json.dumps, ["./", *names]))), encoding="utf-8")


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


def _runtime(archive: bytes, wanted: Mapping[str, str]) -> Mapping[str, bytes]:
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as package:
        for name, target in wanted.items():
            file = package.extractfile(f"package/{name}")
            if file is None:
                raise WeightsError(f"{PACKAGE} holds no {name}")
            found[target] = file.read()
    return found
