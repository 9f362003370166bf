"""Scores that are remembered."""

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
