import json
import math

import pytest
import torch

from limpid.errors import DataError, SettingError, ShapeError
from limpid.layers.encoding import to_encoded
from limpid.metrics.whdr import Judgement, metric, read_judgements, whdr


def said(darker, weight=1.0, first=(0.0, 0.5), second=(0.99, 0.5)):
    return Judgement(first=first, second=second, darker=darker, weight=weight)


def halves(left, right):
    """A grey albedo, encoded, whose halves have these lightnesses in linear light."""
    linear = torch.cat([torch.full((3, 6, 4), value, dtype=torch.float64) for value in (left, right)], dim=2)
    return to_encoded(linear)


def test_a_constant_albedo_errs_by_the_weight_of_all_that_is_not_equal():
    judgements = [said("1", 0.5), said("2", 1.0), said("E", 2.5)]
    assert whdr(torch.full((3, 5, 5), 0.3), judgements) == pytest.approx(1.5 / 4)


@pytest.mark.parametrize(("left", "right", "darker"), [(0.5, 0.551, "1"), (0.5, 0.549, "E"), (0.551, 0.5, "2"), (0.549, 0.5, "E")])
def test_points_differ_from_a_ratio_of_1_plus_delta_in_linear_light(left, right, darker):
    for claim in ("1", "2", "E"):
        assert whdr(halves(left, right), [said(claim)]) == float(claim != darker)


def test_linear_albedo_and_delta_are_settings():
    linear = torch.cat([torch.full((3, 2, 2), 0.5), torch.full((3, 2, 2), 0.6)], dim=2)
    assert metric(linear=True)(linear, [said("1")]) == 0.0
    assert metric(linear=True, delta=0.25)(linear, [said("1")]) == 1.0
    with pytest.raises(SettingError, match=r"whdr\.delta"):
        whdr(linear, [said("1")], delta=-0.1)


def test_points_are_shares_of_width_then_height_and_the_far_edge_belongs_to_the_photo():
    albedo = torch.full((3, 4, 8), 0.2)
    albedo[:, 3, 1] = 0.9  # x = 1/8…2/8, y = 3/4…1
    assert whdr(albedo, [said("2", first=(0.2, 1.0), second=(1.0, 0.0))]) == 0.0
    assert whdr(albedo, [said("E", first=(0.8, 0.2), second=(1.0, 1.0))]) == 0.0


def test_black_equals_black_and_is_darker_than_anything():
    assert whdr(halves(0.0, 0.0), [said("E")]) == 0.0
    assert whdr(halves(0.0, 0.01), [said("1")]) == 0.0


def test_without_judgements_there_is_no_rate():
    assert math.isnan(whdr(torch.rand(3, 4, 4), []))


def test_an_albedo_of_another_shape_is_an_error():
    with pytest.raises(ShapeError, match=r"\(1, 4, 4\)"):
        whdr(torch.rand(1, 4, 4), [said("E")])


def write(path, comparisons, *, opaque=(True, True, False)):
    points = [{"id": 10 + place, "x": 0.1 * place, "y": 0.5, "opaque": flag} for place, flag in enumerate(opaque)]
    path.write_text(json.dumps({"intrinsic_points": points, "intrinsic_comparisons": comparisons}), encoding="utf-8")
    return path


def test_the_json_of_intrinsic_images_in_the_wild_is_read(tmp_path):
    asked = {"point1": 10, "point2": 11}
    comparisons = [
        {**asked, "darker": "2", "darker_score": 0.75},
        {**asked, "darker": None, "darker_score": 1.0},  # nobody answered
        {**asked, "darker": "1", "darker_score": None},
        {**asked, "darker": "1", "darker_score": 0},
        {"point1": 10, "point2": 12, "darker": "E", "darker_score": 1.0},  # the second point lies on glass
    ]
    judgements = read_judgements(write(tmp_path / "1.json", comparisons))
    assert judgements == (Judgement(first=(0.0, 0.5), second=(0.1, 0.5), darker="2", weight=0.75),)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"intrinsic_points": [], "intrinsic_comparisons": [{"point1": 1}]}'])
def test_another_file_is_an_error_that_names_it(tmp_path, text):
    (tmp_path / "odd.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"odd\.json holds no judgements"):
        read_judgements(tmp_path / "odd.json")
    with pytest.raises(DataError, match=r"absent\.json"):
        read_judgements(tmp_path / "absent.json")
