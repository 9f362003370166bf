"""Paired comparisons of models."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from evaluation.test_summary import LMSE, PSNR, results, score
from limpid.evaluation.paired import gains, paired_table, sign_flip
from limpid.evaluation.table_writers import texts


def test_p_agrees_with_scipys_permutation_test():
    differences = np.random.default_rng(4).normal(0.4, 1, 25)
    theirs = stats.permutation_test(
        (differences, np.zeros(25)), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=9999, random_state=1
    )
    assert sign_flip(differences.tolist()) == pytest.approx(theirs.pvalue, abs=0.015)


def test_p_is_uniform_where_nothing_differs():
    draw = np.random.default_rng(5)
    assert np.mean([sign_flip(draw.normal(0, 1, 12).tolist()) < 0.1 for _ in range(60)]) == pytest.approx(0.1, abs=0.12)


def test_photos_of_one_scene_count_as_one_piece_of_evidence():
    differences, scenes = [1.0] * 30, [str(place // 6) for place in range(30)]
    assert sign_flip(differences) < 0.001
    assert sign_flip(differences, scenes) == pytest.approx(2 / 2**5, abs=0.01)  # five scenes: two of 32 signs reach it
    assert math.isnan(sign_flip(differences, ["one"] * 30))


@pytest.mark.parametrize(("metric", "sign"), [(PSNR, 1), (LMSE, -1)])
def test_a_gain_is_positive_where_the_model_is_better(metric, sign):
    values = [21.0, 22.0, 23.0, 24.0, 25.0]
    made = [score("s", str(place), "input", 20.0) for place in range(5)] + [
        score("s", str(place), "m", value) for place, value in enumerate(values)
    ]
    made = [replace(one, values={metric.name: one.values["psnr"]}) for one in made]
    (gain,) = gains(results(*made), [metric])
    assert gain.gain.value == pytest.approx(3 * sign)
    assert gain.gain.low <= gain.gain.value <= gain.gain.high
    assert gain.wins == (1 if sign > 0 else 0)


def test_the_table_names_every_pair_and_stays_silent_below_five_images():
    made = results(*(score("s", item, model, 20.0 + place) for place, model in enumerate(("input", "m", "n")) for item in "ab"))
    table = texts(paired_table(made))
    assert [row[1:3] for row in table] == [["m", "input"], ["n", "input"], ["n", "m"]]
    assert table[0][3:] == ["+1.00", "–", "100%", "2"]
    assert paired_table(results(score("s", "a", "input", 1.0))) is None
