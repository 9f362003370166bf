"""Anybody's weight file, opened without running anything in it: PyTorch's formats and safetensors, told apart by their bytes."""

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from limpid.errors import WeightsError
from limpid.files import open_file
from limpid.weights import safe_pickle

MOST_TENSORS = 50_000
"""A file with more is refused before they are read; the largest published network has 2,000."""

_MOST_BYTES = 8_000_000  # of all names and shapes, which precede or follow the numbers; large training states take 1 MB
_HEAD = 4096  # bytes that tell what a file is
_TORCH_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19"  # the number that torch.save wrote first until version 1.6
_MEMBERS = re.compile(r"[^/]+/(data\.pkl|version|byteorder|data/\d+|\.data/serialization_id|\.format_version|\.storage_alignment)")
_ARCHIVES = {
    b"\x1f\x8b": "gzip",
    b"7z\xbc\xaf": "7z",
    b"Rar!": "rar",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_ZIP_END = 22 + 65535 + 20 + 56  # where the records that end a zip archive lie: its own, a comment, and those of large ones
_TENSORFLOW = re.compile(r"\.(meta|index|data-\d{5}-of-\d{5})$")


_WRAPPERS = ("model", "state_dict", "model_state_dict", "params")
"""Keys under which published backbones lie."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """What a file holds: tensors, numbers, texts, lists and mappings of them; ``metadata`` as safetensors files have it."""

    content: Any
    metadata: Mapping[str, str]


def read(path: Path) -> Document:
    """Open a ``.pt``, ``.pth``, ``.ckpt``, ``.bin`` or ``.safetensors`` file, whatever its name; tensors may stay on the disk.

    Raises WeightsError, in one line, when the file is missing, empty, cut short or damaged, of another kind (web page,
    TensorFlow, TorchScript, archive, raw pickle), when its pickle asks for more than weights need (these are named, nothing
    was run), when a tensor claims more than the file holds, and when one holds NaN or infinity.
    """
    try:
        with open_file(path) as file:
            head = file.read(_HEAD)
    except FileNotFoundError as error:
        raise WeightsError(f"{path}: there is no such file") from error
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error
    _refuse_by_look(path, head)
    if head.startswith(b"PK"):
        return _checked(path, Document(content=_zipped(path), metadata={}))
    if _TORCH_MAGIC in head[:64]:
        return _checked(path, Document(content=_legacy(path), metadata={}))
    if head[8:9] == b"{":
        return _checked(path, _safetensors(path))
    raise _unknown(path, head)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Name → tensor of a published state dict such as a backbone's, out of its wrappers; other values are left out.

    Raises WeightsError like ``read``, and when the file holds no mapping.
    """
    content = read(path).content
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping):
        raise WeightsError(f"{path} holds a {type(content).__name__}; expected names and tensors")
    return {str(name): value for name, value in content.items() if isinstance(value, Tensor)}


def _refuse_by_look(path: Path, head: bytes) -> None:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head:
        raise WeightsError(f"{path} is empty (0 bytes); download it again")
    if _TENSORFLOW.search(path.name) or text.startswith(b"model_checkpoint_path:") or head.startswith(b"\x89HDF"):
        raise WeightsError(
            f"{path} is a TensorFlow or Keras file, which limpid does not open;"
            " use a PyTorch version of these weights (hypercolumn has the network of Zhang et al. 2018)"
        )
    if text.startswith((b"<!doctype", b"<html", b"<?xml")) or b"<html" in text:
        raise WeightsError(f"{path} is a web page ({path.stat().st_size} bytes), not weights; open its address in a browser")
    if text.startswith(b"version https://git-lfs"):
        raise WeightsError(f"{path} is a pointer of git-lfs, not the weights; run `git lfs pull` where it comes from")
    for start, kind in _ARCHIVES.items():
        if head.startswith(start):
            raise WeightsError(f"{path} is a {kind} archive; unpack it and name the weight file inside")
    if head[257:262] == b"ustar":
        raise WeightsError(f"{path} is a tar archive; unpack it and name the weight file inside")


def _zipped(path: Path) -> Any:
    """The content of a file written by torch.save since version 1.6."""
    try:
        _refuse_large(path, _directory_size(path))
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _refuse_members(path, members)
            pickled = next(member for member in members if member.filename.endswith("/data.pkl"))
            _refuse_large(path, pickled.file_size)
            with archive.open(pickled) as stream:
                names = safe_pickle.asked_for(stream)
    except safe_pickle.TooLargeError as error:
        raise _too_large(path) from error
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise _damaged(path, error) from error
    except ValueError as error:
        raise WeightsError(f"{path} holds a damaged pickle: {_short(error)}; download it again") from error
    return _loaded(path, names, mapped=True)


def _refuse_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    names = [member.filename for member in members]
    if any(name.endswith("/constants.pkl") or "/code/" in name for name in names):
        raise WeightsError(f"{path} is a TorchScript program, not weights; save its state_dict() with torch.save and open that")
    strange = [name for name in names if not _MEMBERS.fullmatch(name)]
    roots = {name.split("/")[0] for name in names}
    if strange or len(roots) != 1 or not any(name.endswith("/data.pkl") for name in names):
        first = (strange or names or ["nothing"])[0]
        raise WeightsError(
            f"{path} is a zip archive with {first!r} in it, no checkpoint; unpack it and name the weight file inside"
        )
    if len(set(names)) != len(names) or any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise WeightsError(f"{path} is a zip archive that torch.save did not write (compressed or doubled members); not opened")


def _directory_size(path: Path) -> int:
    """Bytes that the list of members of a zip archive takes, as its end says; 0 where it does not."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _ZIP_END))
        end = file.read()
    at, wide = end.rfind(b"PK\x05\x06"), end.rfind(b"PK\x06\x06")
    short = int.from_bytes(end[at + 12 : at + 16], "little") if at >= 0 else 0
    return int.from_bytes(end[wide + 40 : wide + 48], "little") if wide >= 0 and short == 0xFFFFFFFF else short


def _refuse_large(path: Path, names: int) -> None:
    """Raise WeightsError when so many bytes of names and shapes are more than any network needs."""
    if names > _MOST_BYTES:
        raise _too_large(path)


def _too_large(path: Path) -> WeightsError:
    return WeightsError(f"{path} holds more names than any network has; save the state dict alone")


def _legacy(path: Path) -> Any:
    """The content of a file written by torch.save before version 1.6: pickles in a row, then the numbers."""
    try:
        with path.open("rb") as stream:
            names = safe_pickle.asked_for(stream, pickles=5)  # magic number, protocol, system, content, names of the storages
    except safe_pickle.TooLargeError as error:
        raise _too_large(path) from error
    except ValueError as error:
        raise _damaged(path, error) from error
    return _loaded(path, names, mapped=False)


def _loaded(path: Path, names: list[str], *, mapped: bool) -> Any:
    wrong = [safe_pickle.spoken(name) for name in safe_pickle.refused(names)]
    if wrong:
        raise WeightsError(
            f"{path} was not opened: its pickle asks for {', '.join(wrong[:5])}, which weights never need;"
            " nothing in it was run; ask its author for a plain state dict or a .safetensors file"
        )
    try:
        return safe_pickle.load(path, names, mapped=mapped)
    except Exception as error:  # a hostile or damaged pickle can make the unpickler fail in any way
        if "Unsupported operand" in str(error):
            raise WeightsError(
                f"{path} was saved with pickle_protocol above 2, which is not opened safely; save it without"
            ) from error
        raise _damaged(path, error) from error


def _safetensors(path: Path) -> Document:
    try:
        with path.open("rb") as head:
            _refuse_large(path, int.from_bytes(head.read(8), "little"))
        with safe_open(path, framework="pt") as file:
            if len(names := file.keys()) > MOST_TENSORS:
                raise _too_large(path)
            return Document(content={name: file.get_tensor(name) for name in names}, metadata=file.metadata() or {})
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(
            f"{path} is no safetensors file, or a damaged one ({path.stat().st_size} bytes): {_short(error)};"
            " download or convert it again"
        ) from error


def _unknown(path: Path, head: bytes) -> WeightsError:
    try:
        with path.open("rb") as stream:
            names = safe_pickle.asked_for(stream)
    except ValueError:
        starts = f"{path.stat().st_size} bytes, which start with {head[:8]!r}"
        return WeightsError(f"{path} is no safetensors file and none of PyTorch, or a damaged one ({starts}); download it again")
    asks = f" It asks for {', '.join(safe_pickle.spoken(name) for name in names[:5])}; nothing was run." if names else ""
    return WeightsError(f"{path} is a raw pickle, not written by torch.save, and was not opened.{asks}")


def _checked(path: Path, document: Document) -> Document:
    size = path.stat().st_size
    for count, (name, tensor) in enumerate(named_tensors(document.content)):
        if count >= MOST_TENSORS:
            raise _too_large(path)
        if tensor.layout is not torch.strided or tensor.is_quantized:
            raise WeightsError(f"{path}: tensor {name!r} is sparse or quantised; expected plain numbers")
        if tensor.numel() * tensor.element_size() > size:
            raise WeightsError(f"{path}: tensor {name!r} claims shape {tuple(tensor.shape)}, more than the file holds")
    return document


def named_tensors(content: Any) -> Iterator[tuple[str, Tensor]]:
    """All tensors in nested mappings, with the dotted path that leads to them; a mapping met twice counts once."""
    waiting, seen = [("", content)], {id(content)}
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, Tensor):
            yield name, value
        elif isinstance(value, Mapping):
            inner = [(f"{name}.{key}" if name else str(key), item) for key, item in value.items() if id(item) not in seen]
            seen.update(id(item) for _, item in inner if isinstance(item, Mapping))
            waiting.extend(inner)


def refuse_unfit(source: str, tensors: Mapping[str, Tensor]) -> None:
    """Raise WeightsError, with the tensor's name, when one holds NaN, infinity, or numbers that no weights are."""
    for name, tensor in tensors.items():
        if tensor.is_complex() or tensor.dtype == torch.bool:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise WeightsError(f"{source}: tensor {name!r} holds {kind} numbers; weights are real")
        numbers = tensor.float() if tensor.is_floating_point() and tensor.element_size() == 1 else tensor  # float8 cannot tell
        if not bool(torch.isfinite(numbers).all()):
            raise WeightsError(f"{source}: tensor {name!r} holds NaN or infinity; the training that wrote it went wrong")


def _damaged(path: Path, error: Exception) -> WeightsError:
    return WeightsError(f"{path} is cut short or damaged ({path.stat().st_size} bytes): {_short(error)}; download it again")


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
