"""A running API with a network that takes a known amount off the left half of a photo."""

import http.client
import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import torch
from PIL import Image
from torch import nn

from limpid.layers.network import LayerNetwork, Needs
from limpid.layers.separation import Separation
from limpid.layers.task import TASKS
from limpid.runtime.separator import Separator
from limpid.web import networks
from limpid.web.options import AppOptions

MARK = "mark"


class Darkening(LayerNetwork):
    needs = Needs(multiple=8, minimum=8)
    radius = 0

    def __init__(self, part=None, task="reflection"):
        super().__init__()
        self.part, self.layers = part or nn.Identity(), TASKS[task].layers

    def separate(self, mixed, recall=None):
        reflection = torch.zeros_like(mixed)
        reflection[..., : mixed.shape[-1] // 2] = 0.2
        self.part(mixed)
        return Separation(dict(zip(self.layers, (mixed - reflection, reflection), strict=False)))


class Dawdling(nn.Module):
    """Takes its time in small steps for photos wider than ``probe``, so that it can be given up; ``steps`` it took."""

    def __init__(self, seconds, probe=32):
        super().__init__()
        self.parts = nn.ModuleList(nn.Identity() for _ in range(round(seconds / 0.02)))
        self.probe, self.steps = probe, 0

    def forward(self, mixed):
        for part in self.parts if mixed.shape[-1] > self.probe and mixed.shape[-1] != 256 else ():
            part(mixed)
            self.steps += 1
            time.sleep(0.02)


def loading(monkeypatch, part=None):
    """Networks are loaded as ``Darkening`` with the layers of whatever task is asked for."""

    def load(name, options, task="reflection"):
        return Separator(Darkening(part, task or "reflection"), TASKS[task or "reflection"], name=str(name))

    monkeypatch.setattr(networks, "load_with", load)


@dataclass
class Answer:
    status: int
    headers: dict
    content: bytes

    @property
    def json(self):
        return json.loads(self.content)


class Client:
    def __init__(self, server, service):
        self.server, self.port, self.service = server, server.port, service

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read())
        finally:
            connection.close()

    def post(self, path, photo, _headers=None, **fields):
        return self.ask(
            "POST", path, form(photo, **fields), Content_Type=f"multipart/form-data; boundary={MARK}", **(_headers or {})
        )


def form(photo, filename="photo.png", **fields):
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    if photo is not None:
        parts.append(f'Content-Disposition: form-data; name="photo"; filename="{filename}"\r\n\r\n'.encode() + photo)
    return b"".join(b"--%s\r\n%s\r\n" % (MARK.encode(), part) for part in parts) + f"--{MARK}--\r\n".encode()


@contextmanager
def serving(**settings):
    """The API on a free port, in a thread; settings are those of ``AppOptions``."""
    from limpid.web.api import build
    from limpid.web.connections import server
    from limpid.web.serve import guarded, service_of

    options = AppOptions(**settings)
    service = service_of(options)
    running = server(guarded(build(service), service, options), "127.0.0.1", 0)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    try:
        yield Client(running, service)
    finally:
        running.should_exit = True
        thread.join(30)


def png(width=48, height=40, mode="RGB", **settings):
    coarse = np.random.default_rng(0).integers(60, 256, (6, 8, 3), dtype=np.uint8)
    photo = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).convert(mode)
    buffer = BytesIO()
    photo.save(buffer, "PNG", **settings)
    return buffer.getvalue()


def pixels(content):
    from limpid.image.read import read

    return read(content).pixels
