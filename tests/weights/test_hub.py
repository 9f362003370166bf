"""Weights of a hub, from a stub of one on this machine."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from limpid import load
from limpid.errors import UsageError, WeightsError
from limpid.weights import manifest
from limpid.weights.hub import HubName, locate, parse_name

COMMIT, LATER = "a" * 40, "b" * 40


class Stub(BaseHTTPRequestHandler):
    """A hub with one public model, whose branch ``main`` moves."""

    head = COMMIT
    body = b"weights"
    asked: list = []  # noqa: RUF012

    def do_HEAD(self):
        self.asked.append(f"{self.command} {self.path}")
        if self.path == "/api/models/lab/net/revision/main":
            content, tag = json.dumps({"sha": type(self).head}).encode(), None
        elif self.path in [f"/lab/net/resolve/{commit}/model.safetensors" for commit in (COMMIT, LATER)]:
            content, tag = self.body, hashlib.sha256(self.body).hexdigest()
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        if tag:
            self.send_header("X-Linked-ETag", f'"{tag}"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_GET = do_HEAD  # noqa: N815

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(monkeypatch, tmp_path):
    for variable in ("LIMPID_OFFLINE", "HF_HUB_OFFLINE", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("LIMPID_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=lambda seconds: None))
    handler = type("Fresh", (Stub,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield handler
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("hf-hub:lab/net", HubName(owner="lab", name="net")),
        ("hf-hub:lab/net-v1.2@pr/3", HubName(owner="lab", name="net-v1.2", revision="pr/3")),
    ],
)
def test_names(text, parts):
    assert parse_name(text) == parts


@pytest.mark.parametrize("text", ["hf-hub:net", "hf-hub:a/b/c", "hf-hub:../x", "hf-hub:a/b@", "hf-hub:a b/c"])
def test_names_that_are_none(text):
    with pytest.raises(UsageError, match="names no model of the hub"):
        parse_name(text)


def test_a_branch_is_pinned_to_its_commit_and_works_offline(hub, monkeypatch, capsys):
    path = locate("hf-hub:lab/net")
    assert path.read_bytes() == hub.body
    assert "lab/net is pinned to aaaaaaaaaaaa" in capsys.readouterr().err
    assert COMMIT in str(path)
    hub.head = LATER
    assert locate("hf-hub:lab/net") == path
    assert LATER in str(locate(f"hf-hub:lab/net@{LATER}"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    count = len(hub.asked)
    assert locate("hf-hub:lab/net") == path
    assert len(hub.asked) == count
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE forbids"):
        locate("hf-hub:lab/other")


def test_a_damaged_file_is_fetched_again(hub):
    path = locate("hf-hub:lab/net")
    path.write_bytes(b"broken")
    assert locate("hf-hub:lab/net").read_bytes() == hub.body


@pytest.mark.parametrize(("head", "said"), [("main", "is no commit"), (None, "is no commit")])
def test_a_hub_that_answers_nonsense(hub, head, said):
    hub.head = head
    with pytest.raises(WeightsError, match=said):
        locate("hf-hub:lab/net")


def test_what_the_hub_does_not_know_and_a_damaged_note(hub, tmp_path):
    with pytest.raises(WeightsError, match="knows no public model lab/gone@main"):
        locate("hf-hub:lab/gone")
    locate("hf-hub:lab/net")
    (tmp_path / "cache/hub/lab--net/revisions.json").write_text("{")
    with pytest.raises(WeightsError, match="delete it"):
        locate("hf-hub:lab/net")


def test_a_hub_that_does_not_answer(monkeypatch, tmp_path):
    monkeypatch.setenv("LIMPID_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(WeightsError, match="the hub does not answer"):
        locate("hf-hub:lab/net")


def test_load_takes_a_name_of_the_hub(hub):
    hub.body = manifest.locate("limpid_denoise").read_bytes()
    loaded = load("hf-hub:lab/net", device="cpu")
    assert loaded.name == "hf-hub:lab/net"
    assert loaded.sha256 == hashlib.sha256(hub.body).hexdigest()
