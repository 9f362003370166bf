"""The page without a server: written whole, refused where it cannot run, and a photo separated by WebAssembly and WebGPU."""

import functools
import http.server
import json
import os
import re
import threading
from base64 import b64decode
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from limpid.errors import UsageError, WeightsError
from limpid.image.read import read
from limpid.runtime.load import load
from limpid.web import static_page
from limpid.web.options import AppOptions
from limpid.web.static_page import write_single, write_static
from web.browser import CHROMIUM, faults, look
from web.web_samples import png

onnx = pytest.importorskip("onnx")

ARCHIVE = os.environ.get("LIMPID_ORT_WEB")  # onnxruntime-web-1.30.0.tgz, which `npm pack onnxruntime-web@1.30.0` fetches
ABOUT = {"model": "m", "tasks": ["reflection"], "layers": ["transmission", "reflection"], "multiple": 16, "minimum": 16}


def network(path, about=ABOUT):
    """An ONNX file whose transmission is 0.75 of the photo and whose reflection is the rest."""
    from onnx import TensorProto, helper

    photo, *layers = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, "h", "w"]) for name in ("photo", "transmission", "reflection")
    )
    share = helper.make_tensor("share", TensorProto.FLOAT, [1], [0.75])
    nodes = [
        helper.make_node("Mul", ["photo", "share"], ["transmission"]),
        helper.make_node("Sub", ["photo", "transmission"], ["reflection"]),
    ]
    graph = helper.make_graph(nodes, "g", [photo], layers, [share])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    if about is not None:
        model.metadata_props.add(key="limpid", value=json.dumps(about))
    onnx.save(model, str(path))
    return path


@pytest.fixture
def without_runtime(monkeypatch):
    monkeypatch.setattr(static_page, "_fetched", lambda: b"")
    monkeypatch.setattr(static_page, "_checked", lambda archive: archive)
    monkeypatch.setattr(static_page, "_runtime", lambda archive, wanted: {"ort.mjs": b"export {}"})


@pytest.mark.usefixtures("without_runtime")
def test_the_folder_says_what_it_holds(tmp_path):
    folder = write_static(tmp_path / "site", [network(tmp_path / "mine.onnx", {**ABOUT, "whole_confidence": [0.001, 0.01]})])
    (row,) = json.loads((folder / "networks.json").read_text())
    assert (row["label"], row["multiple"], row["rebuilds"], row["whole_confidence"]) == ("mine", 16, True, [0.001, 0.01])
    worker = (folder / "service_worker.js").read_text()
    assert "limpid-VERSION" not in worker
    assert all(json.dumps(path.name) in worker for path in folder.iterdir() if path.name != "service_worker.js")
    texts = [path.read_text() for path in folder.glob("*.[jh]*") if path.name != "onnxruntime-web.LICENSE"]
    assert not any("http://" in text or "https://" in text for text in texts)
    with pytest.raises(UsageError, match="not empty"):
        write_static(folder, [])


@pytest.mark.parametrize("about", [None, {**ABOUT, "noise": [0.01]}, {**ABOUT, "graph": "head"}, {"tasks": []}])
@pytest.mark.usefixtures("without_runtime")
def test_what_cannot_run_in_a_browser_is_refused(tmp_path, about):
    with pytest.raises(WeightsError):
        write_static(tmp_path / "site", [network(tmp_path / "mine.onnx", about)])
    assert not (tmp_path / "site").exists()


def test_a_changed_archive_is_refused(tmp_path):
    (tmp_path / "ort.tgz").write_bytes(b"not it")
    with pytest.raises(WeightsError, match="SHA-512"):
        write_static(tmp_path / "site", [network(tmp_path / "mine.onnx")], tmp_path / "ort.tgz")


@pytest.mark.usefixtures("without_runtime")
def test_one_file_holds_everything(tmp_path):
    files = [network(tmp_path / "mine.onnx")]
    (page,) = write_single(tmp_path / "site", files).iterdir()
    held = dict(re.findall(r'data-file="([^"]+)">([^<]+)<', page.read_text()))
    assert set(held) == {"mine.onnx", "networks.json", "onnxruntime-web.LICENSE", "ort.mjs", "worker.js"}
    assert b64decode(held["mine.onnx"]) == files[0].read_bytes()
    assert not re.search(r"<(script|link|img)[^>]*(src|href)=", page.read_text())


def test_options_that_contradict_each_other_are_refused(tmp_path):
    given = {"static": tmp_path / "site", "onnx": [tmp_path / "mine.onnx"]}
    AppOptions(**given, single=True)
    for wrong in ({"single": True}, {"webgpu": True}, {**given, "single": True, "webgpu": True}):
        with pytest.raises(UsageError):
            AppOptions(**wrong)


GRAPHICS = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]
VARIANTS = {
    "folder": ("WebAssembly", ()),
    "adapter": ("WebGPU", GRAPHICS),
    "no adapter": ("WebAssembly", ()),
    "one file": ("WebAssembly", ()),
}


@pytest.mark.exhaustive
@pytest.mark.skipif(ARCHIVE is None or CHROMIUM is None, reason="no chromium, or no onnxruntime-web (LIMPID_ORT_WEB)")
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_photo_is_separated_in_the_browser(tmp_path, variant):
    playwright = pytest.importorskip("playwright.sync_api")
    photo, asked, (engine, arguments) = png(600, 70), [], VARIANTS[variant]
    with hosted(tmp_path, variant) as address, playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *arguments])
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.on("request", lambda request: asked.append((request.method, request.url)))
        page.goto(address)
        page.wait_for_selector("#network option", state="attached")
        page.set_input_files("#photo", {"name": "broken.png", "mimeType": "image/png", "buffer": b"broken"})
        page.wait_for_function("document.querySelector('#said').innerText.includes('cannot be read')")
        said, found = cleaned(page, photo)
        assert said.startswith("Done")
        assert engine in said
        assert faults(page) == []
        if variant == "folder":
            look(page, "static_page")
        browser.close()
    before = read(photo).pixels.astype(float)
    assert np.abs(found["transmission"] - 0.75 * before).max() <= 2
    assert np.abs(found["reflection"] - 0.25 * before).max() <= 2
    assert all(method == "GET" and url.split("/")[2].startswith("127.0.0.1") for method, url in asked if url.startswith("http"))


@pytest.mark.exhaustive
@pytest.mark.skipif(ARCHIVE is None or CHROMIUM is None, reason="no chromium, or no onnxruntime-web (LIMPID_ORT_WEB)")
def test_the_page_judges_and_separates_as_the_command_line(tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    photos = {
        "small": bright(200, 300),
        "seen small": grained(520, 700),
        "rebuilt": grained(300, 1400),
        "clean": chequered(520, 700),
    }
    file = telling(tmp_path, photos)
    separator = load(file)
    with hosted(tmp_path, "folder", [file]) as address, playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.goto(address)
        page.wait_for_selector("#network option", state="attached")
        for name, photo in photos.items():
            said, found = cleaned(page, photo)
            wanted = separator(photo)
            assert said.startswith("Nothing to remove" if name == "clean" else "Done"), name
            assert set(found) == {"transmission", "reflection"}
            for layer, pixels in found.items():
                assert np.abs(pixels - wanted.numpy(layer)).max() <= 2, (name, layer)
            assert np.array_equal(found["transmission"], read(photo).pixels) == (name == "clean")
        browser.close()


def telling(folder, photos):
    """Our network with a gate as an ONNX file, whose limits lie between what its gate says of the clean photo and of the others."""
    from exported import checkpoint
    from limpid.checkpoints.onnx_file import describe, read_onnx
    from limpid.runtime.export import export
    from limpid.runtime.options import ExportOptions

    path = folder / "mine.onnx"
    settings = {"gate": True, "local_confidence": (1e-4, 1e-3), "presence_limits": (0.0, 1.0)}
    export(ExportOptions(model=str(checkpoint("limpid", folder, **settings)), output=path))
    separator = load(path)
    found = {name: separator(photo).confidence for name, photo in photos.items()}
    low, high = found.pop("clean"), min(found["seen small"], found["rebuilt"])
    assert high - low > 1e-3
    limits = ((3 * low + high) / 4, (low + 3 * high) / 4)
    made, opened = onnx.load(path), read_onnx(path)
    said = {"presence_limits": (0.0, 1e-3), "reduced_presence_limits": limits}
    describe(made, opened.about.model_copy(update=said), onnx.load_model_from_string(opened.gate))
    onnx.save(made, path)
    return path


def grained(height, width):
    return encoded(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8))


def bright(height, width):
    down, across = np.mgrid[:height, :width]
    return encoded(255 - np.stack([down // 16, across // 16, down // 20], axis=2).astype(np.uint8))


def chequered(height, width):
    down, across = np.mgrid[:height, :width] // 32
    return encoded(np.repeat(((down + across) % 2 * 255).astype(np.uint8)[..., None], 3, axis=2))


def encoded(pixels):
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def cleaned(page, photo):
    """What the page says in the end, and the layers that it offers for download."""
    page.set_input_files("#photo", {"name": "p.png", "mimeType": "image/png", "buffer": photo})
    page.wait_for_function("!document.querySelector('#go').disabled")
    page.click("#go")
    page.wait_for_function("/^(Done|Nothing|This did)/.test(document.querySelector('#said').innerText)")
    found = {}
    for link in page.query_selector_all("#downloads a"):
        with page.expect_download() as waited:
            link.click()
        found[waited.value.suggested_filename.removesuffix(".png")] = read(waited.value.path()).pixels.astype(float)
    return page.inner_text("#said"), found


@contextmanager
def hosted(folder, variant, files=None):
    """The address of the page as ``variant`` says: served from this machine, or the one file."""
    files = files or [network(folder / "mine.onnx")]
    if variant == "one file":
        yield (write_single(folder / "site", files, Path(ARCHIVE)) / "limpid.html").as_uri()
        return
    site = write_static(folder / "site", files, Path(ARCHIVE), webgpu="adapter" in variant)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(site))) as host:
        threading.Thread(target=host.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{host.server_port}/"
        host.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript", ".wasm": "application/wasm"}

    def log_message(self, *given):
        pass
