"""README is true: every command of it runs, in its order, from a folder with the photos that it names, without any network.

Lines of pip are skipped. What takes its time is shortened by ``SHORTER``; ``limpid app`` runs beside the lines that follow it.
"""

import re
import shlex
import subprocess
import sys
import tomllib
import zlib

import cv2
import numpy as np
import pytest
import tifffile
import torch
import typer
from PIL import Image

from limpid import create_model
from limpid.cli.main import app
from pictures import picture
from scripts import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHORTER = {
    "--steps 4000": "--steps 2",
    "--count 200 --size 256x256": "--count 6 --size 48x48",
    "PAIRS=glass/": "PAIRS=glass/ train.epochs=1 data.epoch=2 data.batch=1 data.train.0.augment.crop=32",
    "noise:sigma=5,15,25,50 --crop 128": "noise:sigma=25 --crop 32",
    "--size 512 --backend torch,torch-bf16,onnx": "--size 64 --backend torch,onnx --repeats 1",
}
"""What is typed → what the test types, so that it ends within minutes."""

PATIENT = ("--fail", "--silent", "--show-error", "--retry-connrefused", "--retry", "120", "--retry-delay", "1")
"""How curl waits for a server that is starting."""


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(text):
    """Lines of shell in their order, comments and continuations resolved."""
    joined = "\n".join(blocks(text, "sh")).replace("\\\n", " ")
    lines = (re.sub(r"\s+#\s.*", "", line).strip() for line in joined.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def parsed(words):
    """Take apart what stands behind ``limpid`` as the command line does, without running it."""
    group = typer.main.get_command(app)
    name, command, rest = group.resolve_command(typer.Context(group), words)
    assert command is not None
    command.make_context(name, list(rest))


LINES = [pytest.param(line, id=f"{page.stem}: {line}") for page in PAGES for line in commands(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("line", LINES)
def test_every_command_of_the_pages_is_one(line, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    words = shlex.split(line.split(" | ")[0].split(" > ")[0])
    if words[0] == "limpid":
        parsed(words[1:])
    else:
        assert words[0] in ("pip", "curl", "make", "python", "docker", "export", "cd", "git", "ffmpeg", "npm"), line


def test_installation_comes_first_and_names_what_a_cpu_needs():
    first = commands(README)
    assert first[0].startswith("pip install torch --index-url https://download.pytorch.org/whl/cpu")
    assert first[1:3] == ["pip install limpid", "limpid demo -o demo.png"]
    assert README.index("## Install") < README.index("## Use it")
    assert re.search(r"takes 1\.\d GB of disk", README)


def test_a_package_index_can_show_the_readme():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    source = project["urls"]["Source"]
    assert {"Homepage", "Documentation", "Source", "Issues", "Changelog"} <= set(project["urls"])
    assert all(link.startswith(source) for link in project["urls"].values())
    links = re.findall(r"\]\(([^)#\s]+)", README)
    assert [link for link in links if not link.startswith("https://")] == []
    own = [link.removeprefix(source) for link in links if link.startswith(source)]
    inside = [re.sub("^/(blob|raw)/main/", "", link) for link in own]
    assert [path for path in inside if not (ROOT / path).exists()] == []


def of_its_own(path, size=(64, 48)):
    """A photo unlike those of other names."""
    return picture(path, size=size, seed=zlib.crc32(path.name.encode()))


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with everything that README names and does not make."""
    for name in ("photo.jpg", "dusk.jpg", "shaken.jpg", "window.jpg", "holiday/a.jpg", "holiday/lake/b.png"):
        of_its_own(tmp_path / name)
    for place in range(6):
        of_its_own(tmp_path / f"photos/{place}.png", size=(96, 80))
    Image.fromarray(np.repeat(np.uint8([[255] * 20 + [0] * 44]), 48, axis=0)).save(tmp_path / "mask.png")
    tifffile.imwrite(
        tmp_path / "scan.tiff", np.random.default_rng(0).integers(0, 65536, (40, 50, 3), dtype=np.uint16), photometric="rgb"
    )
    torch.manual_seed(0)
    torch.save(create_model("dsrnet", "tiny").state_dict(), tmp_path / "dsrnet_l_epoch18.pt")
    nafnet = {key.replace("attention.1", "sca.1"): value for key, value in create_model("nafnet", "tiny").state_dict().items()}
    (tmp_path / "experiments/NAFNet-mine/models").mkdir(parents=True)
    for name in ("NAFNet-GoPro-width32.pth", "experiments/NAFNet-mine/models/net_g_10.pth"):
        torch.save({"params": nafnet}, tmp_path / name)
    film = cv2.VideoWriter(str(tmp_path / "walk.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 5, (64, 48))
    for place in range(3):
        film.write(np.full((48, 64, 3), 60 * place, np.uint8))
    film.release()
    monkeypatch.chdir(tmp_path)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("LIMPID_OFFLINE", "1")
    return tmp_path


def shortened(line):
    for long, short in SHORTER.items():
        line = line.replace(long, short)
    return line


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
def test_every_command_of_the_readme_runs_in_order(limpid, desk):
    said = "\n".join(commands(README))
    assert all(long in said for long in SHORTER), "a line of README has changed"
    served = None
    try:
        for line in commands(README):
            words = shlex.split(shortened(line))
            if words[0] == "pip":
                continue
            if words == ["limpid", "app"]:
                served = subprocess.Popen([sys.executable, "-m", "limpid", "app", "--quiet"], stderr=subprocess.PIPE)
            elif words[0] == "curl":
                done = subprocess.run([*words, *PATIENT], check=False)
                assert done.returncode == 0, line
            else:
                assert words[0] == "limpid", line
                done = limpid(*words[1:])
                assert done.code == 0, f"{line}\n{done.err}"
        for code in blocks(README, "python"):
            exec(compile(code, "README.md", "exec"), {})
    finally:
        if served is not None:
            served.terminate()
            served.wait(60)
    assert Image.open(desk / "window.transmission.jpg").size == (64, 48)
    assert Image.open(desk / "demo.png").size[0] > 1000
    for name in (
        "photo.transmission.jpg",
        "separated/lake/b.reflection.png",
        "faint/photo.compare.png",
        "out/report.html",
        "best.png",
    ):
        assert (desk / name).is_file()
