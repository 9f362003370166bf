"""Sets that are drawn while they are measured."""

import numpy as np
import pytest

from evaluation.pair_sets import photo, save
from limpid.errors import SettingError, UnknownNameError, UsageError
from limpid.evaluation.degradation_text import parse
from limpid.evaluation.live_sets import open_live
from limpid.evaluation.protocols import SIZE_RULES
from limpid.physics.leaves.chart import chart
from limpid.physics.leaves.settings import Chart
from limpid.physics.seeds import generator

NOISE = parse(["noise:sigma=25"], [])


def truth(found, place=0):
    return found.items[place].open(SIZE_RULES["native"]).truths["restored"].pixels


def test_charts_are_those_of_the_seed():
    found = open_live("dead_leaves_live:charts=3:side=24:seed=7", NOISE)
    assert [item.name for item in found.items] == ["00000", "00001", "00002"]
    expected = chart(Chart(), (24, 24), generator(7, 1, "chart")).permute(1, 2, 0).numpy()
    assert np.abs(truth(found, 1) - expected).max() <= 0.5 / 255 + 1e-6
    assert found.info.synthetic


def test_settings_decide_the_charts_the_label_and_the_keys():
    plain, wide, grown = (
        open_live(f"dead_leaves_live:charts=2:side=24{more}", NOISE)
        for more in ("", ":colours=saturated:shapes={disk: 2, polygon: 1}", ":seed=3")
    )
    assert wide.info.label == "dead_leaves_live-charts-2-side-24-colours-saturated-shapes-disk_2_polygon_1"
    assert len({found.items[0].key for found in (plain, wide, grown)}) == 3
    assert len({found.info.fingerprint for found in (plain, wide, grown)}) == 3
    assert not np.array_equal(truth(plain), truth(wide))


def test_natural_colours_are_those_of_the_source(tmp_path):
    save(tmp_path / "red.png", np.full((40, 40, 3), (200, 10, 10), np.uint8))
    found = open_live(f"dead_leaves_live:charts=1:side=16:colours=natural:source={tmp_path}", NOISE)
    assert np.allclose(truth(found) * 255, (200, 10, 10), atol=0.6)
    save(tmp_path / "red.png", photo(0))
    other = open_live(f"dead_leaves_live:charts=1:side=16:colours=natural:source={tmp_path}", NOISE)
    assert other.items[0].key != found.items[0].key


def test_the_first_charts_are_a_set_of_their_own():
    assert len(open_live("dead_leaves_live:side=16", NOISE).items) == 100
    assert len(open_live("dead_leaves_live:side=16", NOISE, 2).items) == 2


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("dead_leaves_live:side", UsageError, "':side' is no setting"),
        ("dead_leaves_live:side=0", SettingError, "side of dead_leaves_live is a whole number from 1"),
        ("dead_leaves_live:charts=many", SettingError, "whole number from 1; got 'many'"),
        ("dead_leaves_live:sied=8", UnknownNameError, "did you mean 'side'"),
        ("dead_leaves_live:colours=loud", SettingError, "got .loud."),
        ("dead_leaves_live:source=/tmp", UsageError, "colours=natural"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(text, kind, says):
    with pytest.raises(kind, match=says):
        open_live(text, NOISE)


def test_clean_charts_are_nothing_to_measure():
    with pytest.raises(UsageError, match="say how to degrade them"):
        open_live("dead_leaves_live", [])
