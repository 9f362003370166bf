"""The HTTP API: what it answers, what it refuses, who may ask, what happens when many do."""

import signal
import socket
import sys
import threading
import time
import zipfile
from base64 import b64decode, b64encode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

for library in ("fastapi", "uvicorn", "prometheus_client", "python_multipart"):
    pytest.importorskip(library)

from limpid.image.read import read  # noqa: E402
from limpid.runtime import batch  # noqa: E402
from limpid.web import connections, serve  # noqa: E402
from photo_samples import encoded, exif, picture, samples  # noqa: E402
from photo_samples import png as png16  # noqa: E402
from web.web_samples import MARK, Dawdling, form, loading, pixels, png, serving  # noqa: E402

TOKEN = "a-token-of-ours"


@pytest.fixture(scope="module")
def client():
    with pytest.MonkeyPatch.context() as monkeypatch:
        loading(monkeypatch)
        with serving() as client:
            yield client


PHOTOS = {
    "png": png(),
    "jpeg": encoded(picture(), "JPEG", exif=exif(6)),
    "16 bits": png16(samples("uint16")),
    "grey": encoded(picture("L"), "PNG"),
    "alpha": encoded(picture("RGBA"), "PNG"),
    "gif": encoded(picture(), "GIF"),
}


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize("strength", ["1.0", "0.4"])
def test_the_answer_is_that_of_the_command_line(client, name, strength, tmp_path, monkeypatch, capsys):
    from limpid.cli.main import main

    answer = client.post("/api/separate", PHOTOS[name], layers="T,R", answer="json", strength=strength)
    assert answer.status == 200
    file = tmp_path / f"photo.{'png' if name != 'jpeg' else 'jpg'}"
    file.write_bytes(PHOTOS[name])
    monkeypatch.setattr(batch, "load_with", lambda *given, **kept: client.service.networks.get("limpid"))
    monkeypatch.setattr(sys, "argv", ["limpid", "separate", str(file), "--strength", strength, "-o", str(tmp_path / "out")])
    main_code = pytest.raises(SystemExit, main).value.code
    assert not main_code
    for layer in ("transmission", "reflection"):
        (written,) = (tmp_path / "out").glob(f"photo.{layer}.*")
        assert np.array_equal(pixels(b64decode(answer.json["layers"][layer])), read(written).pixels)


def test_one_layer_is_a_file_and_several_are_a_zip(client):
    one = client.post("/api/separate", png(), format="jpg")
    assert (one.status, one.headers["content-type"], one.content[:2]) == (200, "image/jpeg", b"\xff\xd8")
    several = client.post("/api/separate", png(), layers="all", format="tiff")
    with zipfile.ZipFile(BytesIO(several.content)) as archive:
        assert archive.namelist() == ["transmission.tif", "reflection.tif", "residual.tif"]


@pytest.mark.parametrize(("metadata", "kept"), [("strip", False), ("keep", True)])
def test_the_place_of_a_photo_is_told_only_when_asked_for(client, metadata, kept):
    answer = client.post("/api/separate", PHOTOS["jpeg"], metadata=metadata)
    assert (Image.open(BytesIO(answer.content)).getexif().get(0x010F) == "Maker") is kept


BOMB = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x4e\x20\0\0\x4e\x20\x08\x02\0\0\0" + bytes(40)


@pytest.mark.parametrize(
    ("photo", "fields", "status", "says"),
    [
        (b"", {}, 415, "0 bytes"),
        (b"no photo", {}, 415, "text"),
        (png()[:200], {}, 415, "photo"),
        (BOMB, {}, 413, "megapixels"),
        (None, {}, 422, "photo"),
        (png(), {"model": "../limpid"}, 422, "no model"),
        (png(), {"model": "limpid_denoise"}, 422, "no model"),
        (png(), {"layers": "transmision"}, 422, "did you mean 'transmission'"),
        (png(), {"layers": "T,R", "answer": "file"}, 422, "one layer"),
        (png(), {"strength": "2"}, 422, "strength"),
        (png(), {"strength": "nan"}, 422, "strength"),
        (png(), {"format": "exe"}, 422, "no format"),
        (PHOTOS["alpha"], {"format": "jpg"}, 415, "transparency"),
    ],
)
def test_what_cannot_be_done_is_said(client, photo, fields, status, says):
    answer = client.post("/api/separate", photo, **fields)
    assert answer.status == status
    assert says in answer.json["error"]
    assert "Traceback" not in answer.json["error"]


def test_other_doors(client):
    assert client.ask("GET", "/health").json["status"] == "ok"
    assert {row["label"]: row["route"] for row in client.ask("GET", "/api/models").json}["limpid_deblur"] == "/api/deblur"
    assert client.ask("GET", "/api/separate").status == 405
    page = client.ask("GET", "/docs").content.decode()
    assert "POST /api/denoise" in page
    assert "://" not in page  # nothing from another host
    text = client.ask("GET", "/metrics").content.decode()
    assert 'limpid_requests_total{path="/health",status="200"}' in text
    assert "limpid_queue 0.0" in text


def test_large_requests_are_cut_off(client):
    head = b"POST /api/separate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=mark\r\n"
    assert b" 413 " in raw(client, head + b"Content-Length: 40000000\r\n\r\n")
    begun = b'--mark\r\nContent-Disposition: form-data; name="photo"; filename="p"\r\n\r\n'
    pieces = (b"%x\r\n%s\r\n" % (len(part), part) for part in (begun, *[bytes(2**20)] * 40))
    said = raw(client, head + b"Transfer-Encoding: chunked\r\n\r\n", *pieces)
    assert b" 413 " in said or said == b""  # cut off while it still sends


def raw(client, *parts, wait=20):
    """What comes back on a connection that sends these bytes, until it is closed."""
    with socket.create_connection(("127.0.0.1", client.port), timeout=wait) as connection:
        said = b""
        try:
            for part in parts:
                connection.sendall(part)
            while piece := connection.recv(65536):
                said += piece
        except (ConnectionResetError, BrokenPipeError):
            pass
        return said


def test_slow_bodies_and_idle_connections_are_cut(monkeypatch):
    loading(monkeypatch)
    monkeypatch.setattr(serve, "BODY_SECONDS", 0.3)
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)
    head = f"POST /api/separate HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary={MARK}\r\n"
    with serving() as client:
        assert b" 408 " in raw(client, f"{head}Content-Length: 99\r\n\r\n--mark".encode())
        assert raw(client, b"POST /api/sep") == b""
        assert raw(client) == b""
        assert raw(client, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").count(b" 200 ") == 1


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:1", 200), ("127.0.0.1", 200), ("[::1]:80", 200), ("ours.example", 200), ("evil.example", 421), ("", 421)],
)
def test_unknown_host_names_are_refused(monkeypatch, host, status):
    loading(monkeypatch)
    with serving(allow_host=["ours.example"]) as client:
        assert client.ask("GET", "/health", Host=host).status == status


def test_pages_of_other_sites_may_not_send(client):
    assert client.post("/api/separate", png(), {"Origin": "https://evil.example"}).status == 403
    assert client.post("/api/separate", png(), {"Origin": f"http://127.0.0.1:{client.port}"}).status == 200


def test_a_token_or_a_password_is_needed_where_one_is_set(monkeypatch):
    loading(monkeypatch)
    with serving(token=TOKEN, auth="me:a pass") as client:
        assert client.ask("GET", "/health").status == 200
        for wrong in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic !!"}, {"Cookie": "limpid_token=é"}):
            assert client.ask("GET", "/api/models", **wrong).status == 401
        for right in (f"Bearer {TOKEN}", f"Basic {b64encode(b'me:a pass').decode()}"):
            assert client.ask("GET", "/api/models", Authorization=right).status == 200
        welcome = client.ask("GET", f"/api/models?token={TOKEN}")
        cookie = welcome.headers["set-cookie"]
        assert welcome.status == 303
        assert "HttpOnly" in cookie
        assert client.ask("GET", "/api/models", Cookie=cookie.split(";")[0]).status == 200


def test_thirty_two_clients_all_get_an_answer(monkeypatch):
    loading(monkeypatch, Dawdling(0.1))
    answers = []
    with serving(queue=3) as client:
        client.post("/api/separate", png(24, 24))  # the cost is known
        crowd = [threading.Thread(target=lambda: answers.append(client.post("/api/separate", png()))) for _ in range(32)]
        for one in crowd:
            one.start()
        for one in crowd:
            one.join()
    assert len(answers) == 32
    assert {answer.status for answer in answers} == {200, 429}
    assert all("retry-after" in answer.headers for answer in answers if answer.status == 429)


def test_work_stops_when_its_client_goes_away(monkeypatch):
    part = Dawdling(60)
    loading(monkeypatch, part)
    body = form(png())
    head = f"POST /api/separate HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    with serving() as client:
        client.post("/api/separate", png(24, 24))
        with socket.create_connection(("127.0.0.1", client.port)) as connection:
            connection.sendall(f"{head}Content-Type: multipart/form-data; boundary={MARK}\r\n\r\n".encode() + body)
            until(lambda: part.steps > 2)
            assert client.ask("GET", "/health").status == 200  # while a photo is worked on
        until(lambda: client.service.queue.inside == 0)
        assert part.steps < len(part.parts)


def until(there, seconds=30):
    """Wait for what must come."""
    end = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_photo_that_takes_too_long_is_given_up(monkeypatch):
    loading(monkeypatch, Dawdling(60))
    with serving(timeout=1) as client:
        answer = client.post("/api/separate", png())
        assert (answer.status, "1 s" in answer.json["error"]) == (408, True)
        until(lambda: client.service.queue.inside == 0)


def test_sigterm_lets_a_photo_end_that_is_worked_on(monkeypatch):
    part, answers = Dawdling(1), []
    loading(monkeypatch, part)
    with serving() as client:
        client.post("/api/separate", png(24, 24))
        asking = threading.Thread(target=lambda: answers.append(client.post("/api/separate", png())))
        asking.start()
        until(lambda: part.steps > 2)
        client.server.handle_exit(signal.SIGTERM, None)
        asking.join(30)
        until(lambda: not client.server.servers[0].is_serving())
        with pytest.raises(ConnectionRefusedError):
            client.ask("GET", "/health")
    assert [answer.status for answer in answers] == [200]
    assert not client.server._captured_signals  # what uvicorn raises again at its end would be the exit code


@pytest.mark.parametrize("path", ["/api/separate", "/api/models", "/health"])
def test_a_bad_chunk_is_refused_without_a_word_in_the_log(monkeypatch, capfd, caplog, path):
    loading(monkeypatch)
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary={MARK}\r\n".encode()
    with serving() as client:
        for pause in (0.0, 0.3):  # with the request, or after some paths have answered it
            with socket.create_connection(("127.0.0.1", client.port), timeout=10) as connection:
                connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n")
                time.sleep(pause)
                connection.sendall(b"zz\r\n")
                assert connection.recv(12) in (b"HTTP/1.1 400", b"HTTP/1.1 405")
        assert client.ask("GET", "/health").status == 200
    assert "Traceback" not in capfd.readouterr().err
    assert not caplog.records
