"""Means, intervals and paired comparisons."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from limpid.evaluation.results import INPUT, MetricInfo, ModelInfo, Results, Score, SetInfo
from limpid.evaluation.summary import by_image, by_set, groups, interval, of_a_kind, win_rate

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
    assert interval([1.0, 5.0, 9.0, 2.0, 3.0]) == interval([1.0, 5.0, 9.0, 2.0, 3.0])


def test_few_images_or_scenes_have_no_interval():
    assert math.isnan(interval([1.0, 5.0, 9.0, 2.0]).low)
    assert math.isfinite(interval([1.0, 5.0, 9.0, 2.0, 3.0]).low)
    assert math.isnan(interval([1.0, 5.0, 9.0, 2.0, 3.0], ["a", "b", "b", "c", "d"]).high)


def test_photos_of_one_scene_are_drawn_together():
    draw = np.random.default_rng(2)
    scenes = draw.normal(20, 4, 12)
    values = np.repeat(scenes, 10) + draw.normal(0, 0.1, 120)
    names = [f"scene {place // 10}" for place in range(120)]
    apart, together = interval(values.tolist()), interval(values.tolist(), names)
    theirs = stats.bootstrap((values.reshape(12, 10).mean(axis=1),), np.mean, method="percentile", random_state=1)
    assert (together.low, together.high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.3)
    assert together.high - together.low > 2.5 * (apart.high - apart.low)  # √10 in theory
    assert together.value == apart.value


def test_models_are_compared_on_the_images_that_all_of_them_have():
    easy, hard = 30.0, 10.0
    (group,) = groups(
        results(
            score("s", "a", "m", easy), score("s", "b", "m", hard), score("s", "a", "n", easy - 1),
            score("s", "b", "n", None, error="it broke"), score("s", "a", "none", None), score("s", "b", "none", None),
        )
    )  # fmt: skip
    assert [group.mean(model, "psnr").value for model in "mn"] == [easy, easy - 1]  # n gains nothing by failing on the hard one
    assert group.mean("m", "psnr").without == 1
    assert math.isnan(group.mean("none", "psnr").value)
    assert [group.failed(model) for model in ("m", "n", "none")] == [0, 1, 0]


def test_a_model_without_a_set_has_no_average_over_it():
    parts = groups(results(*(score(name, "a", model, 9.0) for name, model in (("one", "m"), ("two", "m"), ("one", "n")))))
    assert by_image(parts, "m", "psnr").value == 9
    assert math.isnan(by_image(parts, "n", "psnr").value) or all("n" in part.scores for part in parts)


def test_computed_and_photographed_pairs_are_not_averaged_together():
    made = results(*(score(name, "a", "m", 1.0) for name in ("real20", "wild", "table2", "table41")))
    infos = tuple(replace(info, synthetic=info.label.startswith("table")) for info in made.sets)
    kinds = of_a_kind(replace(made, sets=infos), groups(made))
    assert [[part.set for part in alike] for alike in kinds] == [["real20", "wild"], ["table2", "table41"]]


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
