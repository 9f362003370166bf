"""This very code as a wheel, without a build tool: what is installed here runs there."""

import base64
import hashlib
import zipfile
from importlib import metadata
from pathlib import Path

from limpid._version import __version__
from limpid.files import replacing

_TAG = "Wheel-Version: 1.0\nGenerator: limpid\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_TIME = (2026, 1, 1, 0, 0, 0)  # the same code gives the same bytes


def write_wheel(folder: Path) -> Path:
    """Write the package, weights and recipes included, as a wheel into a folder; returns its path.

    Source: the binary distribution format, PEP 427.
    """
    root, info = Path(__file__).parents[1], f"limpid-{__version__}.dist-info"
    files = {
        f"limpid/{path.relative_to(root).as_posix()}": path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    found = metadata.distribution("limpid")
    for name in ("METADATA", "entry_points.txt"):
        if (text := found.read_text(name)) is not None:
            files[f"{info}/{name}"] = text.encode()
    files[f"{info}/WHEEL"] = _TAG.encode()
    record = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in files.items()]
    files[f"{info}/RECORD"] = ("\n".join([*record, f"{info}/RECORD,,"]) + "\n").encode()
    path = folder / f"limpid-{__version__}-py3-none-any.whl"
    with replacing(path) as partial, zipfile.ZipFile(partial, "w") as archive:
        for name, content in files.items():
            packed = zipfile.ZIP_STORED if name.endswith(".safetensors") else zipfile.ZIP_DEFLATED  # weights do not get smaller
            archive.writestr(zipfile.ZipInfo(name, _TIME), content, packed)
    return path


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
