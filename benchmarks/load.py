"""`limpid app` under load: fuzzed requests, then good ones, then /health beside a large photo; prints JSON.

Number of requests of each kind: first argument (10,000). Fuzzing takes 120 seconds at most.
"""

import io
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

MARK = b"load"
PATHS = (
    "/api/separate",
    "/api/denoise",
    "/api/deblur",
    "/api/decompose",
    "/api/models",
    "/health",
    "/metrics",
    "/gradio_api/upload",
    "/..",
)
NAMES = (b"p.png", b"../../etc/passwd", b"a\x00b.png", b"\xff\xfe.jpg", b"x" * 3000, b"C:\\p.png", b"")
_CLIENTS = 8
_PATIENCE = 30.0  # seconds for an answer


def photo(width: int, height: int) -> bytes:
    """A PNG of coarse noise."""
    coarse = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize((width, height)).save(buffer, "PNG")
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG of a few kilobytes that says it has 400 megapixels."""
    head = (20000).to_bytes(4) + (20000).to_bytes(4) + b"\x08\x02\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(bytes(10**6))) + _chunk(b"IEND", b"")


def form(content: bytes, filename: bytes = b"p.png", **fields: bytes) -> bytes:
    """A multipart body with a photo and further fields."""
    parts = [b'Content-Disposition: form-data; name="%s"\r\n\r\n%s' % (name.encode(), value) for name, value in fields.items()]
    parts.append(b'Content-Disposition: form-data; name="photo"; filename="%s"\r\n\r\n%s' % (filename, content))
    return b"".join(b"--%s\r\n%s\r\n" % (MARK, part) for part in parts) + b"--%s--\r\n" % MARK


def request(path: str, body: bytes, *headers: bytes, method: str = "POST") -> bytes:
    """The bytes of a request with a right length."""
    kind = b"Content-Type: multipart/form-data; boundary=" + MARK
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: 127.0.0.1", kind, b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"Connection: close", b"", body])


def fuzzed(draw: random.Random) -> Sequence[bytes]:
    """One request as it should not be, in the pieces in which it is sent; an empty piece waits a moment, the last one hangs up."""
    path, small = draw.choice(PATHS), photo(16, 16)
    garbage = draw.randbytes(draw.randrange(1, 4000))
    fields = {draw.choice(["model", "layers", "strength", "quality", "format", "answer"]): garbage[:200]}
    whole = request(path, form(small, draw.choice(NAMES), **fields))
    cut = draw.randrange(1, len(whole))
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=load\r\n".encode()
    kinds: Sequence[Callable[[], Sequence[bytes]]] = (
        lambda: [garbage],
        lambda: [request(path, garbage)],
        lambda: [request(path, form(garbage, draw.choice(NAMES)))],
        lambda: [request(path, form(_damaged(small, draw), draw.choice(NAMES)))],
        lambda: [request(path, form(bomb()))],
        lambda: [whole],
        lambda: [whole[:cut], b""],
        lambda: [whole[:cut], b"", whole[cut:]],
        lambda: [head + b"Content-Length: 99999999999\r\n\r\n" + garbage],
        lambda: [head + b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n" % len(garbage) + garbage, b"\r\nzz\r\n"],
        lambda: [request(f"{path}?{'a' * draw.randrange(20000)}", b"", method=draw.choice(["GET", "PUT", "DELETE", "TRACE"]))],
        lambda: [request(path, b"", b"Host: evil.example", b"Cookie: \xff=" + garbage[:50])],
    )
    return draw.choice(kinds)()


def send(port: int, pieces: Sequence[bytes], patience: float = _PATIENCE) -> int | None:
    """Status of the answer; None where the connection is closed without one."""
    said = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=patience) as connection:
            for piece in pieces:
                if piece:
                    connection.sendall(piece)
                else:
                    time.sleep(0.02)
            if not pieces[-1]:
                return None  # hung up
            while len(said) < 12 and (more := connection.recv(4096)):
                said += more
            while connection.recv(65536):
                pass
    except OSError:
        pass
    return int(said[9:12]) if said.startswith(b"HTTP/1.1 ") and said[9:12].isdigit() else None


def fuzz(port: int, count: int, seconds: float = 120.0, seed: int = 0) -> Counter[int | None]:
    """Status → how many of ``count`` fuzzed requests were answered so, within ``seconds``."""
    until = time.monotonic() + seconds

    def ask(place: int) -> int | None:
        return send(port, fuzzed(random.Random(seed * 10**6 + place)), patience=2.0) if time.monotonic() < until else -1

    return _many(ask, count)


def good(port: int, count: int) -> Counter[int | None]:
    """The same of good requests, a few at a time."""
    whole = request("/api/separate", form(photo(48, 40)))
    return _many(lambda place: send(port, [whole]), count)


def beside(port: int, content: bytes) -> float:
    """``health_p95`` while one photo is separated."""
    done = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        watched = pool.submit(health_p95, port, done)
        send(port, [request("/api/separate", form(content))], patience=120)
        done.set()
        return watched.result()


def health_p95(port: int, until: threading.Event) -> float:
    """95 % of the requests for /health were answered within so many milliseconds, until ``until`` is set."""
    took = []
    while not until.is_set():
        started = time.perf_counter()
        send(port, [request("/health", b"", method="GET")])
        took.append(1000 * (time.perf_counter() - started))
        time.sleep(0.02)
    return float(np.percentile(took, 95))


def descriptors(process: psutil.Process) -> int:
    """Open descriptors of a process."""
    return int(process.num_fds())


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder:
        for port, process in _app(Path(folder)):
            good(port, 50)  # allocators and threads have settled
            found: dict[str, Any] = {"requests": count, "before": _state(process, folder)}
            found["fuzzed"] = _plain(fuzz(port, count))
            time.sleep(5)
            found["after_fuzz"] = _state(process, folder)
            found["good"] = _plain(good(port, count))
            found["after_good"] = _state(process, folder)
            found["health_p95_ms"] = round(beside(port, photo(2000, 1500)), 1)
            print(json.dumps(found))


def _app(folder: Path) -> Iterator[tuple[int, psutil.Process]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "limpid", "app", "--port", str(port), "--quiet"]
    with subprocess.Popen(command, env={**os.environ, "TMPDIR": str(folder)}) as child:
        while send(port, [request("/health", b"", method="GET")]) is None:
            time.sleep(0.2)
        yield port, psutil.Process(child.pid)
        child.terminate()


def _state(process: psutil.Process, folder: str) -> dict[str, int]:
    files = sum(path.is_file() for path in Path(folder).rglob("*"))
    return {"rss_mb": round(process.memory_info().rss / 1e6), "descriptors": descriptors(process), "files": files}


def _many(ask: Callable[[int], int | None], count: int) -> Counter[int | None]:
    with ThreadPoolExecutor(_CLIENTS) as pool:
        return Counter(pool.map(ask, range(count)))


def _plain(found: Counter[int | None]) -> dict[str, int]:
    return {str(status): number for status, number in sorted(found.items(), key=lambda row: row[0] or 0)}


def _damaged(content: bytes, draw: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(draw.randrange(1, 6)):
        damaged[draw.randrange(len(damaged))] = draw.randrange(256)
    return bytes(damaged)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4) + kind + content + zlib.crc32(kind + content).to_bytes(4)


if __name__ == "__main__":
    main()
