"""Tables and published figures."""

import csv
import io
import math
from dataclasses import replace

import pytest

from evaluation.test_summary import PSNR, results, score
from limpid.evaluation.degradation_text import parse
from limpid.evaluation.published import averaged, published, published_degraded
from limpid.evaluation.results import MetricInfo, Results, SetInfo
from limpid.evaluation.table_writers import heading, latex, markdown, texts
from limpid.evaluation.tables import field_table, main_table, per_image_csv, summary_csv

SSIM = MetricInfo(name="ssim", title="SSIM", unit="", direction="higher", digits=3, range=(-1, 1))
FOUR = {"real20": "real20/420", "sir2_objects": "objects", "sir2_postcard": "postcard", "sir2_wild": "wild"}


def info(name, **more):
    """A set as DSRNet's table has it."""
    count = {"real20": 20, "sir2_objects": 200, "sir2_postcard": 199, "sir2_wild": 55}[name]
    more = {"count": count, "variant": "420" if name == "real20" else "", **more}
    return SetInfo(label=FOUR[name], expected="", fingerprint="", name=name, **more)


def suite(names=FOUR):
    """One image of each set, in the field's table."""
    values = dict(zip(FOUR, (20.0, 25.0, 30.0, 45.0), strict=True))
    made = results(*(score(FOUR[name], "a", "input", values[name]) for name in names))
    infos = tuple(info(name) for name in names)
    metrics = (PSNR, SSIM)
    rows = published(infos, [metric.name for metric in metrics], "floor32")
    return Results(protocol="field", models=made.models, sets=infos, metrics=metrics, scores=made.scores, published=rows)


def test_published_figures_stand_under_our_label_with_their_source():
    rows = published([info("real20")], ["psnr"], "floor32")
    dsrnet = [row for row in rows if row.model == "DSRNet" and row.value == 24.23]
    assert dsrnet
    assert dsrnet[0].set == "real20/420"
    assert "ICCV 2023" in dsrnet[0].source
    assert {row.metric for row in rows} == {"psnr"}


@pytest.mark.parametrize(
    ("name", "more", "rule", "there"),
    [
        ("real20", {}, "floor32", True),
        ("real20", {}, "native", False),
        ("real20", {"variant": "native"}, "floor32", False),
        ("real20", {"variant": ""}, "floor32", False),
        ("real20", {"count": 19}, "floor32", False),
        ("sir2_wild", {"count": 101}, "floor32", False),
        ("sir2_wild", {}, "floor32", True),
    ],
)
def test_a_published_figure_stands_beside_the_very_set_it_is_of(name, more, rule, there):
    rows = published([info(name, **more)], ["psnr"], rule)
    assert any("ICCV 2023" in row.source for row in rows) == there


def test_what_a_table_does_not_say_is_said():
    (row,) = (row for row in published([info("real20")], ["psnr"], "native") if row.model == "Zhang 2018" and row.value == 21.30)
    assert row.source.endswith("(size rule and variant of Real20 not stated)")


def test_an_average_stands_only_beside_the_sets_it_is_of():
    assert averaged(suite().sets) == {"real20/420 + objects + postcard + wild, by image": tuple(FOUR.values())}
    assert averaged(suite(["real20", "sir2_wild"]).sets) == {}
    table = field_table(suite())
    ours = dict(zip(heading(table), texts(table)[0], strict=True))
    assert ours["real20/420 + objects + postcard + wild, by image (4)"] == "30.00 / –"
    theirs = next(row for row in texts(table) if row[0] == "DSRNet")
    assert dict(zip(heading(table), theirs, strict=True))["real20/420 + objects + postcard + wild, by image (4)"] == "25.40 / 0.905"


def noisy(name, text="noise:sigma=25", crops=(500,), **more):
    """Models → PSNR that was printed for a set under a degradation, and the labels of the rows."""
    count = {"kodak24": 24, "cbsd68": 68, "mcmaster": 18, "urban100": 100, "div2k": 97}[name]
    made = SetInfo(label=name, expected="", fingerprint="", name=name, **{"count": count, **more})
    metric = "psnr_joint_unclamped" if name == "div2k" else "psnr_joint"
    rows = published_degraded(made, parse([text], list(crops)), [metric])
    return {row.model: row.value for row in rows}, {row.set for row in rows}


@pytest.mark.parametrize(
    ("name", "more", "there"),
    [
        ("kodak24", {}, True),
        ("kodak24", {"crops": (), "variant": "crop500"}, True),
        ("kodak24", {"crops": (), "variant": "full"}, False),
        ("kodak24", {"crops": (400,)}, False),
        ("kodak24", {"count": 23}, False),
        ("cbsd68", {"crops": ()}, True),
        ("cbsd68", {}, False),
        ("cbsd68", {"crops": (), "text": "noise:sigma=25:clipped=yes"}, False),
        ("cbsd68", {"crops": (), "text": "noise:sigma=20"}, False),
        ("cbsd68", {"crops": (), "text": "noise:sigma=5..50"}, False),
        ("cbsd68", {"crops": (), "text": "jpeg:quality=25"}, False),
    ],
)
def test_published_figures_of_noise_stand_beside_that_very_noise(name, more, there):
    rows, labels = noisy(name, **more)
    assert ("DRUNet" in rows) == there
    assert labels == ({f"{name} noise 25"} if there else set())
    assert rows.get("DRUNet") in (None, 31.69, 32.89)


@pytest.mark.parametrize(("name", "drunet", "restormer"), [("mcmaster", 33.14, 33.33), ("urban100", 32.60, 32.97)])
def test_sets_of_colour_photos_have_published_figures(name, drunet, restormer):
    rows, _ = noisy(name, crops=())
    assert (rows["DRUNet"], rows["Restormer (one network per σ)"]) == (drunet, restormer)
    assert ("CBM3D" in rows) == (name == "mcmaster")  # nobody printed it for the other


def test_a_set_that_is_printed_in_other_measures_is_shown_in_those():
    joint, luma = (replace(PSNR, name=name, title=title) for name, title in (("psnr_joint", "joint"), ("psnr_y", "luma")))
    gauss = replace(SSIM, name="ssim_gauss")
    made = results(score("gopro", "a", "input", 30.0), score("realblur", "a", "input", 25.0))
    scores = tuple(replace(one, values={"psnr_joint": 30.0, "ssim_gauss": 0.9, "psnr_y": 31.5}) for one in made.scores)
    blurred = {"gopro": {"count": 1111}, "realblur": {"count": 980, "variant": "J"}}
    infos = tuple(SetInfo(label=name, expected="", fingerprint="", name=name, **more) for name, more in blurred.items())
    metrics = (joint, gauss, luma)
    rows = published(infos, [metric.name for metric in metrics])
    table = field_table(replace(made, sets=infos, metrics=metrics, scores=scores, published=rows))
    assert heading(table)[1:3] == ["gopro (1)", "realblur (1), luma"]
    assert texts(table)[0][1:3] == ["30.00 / 0.900", "31.50"]
    assert next(row for row in texts(table) if row[0] == "Restormer" and row[2])[1:3] == ["", "28.44"]


def test_rstors_table_stands_beside_its_protocol():
    rows, _ = noisy("div2k", crops=(512,), variant="valid")
    assert (rows["NAFNet 41.4M, dead leaves"], rows["NAFNet 41.4M, DIV2K"], rows["untouched input"]) == (29.82, 31.71, 20.2)
    assert noisy("div2k", crops=(512,), variant="train") == ({}, set())


def test_several_draws_stand_in_one_row():
    made = SetInfo(label="k", count=24, expected="", fingerprint="", name="kodak24")
    rows = published_degraded(made, parse(["noise:sigma=25:draws=3"], [500]), ["psnr_joint"])
    assert len([row for row in rows if row.model == "DRUNet"]) == 1


def test_the_papers_averages_are_means_by_image():
    counts = {"real20/420": 20, "objects": 200, "postcard": 199, "wild": 55}
    rows = [row for row in suite().published if "ICCV 2023" in row.source and row.metric == "psnr"]
    for model in {row.model for row in rows}:
        mine = {row.set: row.value for row in rows if row.model == model}
        (average,) = (value for label, value in mine.items() if label not in counts)
        assert sum(counts[label] * mine[label] for label in counts) / 474 == pytest.approx(average, abs=0.05)


def test_csv_holds_every_digit_and_flat_conditions():
    made = results(
        score("k", "a,b", "input", 1 / 3, conditions={"noise": 25.0}), score("k", "c", "input", math.nan, error="it broke")
    )
    first, second = csv.DictReader(io.StringIO(per_image_csv(made)))
    assert (first["item"], float(first["psnr"]), first["noise"]) == ("a,b", 1 / 3, "25.0")
    assert (second["psnr"], second["error"]) == ("", "it broke")
    summed = next(csv.DictReader(io.StringIO(summary_csv(made))))
    assert float(summed["psnr"]) == 1 / 3


def test_a_mean_without_all_images_says_over_how_many():
    table = main_table(results(score("s", "a", "input", 10.0), score("s", "b", "input", math.nan)))
    assert "(n=1)" in texts(table)[0][2]


def test_special_characters_do_not_break_markdown_or_latex():
    table = main_table(results(score("50% & a_b|c", "a", "input", 10.0)))
    assert r"50\% \& a\_b|c (1)" in latex(table)
    assert r"50% & a_b\|c (1)" in markdown(table)
    assert markdown(table).count("\n") == 3


def test_averages_are_made_of_equal_conditions_only():
    low, high = ({"noise": sigma} for sigma in (5.0, 25.0))
    alone = results(score("k", "a", "input", 1.0, conditions=low), score("k", "a", "input", 2.0, conditions=high))
    assert len(main_table(alone).rows) == 2
    both = results(*(score(name, "a", "input", 1.0, conditions=which) for name in "kl" for which in (low, high)))
    assert [row[0] for row in texts(main_table(both))[4:]] == [
        "mean by image over k noise 5, l noise 5 (2)",
        "mean by set over k noise 5, l noise 5 (2)",
        "mean by image over k noise 25, l noise 25 (2)",
        "mean by set over k noise 25, l noise 25 (2)",
    ]
