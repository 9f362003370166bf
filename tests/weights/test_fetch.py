import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from limpid.errors import WeightsError
from limpid.weights.fetch import Remote, cache_folder, fetch

BODY = bytes(range(256)) * 64
DIGEST = hashlib.sha256(BODY).hexdigest()


class Stub(BaseHTTPRequestHandler):
    stated, status, asked = DIGEST, 200, 0

    def do_HEAD(self):
        type(self).asked += 1
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(BODY)))
        if self.stated:
            self.send_header("X-Linked-ETag", f'"{self.stated}"')
        self.end_headers()

    def do_GET(self):
        self.do_HEAD()
        if self.status == 200:
            self.wfile.write(BODY)

    def log_message(self, *_):
        pass


@pytest.fixture
def stub(monkeypatch, tmp_path):
    for variable in ("LIMPID_OFFLINE", "HF_HUB_OFFLINE", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("LIMPID_CACHE", str(tmp_path / "cache"))
    server = HTTPServer(("127.0.0.1", 0), type("Fresh", (Stub,), {}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
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
    assert [file.name for file in cache_folder().iterdir()] == ["net.pth"]


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
def test_an_absent_home_is_noticed_within_two_seconds(stub, host):
    started = time.monotonic()
    with pytest.raises(WeightsError, match="does not answer"):
        fetch(Remote(name="net.pth", url=f"http://{host}/net.pth", sha256=DIGEST))
    assert time.monotonic() - started < 2


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    monkeypatch.setenv("LIMPID_CACHE", str(tmp_path / "l"))
    assert cache_folder() == tmp_path / "l"
    monkeypatch.delenv("LIMPID_CACHE")
    assert cache_folder() == tmp_path / "x" / "limpid"
