"""``limpid models download|verify|path``: files of weights, found, checked and fetched, without any network."""

import hashlib
import json

import pytest

from limpid.backbones import _backbone
from limpid.weights import manifest

VGG = "vgg19-dcbb9e9d.pth"


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("LIMPID_CACHE", str(tmp_path))
    monkeypatch.setenv("LIMPID_OFFLINE", "1")
    return tmp_path


def test_paths_are_those_of_files_that_are_there(limpid, cache):
    assert limpid("models", "path").lines == [str(cache)]
    assert limpid("models", "path", "limpid_denoise").lines == [str(manifest.locate("limpid_denoise"))]
    lacking = limpid("models", "path", "nafnet", "vgg19")
    assert lacking.code == 2
    assert lacking.lines == [str(manifest.locate("limpid_denoise"))]
    assert "not here, or damaged: vgg19; `limpid models download vgg19` fetches what has a home" in lacking.err


def test_what_is_shipped_is_verified(limpid, cache):
    done = limpid("models", "verify")
    assert done.code == 0, done.out
    for row in manifest.rows().values():
        assert f"ok  {row.name}: sha256 {row.sha256}, " in done.out
    assert "--  vgg19: not here" in done.lines
    found = [json.loads(line) for line in limpid("models", "verify", "--json", "limpid").lines]
    assert (found[0]["state"], found[0]["sha256"]) == ("shipped", manifest.rows()["limpid"].sha256)


def test_damage_is_named_and_counts(limpid, cache, monkeypatch):
    (cache / VGG).write_bytes(b"a page that says login")
    done = limpid("models", "verify", "dsrnet")
    assert done.code == 1
    assert f"BAD {VGG}: {cache / VGG} is damaged, its checksum is wrong" in done.out
    absent = limpid("models", "verify", "dinov3_vits16")
    assert absent.code == 1
    assert "--  dinov3_vits16: not here (" in absent.out


def test_a_download_says_where_it_went(limpid, cache, monkeypatch):
    def fetch(remote):
        (cache / remote.name).write_bytes(b"weights")
        return cache / remote.name

    monkeypatch.setattr(_backbone, "fetch", fetch)
    assert limpid("models", "download", "vgg19").lines == [str(cache / VGG)]
    (found,) = (json.loads(line) for line in limpid("models", "download", "errnet", "--json").lines)
    assert found == {
        "name": VGG,
        "state": "cached",
        "path": str(cache / VGG),
        "sha256": hashlib.sha256(b"weights").hexdigest(),
        "says": "",
    }


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["download"], 2, "name what to download: basenet, "),
        (["download", "vgg19"], 1, "LIMPID_OFFLINE forbids to download it"),
        (["download", "vgg20"], 2, "did you mean 'vgg19'?"),
        (["verify", "--task", "denoise"], 2, "takes names, not --task"),
        (["dsrnet", "errnet"], 2, "the card is of one network"),
    ],
)
def test_wrong_words_are_one_line(limpid, cache, words, code, message):
    done = limpid("models", *words)
    assert done.code == code
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_the_list_says_where_nobody_gives_a_licence(limpid):
    rows = {line.split()[0]: line for line in limpid("models").lines if line.strip()}
    assert all("none stated" in rows[name] for name in ("dsit", "rdnet", "ragnet", "location_aware"))
    assert "Apache-2.0" in rows["ytmt"]
    assert "licence none stated: all rights reserved" in limpid("models", "dsit").out
