"""Standard streams that are closed, full, endless or of a poor character set: one line at most, and the work is done."""

import os
import subprocess
import sys

import pytest
from PIL import Image

from limpid.runtime import photo_jobs
from pictures import picture

LIMPID = f"{sys.executable} -m limpid"


@pytest.fixture
def shell(tmp_path, tiny):
    """Run a line of sh in which ``limpid`` is the command line and ``$M`` the tiny network: exit code, output, errors."""
    picture(tmp_path / "a.jpg")

    def run(line, **environment):
        done = subprocess.run(
            ["sh", "-c", f"ulimit -v 30000000; {line.replace('limpid', LIMPID, 1)}"],
            cwd=tmp_path,
            env={**os.environ, "M": str(tiny), "OMP_NUM_THREADS": "1", **environment},
            capture_output=True,
            timeout=280,
        )
        assert b"Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout, done.stderr.decode()

    return run


@pytest.mark.parametrize("closed", ["2>&-", "<&- 2>&-"])
def test_streams_that_are_not_needed_may_be_closed(shell, tmp_path, closed):
    code, _, err = shell(f"limpid separate a.jpg -o o -m $M {closed}")
    assert code == 0, err
    assert sorted(os.listdir(tmp_path / "o")) == ["a.reflection.jpg", "a.transmission.jpg"]
    assert Image.open(tmp_path / "o/a.transmission.jpg").size == (40, 30)


@pytest.mark.parametrize(
    ("output", "place"), [(">&-", "-o o"), (">&-", "-o -"), (">/dev/full", "-o o --json"), (">/dev/full", "-o -")]
)
def test_what_standard_output_did_not_take_is_said_in_one_line(shell, tmp_path, output, place):
    code, _, err = shell(f"limpid separate a.jpg -m $M {place} {output}")
    assert code == 1
    assert len(err.strip().splitlines()) == 1
    assert "standard output could not be written" in err
    if "-o o" in place:
        assert len(os.listdir(tmp_path / "o")) == 2


@pytest.mark.parametrize("source", ["<&-", "</dev/zero"])
def test_a_pipe_that_carries_no_photo(shell, source):
    code, _, err = shell(f"limpid separate - -o x.jpg -m $M {source}")
    assert code == 1
    assert len(err.strip().splitlines()) == 1, err
    assert "it is not an image" in err


@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii:strict"])
def test_names_that_the_terminal_cannot_show(shell, tmp_path, encoding):
    for name in (b"b\xff.jpg", "日本.jpg".encode(), b"\x1b[31mred\x07.jpg", b"c.jpg"):
        (tmp_path / "in").mkdir(exist_ok=True)
        with open(os.path.join(os.fsencode(tmp_path / "in"), name), "wb") as file:
            file.write((tmp_path / "a.jpg").read_bytes())
    code, out, err = shell("limpid separate in -o o -m $M", PYTHONIOENCODING=encoding)
    assert code == 0, err
    assert len(os.listdir(tmp_path / "o")) == 8
    assert b"\x1b" not in out
    assert "\x1b" not in err


def test_a_pipe_without_end_is_left(tmp_path, limpid, monkeypatch):
    monkeypatch.setattr(photo_jobs, "MOST_PIPED", 3 << 20)

    class Endless:
        given = 0

        def read(self, size):
            head = b"\xff\xd8\xff\xe0" if not self.given else b""
            Endless.given += size
            return head + bytes(size - len(head))

    monkeypatch.setattr(sys, "stdin", type("Stream", (), {"buffer": Endless()}))
    done = limpid("separate", "-", "-o", tmp_path / "x.jpg")
    assert done.code == 2
    assert "standard input carries more than 3.1 MB" in done.err
    assert Endless.given < 8 << 20
