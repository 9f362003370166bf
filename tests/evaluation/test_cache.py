"""Scores that are remembered."""

import json
import math

import pytest

from limpid.errors import UsageError
from limpid.evaluation.cache import Cache, key
from limpid.evaluation.results import Score


def score(item="a", **more):
    more = {"values": {"psnr": 14.123456789012345, "ncc": math.nan}, "conditions": {"noise": 25.0}, **more}
    return Score(set="s", item=item, model="m", size=(4, 5), capped={"psnr": 1}, seconds=0.25, peak_bytes=7, **more)


def reopened(path):
    cache = Cache(path)
    cache.close()
    return cache


def test_a_score_comes_back_as_it_was(tmp_path):
    cache = Cache(tmp_path / "below" / "scores.jsonl")
    cache.put("k", score())
    cache.close()
    found = reopened(tmp_path / "below" / "scores.jsonl").get("k")
    assert math.isnan(found.values["ncc"])
    assert found.values["psnr"] == 14.123456789012345
    assert (found.size, found.conditions, found.capped, found.seconds) == ((4, 5), {"noise": 25.0}, {"psnr": 1}, 0.25)


def test_a_line_cut_short_costs_that_score_alone(tmp_path):
    path = tmp_path / "scores.jsonl"
    cache = Cache(path)
    for name in "abc":
        cache.put(name, score(name))
    cache.close()
    path.write_bytes(path.read_bytes()[:-30])
    cache = Cache(path)
    assert [cache.get(name) is None for name in "abc"] == [False, False, True]
    cache.put("c", score("c"))
    cache.close()
    assert all(reopened(path).get(name).item == name for name in "abc")


def test_rubbish_in_the_file_is_passed_over(tmp_path):
    path = tmp_path / "scores.jsonl"
    path.write_bytes(b'\xff\xfe\n[1]\n{"key": "x"}\n{"key": "y", "size": 3}\nnull\n')
    assert reopened(path).get("x") is None


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="choose another folder with --report"):
        Cache(tmp_path / "file" / "scores.jsonl")


def test_keys_tell_where_one_part_ends():
    assert key("ab", "c") != key("a", "bc")
    assert key("a", "b") == key("a", "b")


@pytest.mark.parametrize(
    "damage",
    [
        b"[" * 100_000,
        b'{"a":' * 50_000,
        {"values": "many"},
        {"values": {"psnr": "high"}},
        {"size": "large"},
        {"size": [1]},
        {"seconds": "long"},
        {"peak_bytes": []},
        {"conditions": {"noise": {}}},
        {"capped": 3},
        {"item": None},
        {"stranger": 1},
    ],
    ids=lambda damage: str(damage)[:20],
)
def test_a_damaged_row_costs_that_score_alone(tmp_path, damage):
    path = tmp_path / "scores.jsonl"
    cache = Cache(path)
    cache.put("a", score("a"))
    cache.put("b", score("b"))
    cache.close()
    first, second = path.read_bytes().splitlines()
    changed = damage if isinstance(damage, bytes) else json.dumps({**json.loads(first), **damage}).encode()
    path.write_bytes(changed + b"\n" + second + b"\n")
    found = reopened(path)
    assert found.get("b").item == "b"
    assert found.get("a") is None or found.get("a").item == "a"
