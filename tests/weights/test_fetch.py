import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from limpid.errors import WeightsError
from limpid.weights import fetch as fetching
from limpid.weights.fetch import Remote, cache_folder, fetch, forbidding_downloads

BODY = bytes(range(256)) * 64
DIGEST = hashlib.sha256(BODY).hexdigest()


class Stub(BaseHTTPRequestHandler):
    stated, status, asked, body, promised = DIGEST, 200, 0, BODY, None
    failures = 0  # so many first answers to GET are a breakdown of the server

    def do_HEAD(self):
        type(self).asked += 1
        self.send_response(self.status)
        self.send_header("Content-Length", str(self.promised or len(self.body)))
        if self.stated:
            self.send_header("X-Linked-ETag", f'"{self.stated}"')
        self.end_headers()

    def do_GET(self):
        if self.failures:
            type(self).failures -= 1
            self.send_error(503)
            return
        self.do_HEAD()
        if self.status == 200:
            self.give()

    def give(self):
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


@pytest.fixture
def stub(monkeypatch, tmp_path):
    pauses = []
    for variable in ("LIMPID_OFFLINE", "HF_HUB_OFFLINE", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("LIMPID_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=pauses.append))
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Fresh", (Stub,), {}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.pauses = pauses
    yield server
    server.shutdown()
    server.server_close()


def remote(server, sha256=DIGEST[:8]):
    return Remote(name="net.pth", url=f"http://127.0.0.1:{server.server_port}/net.pth", sha256=sha256)


@pytest.mark.parametrize("sha256", [DIGEST, DIGEST[:8], ""])
def test_a_file_is_downloaded_once_and_checked(stub, sha256):
    path = fetch(remote(stub, sha256))
    assert path.read_bytes() == BODY
    asked = stub.RequestHandlerClass.asked
    assert fetch(remote(stub, sha256)) == path
    assert stub.RequestHandlerClass.asked == asked
    assert sorted(file.name for file in cache_folder().iterdir()) == ["net.pth", *(["net.pth.sha256"] if not sha256 else [])]


@pytest.mark.parametrize("sha256", [DIGEST, DIGEST[:8], ""])
@pytest.mark.parametrize("damage", [BODY[:-1], BODY + b"x", b"", b"<html>"])
def test_a_damaged_file_in_the_cache_is_replaced_or_refused(stub, monkeypatch, sha256, damage):
    path = fetch(remote(stub, sha256))
    path.write_bytes(damage)
    monkeypatch.setenv("LIMPID_OFFLINE", "1")
    with pytest.raises(WeightsError, match="is damaged, its checksum is wrong"):
        fetch(remote(stub, sha256))
    assert path.read_bytes() == damage  # it is the user's until there is a better one
    monkeypatch.delenv("LIMPID_OFFLINE")
    assert fetch(remote(stub, sha256)).read_bytes() == BODY


def test_nothing_is_asked_for_while_downloads_are_forbidden(stub):
    refused = pytest.raises(WeightsError, match="--offline forbids to download it from http")
    with forbidding_downloads(True), forbidding_downloads(False), refused:
        fetch(remote(stub))
    assert stub.RequestHandlerClass.asked == 0
    assert fetch(remote(stub)).read_bytes() == BODY


@pytest.mark.parametrize("failures", [1, 2])
def test_a_breakdown_is_waited_out(stub, failures):
    stub.RequestHandlerClass.failures = failures
    assert fetch(remote(stub)).read_bytes() == BODY
    assert stub.pauses == [1, 2][:failures]


def test_after_three_tries_it_is_enough(stub):
    stub.RequestHandlerClass.failures = 99
    with pytest.raises(WeightsError, match="503"):
        fetch(remote(stub))
    assert stub.RequestHandlerClass.failures == 96
    assert list(cache_folder().iterdir()) == []


def test_a_connection_that_breaks_is_tried_again_and_never_kept(stub):
    stub.RequestHandlerClass.promised = len(BODY) + 1  # the server hangs up too early
    with pytest.raises(WeightsError, match="could not be downloaded"):
        fetch(remote(stub))
    assert stub.pauses == [1, 2]
    assert list(cache_folder().iterdir()) == []


@pytest.mark.parametrize("honest", [True, False])
def test_what_is_too_large_is_stopped_before_its_end(stub, monkeypatch, honest):
    monkeypatch.setattr(fetching, "MOST_BYTES", len(BODY) - 1)
    if not honest:  # a body without a length, whatever the header would say
        monkeypatch.setattr(Stub, "send_header", lambda self, name, value: None)
    with pytest.raises(WeightsError, match="sends more than"):
        fetch(remote(stub))
    assert stub.pauses == []
    assert list(cache_folder().iterdir()) == []


def test_a_home_that_drips_is_left(stub, monkeypatch):
    def drip(handler):
        for byte in BODY:
            handler.wfile.write(bytes([byte]))
            time.sleep(0.02)

    monkeypatch.setattr(stub.RequestHandlerClass, "give", drip)
    monkeypatch.setattr(fetching, "_TIMEOUT", 0.3)
    monkeypatch.setattr(fetching, "_SLOWEST", 10**9)
    with pytest.raises(WeightsError, match="sends too slowly"):
        fetch(remote(stub))
    assert list(cache_folder().iterdir()) == []


@pytest.mark.parametrize(("sha256", "stated"), [("0123abcd", DIGEST), ("", "0" * 64), ("", "")])
def test_a_file_that_cannot_be_verified_is_not_kept(stub, sha256, stated):
    stub.RequestHandlerClass.stated = stated
    with pytest.raises(WeightsError, match="expected|states no checksum"):
        fetch(remote(stub, sha256))
    assert not cache_folder().exists() or list(cache_folder().iterdir()) == []


def test_a_refusal_of_the_server_is_told(stub):
    stub.RequestHandlerClass.status = 401
    with pytest.raises(WeightsError, match="could not be downloaded.*401"):
        fetch(remote(stub))


@pytest.mark.parametrize("variable", ["LIMPID_OFFLINE", "HF_HUB_OFFLINE"])
def test_forbidden_network_is_not_tried(stub, monkeypatch, variable):
    monkeypatch.setenv(variable, "1")
    with pytest.raises(WeightsError, match=f"net.pth is not in .*cache and {variable} forbids"):
        fetch(remote(stub))
    assert stub.RequestHandlerClass.asked == 0


@pytest.mark.parametrize("host", ["127.0.0.1:9", "192.0.2.1", "nowhere.invalid"])
def test_an_absent_home_is_noticed_long_before_the_system_would(stub, host):
    started = time.monotonic()
    with pytest.raises(WeightsError, match="does not answer"):
        fetch(Remote(name="net.pth", url=f"http://{host}/net.pth", sha256=DIGEST))
    assert time.monotonic() - started < 20  # the system's own limit is two minutes


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    monkeypatch.setenv("LIMPID_CACHE", str(tmp_path / "l"))
    assert cache_folder() == tmp_path / "l"
    monkeypatch.delenv("LIMPID_CACHE")
    assert cache_folder() == tmp_path / "x" / "limpid"
