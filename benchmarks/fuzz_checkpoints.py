"""Tampered checkpoints through ``limpid inspect``: how many gave a traceback, a hang or growth; prints JSON.

Files of several networks and layouts are damaged in their bytes, their pickles, their archives and what they say of themselves.
They are opened in a process beside this one, which is ended when a file takes more than ``SECONDS`` of computing. Number of files:
first argument; seed: second.
"""

import io
import json
import multiprocessing
import pickle
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch

from limpid import catalogue, create_model
from limpid.checkpoints import file
from limpid.checkpoints.inspect import inspect
from limpid.errors import LimpidError

SECONDS = 5.0
"""Of computing, beyond which a file counts as a hang."""

BYTES = 1_000_000_000
"""Of resident memory, beyond which a file counts as growth."""

_NETWORKS = ("nafnet", "unet", "limpid", "stacked", "ibcln", "usi3d")
_VALUES: tuple[Any, ...] = (
    0,
    -1,
    1,
    3.5,
    10**6,
    10**18,
    "9" * 300,
    "",
    None,
    True,
    [],
    [1] * 40,
    [10**9, 1],
    {},
    {"a": [{}]},
    "nan",
    "\u202e\x1b[2J",
)
_LETTERS = 1 << 16  # bytes in front in which names, shapes and headers lie

Tamper = Callable[[bytes, np.random.Generator], bytes]


def whole_files() -> list[bytes]:
    """Sound checkpoints: ours, published ones in both formats of PyTorch, with averages, and plain safetensors."""
    with tempfile.TemporaryDirectory() as folder:
        path, found = Path(folder) / "w", []
        for name in _NETWORKS:
            state = create_model(name, "tiny").state_dict()
            file.save(
                path,
                file.Checkpoint(
                    model=name, settings=catalogue.find("models", name).sizes["tiny"], tensors=state, notes={"step": 3}
                ),
            )
            found.append(path.read_bytes())
            content = {"state_dict": state, "ema": dict(state), "epoch": 3, "best": np.float32(0.5), "milestones": Counter({30: 1})}
            for new in (True, False):
                torch.save(content, path, _use_new_zipfile_serialization=new)
                found.append(path.read_bytes())
    return found


def tampered(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """``count`` damaged files, each with the kind of its damage."""
    dice, sound = np.random.default_rng(seed), whole_files()
    kinds = list(_KINDS)
    for index in range(count):
        kind, content = kinds[index % len(kinds)], sound[int(dice.integers(len(sound)))]
        yield kind, _KINDS[kind](content, dice)


def open_each(files: Iterator[tuple[str, bytes]], folder: Path) -> dict[str, Any]:
    """What became of each file: opened, refused in one line, or a fault, which is listed with its kind."""
    told: Counter[str] = Counter()
    faults, slowest, largest, worker = [], 0.0, 0, _Worker()
    for index, (kind, content) in enumerate(files):
        path = folder / "tampered.pth"
        path.write_bytes(content)
        outcome, seconds, grown = worker.open(path)
        told[outcome.partition(":")[0]] += 1
        slowest, largest = max(slowest, seconds), max(largest, grown)
        if outcome not in ("opened", "refused") or grown > BYTES:
            faults.append({"file": index, "kind": kind, "outcome": outcome, "growth_mb": grown // 10**6})
    worker.end()
    return {**told, "slowest_s": round(slowest, 2), "largest_growth_mb": largest // 10**6, "faults": faults}


class _Worker:
    """A process that opens files one after another; a new one comes where one was ended."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """A new process, once it has imported everything."""
        spawn = multiprocessing.get_context("spawn")
        self.pipe, theirs = spawn.Pipe()
        self.process = spawn.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        self.pipe.recv()

    def open(self, path: Path) -> tuple[str, float, int]:
        """Outcome, seconds of computing, and growth of the greatest memory in bytes."""
        assert self.process.pid is not None
        seen = psutil.Process(self.process.pid)
        before, memory, most = sum(seen.cpu_times()[:2]), seen.memory_info().rss, 0
        self.pipe.send(str(path))
        while not self.pipe.poll(0.02):
            if not self.process.is_alive():
                self.start()
                return "ended: the process died", 0.0, most
            most = max(most, seen.memory_info().rss - memory)
            if sum(seen.cpu_times()[:2]) - before > SECONDS or most > 4 * BYTES:
                self.end()
                self.start()
                return "hang", SECONDS, most
        outcome, grown = self.pipe.recv()
        return outcome, sum(seen.cpu_times()[:2]) - before, max(most, grown)

    def end(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.join()


def _serve(pipe: Connection) -> None:
    own = psutil.Process()
    pipe.send("ready")
    while True:
        path, before = Path(pipe.recv()), own.memory_info().rss
        try:
            inspect(path)
            outcome = "opened"
        except LimpidError as error:
            outcome = "refused" if len(str(error).splitlines()) == 1 else f"lines: {str(error)[:200]}"
        except Exception as error:  # what is looked for
            outcome = f"traceback: {type(error).__name__}: {str(error)[:200]}"
        pipe.send((outcome, own.memory_info().rss - before))


def _some_bytes(content: bytes, dice: np.random.Generator) -> bytes:
    damaged = bytearray(content)
    end = min(len(content), _LETTERS) if dice.random() < 0.8 else len(content)
    for place in dice.integers(0, end, int(dice.integers(1, 30))):
        damaged[place] = int(dice.integers(256))
    return bytes(damaged)


def _cut(content: bytes, dice: np.random.Generator) -> bytes:
    return content[: int(dice.integers(1, len(content)))]


def _moved(content: bytes, dice: np.random.Generator) -> bytes:
    first, second, length = (int(number) for number in dice.integers(0, len(content), 3))
    return content[:first] + content[second : second + min(length, 4096)] + content[first:]


def _large_numbers(content: bytes, dice: np.random.Generator) -> bytes:
    """Eight bytes of a length, an offset or a shape become huge."""
    place = int(dice.integers(0, min(len(content), _LETTERS)))
    return content[:place] + int(dice.choice([2**31 - 1, 2**40, 2**63 - 1])).to_bytes(8, "little") + content[place + 8 :]


def _said(content: bytes, dice: np.random.Generator) -> bytes:
    """One setting, or all that a file of ours says, is something else; of other files some bytes."""
    length = int.from_bytes(content[:8], "little")
    if content[8:9] != b"{" or length > len(content):
        return _some_bytes(content, dice)
    header = json.loads(content[8 : 8 + length])
    about = json.loads(header["__metadata__"]["limpid"])
    name = str(dice.choice([*about["settings"], "model", "settings", "aliases", "notes", "stranger"]))
    value = _VALUES[int(dice.integers(len(_VALUES)))]
    (about["settings"] if name in about["settings"] or name == "stranger" else about)[name] = value
    header["__metadata__"]["limpid"] = json.dumps(about)
    changed = json.dumps(header).encode()
    return len(changed).to_bytes(8, "little") + changed + content[8 + length :]


def _pickled(content: bytes, dice: np.random.Generator) -> bytes:
    """The pickle of a zipped file is damaged and the archive whole; of other files some bytes."""
    if not content.startswith(b"PK"):
        return _some_bytes(content, dice)
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(made, "w") as after:
        for member in before.infolist():
            data = before.read(member)
            after.writestr(member.filename, _some_bytes(data, dice) if member.filename.endswith("data.pkl") else data)
    return made.getvalue()


def _hostile(content: bytes, dice: np.random.Generator) -> bytes:
    """A sound archive with a pickle of odd values beside weights."""
    state = {f"a.{index}": torch.ones(2) for index in range(3)}
    loop: dict[Any, Any] = {}
    loop["model"] = loop
    deep: Any = torch.ones(1)
    for _ in range(int(dice.integers(2, 400))):
        deep = {"model": deep}
    odd: list[Any] = [loop, deep, {3: state}, [state], {"model": None}, {"state_dict": {}}, {"ema": loop, "model": state}]
    odd += [torch.ones(1).expand(1 << 30, 1 << 20), {"params": {"w": torch.ones(2, dtype=torch.complex64)}}, {"a" * 10**6: state}]
    odd += [{"w": torch.ones(2).to_sparse()}, {f"k{index}": 0 for index in range(200_000)}]
    made = io.BytesIO()
    torch.save(odd[int(dice.integers(len(odd)))], made)
    return made.getvalue()


def _raw(content: bytes, dice: np.random.Generator) -> bytes:
    return pickle.dumps({"a": [1] * int(dice.integers(1000))}, protocol=int(dice.integers(0, 6))) + content[:100]


_KINDS: dict[str, Tamper] = {
    "bytes": _some_bytes,
    "cut": _cut,
    "moved": _moved,
    "large numbers": _large_numbers,
    "said": _said,
    "pickled": _pickled,
    "hostile": _hostile,
    "raw": _raw,
}


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps({"files": count, "seed": seed, **open_each(tampered(count, seed), Path(folder))}, indent=2))


if __name__ == "__main__":
    main()
