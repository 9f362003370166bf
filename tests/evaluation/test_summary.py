"""Means, intervals and paired comparisons."""

import math

import numpy as np
import pytest
from scipy import stats

from limpid.evaluation.results import INPUT, MetricInfo, ModelInfo, Results, Score, SetInfo
from limpid.evaluation.summary import by_image, by_set, groups, interval, win_rate

PSNR = MetricInfo(name="psnr", title="PSNR", unit="dB", direction="higher", digits=2, range=(0, 100))
LMSE = MetricInfo(name="lmse", title="LMSE", unit="", direction="lower", digits=4, range=(0, math.inf))


def score(set_name, item, model, value, **more):
    return Score(set=set_name, item=item, model=model, size=(8, 8), values={} if value is None else {"psnr": value}, **more)


def results(*scores):
    sets = tuple(SetInfo(label=name, count=1, expected="", fingerprint="") for name in dict.fromkeys(s.set for s in scores))
    models = tuple(ModelInfo(label=name, description="") for name in dict.fromkeys(s.model for s in scores))
    return Results(protocol="field", models=models, sets=sets, metrics=(PSNR,), scores=tuple(scores))


def test_the_interval_of_a_mean_agrees_with_scipys_bootstrap():
    values = np.random.default_rng(3).normal(20, 4, 60)
    ours = interval(values.tolist())
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=9999, random_state=1).confidence_interval
    assert ours.value == pytest.approx(values.mean(), abs=1e-12)
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs), abs=0.15)


def test_the_interval_is_the_same_every_time():
    assert interval([1.0, 5.0, 9.0]) == interval([1.0, 5.0, 9.0])


def test_a_mean_over_nothing_has_no_value():
    assert math.isnan(interval([]).value)
    assert interval([]).count == 0


def test_averages_by_image_and_by_set_differ_as_their_names_say():
    parts = groups(results(score("one", "a", "m", 10.0), score("two", "a", "m", 20.0), score("two", "b", "m", 30.0)))
    assert by_image(parts, "m", "psnr").value == pytest.approx(20)
    assert by_set(parts, "m", "psnr") == pytest.approx((10 + 25) / 2)


def test_failed_images_and_images_without_a_value_are_counted_apart():
    (group,) = groups(
        results(score("s", "a", "m", 10.0), score("s", "b", "m", math.nan), score("s", "c", "m", None, error="c.png is cut short"))
    )
    mean = group.mean("m", "psnr")
    assert (mean.value, mean.count, mean.without) == (10.0, 1, 2)


def test_wins_are_paired_and_know_which_way_is_better():
    mine, theirs = {"a": 2.0, "b": 1.0, "c": 5.0, "d": 9.0}, {"a": 1.0, "b": 3.0, "c": 5.0}
    assert win_rate(mine, theirs, PSNR) == pytest.approx((1 + 0 + 0.5) / 3)
    assert win_rate(mine, theirs, LMSE) == pytest.approx((0 + 1 + 0.5) / 3)
    assert math.isnan(win_rate({"a": 1.0}, {"b": 1.0}, PSNR))


def test_conditions_make_groups_of_their_own():
    low, high = ({"noise": sigma} for sigma in (5.0, 25.0))
    found = groups(results(*(score("k", "a", INPUT, 1.0, conditions=conditions) for conditions in (low, high))))
    assert [group.label for group in found] == ["k noise 5", "k noise 25"]
