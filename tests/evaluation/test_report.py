"""What ``report.html`` says, read without a browser."""

import base64
import io
import re
import sys
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from evaluation.report_samples import HOSTILE, METRICS, PUBLISHED, model, noisy, reflections, results, score, write_photos
from limpid.errors import MissingExtraError
from limpid.evaluation.report import gallery
from limpid.evaluation.report.page import write_html
from limpid.evaluation.results import INPUT, PublishedRow, Results, Score, SetInfo


class Page(HTMLParser):
    """The elements of a page: names with attributes, and the tables as rows of texts below their captions."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self._open: list[list[str]] | None = None
        self._cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        attributes = self.tags[-1][1]
        if attributes.get("class") == "scroll":
            self._open = self.tables.setdefault(attributes["aria-label"], [])
        elif tag == "tr" and self._open is not None:
            self._open.append([])
        elif tag in ("td", "th") and self._open is not None:
            self._open[-1].append("")
            self._cell = True
        elif tag == "small" and self._cell:
            self._open[-1][-1] += " | "

    def handle_endtag(self, tag: str) -> None:
        self._cell = self._cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._cell:
            self._open[-1][-1] += data

    def row(self, caption: str, name: str) -> list[str]:
        return next(row for row in self.tables[caption] if name in row[0])


def page(found: Results, folder: Path) -> tuple[str, Page]:
    text = write_html(found, folder).read_text(encoding="utf-8")
    return text, Page(text)


def mean(found: Results, label: str, metric: str, sets: tuple[str, ...]) -> float:
    return float(np.mean([it.values[metric] for it in found.scores if it.model == label and it.set in sets]))


def test_means_are_those_of_the_scores(tmp_path):
    found = reflections(["errnet", "dsrnet"])
    _, read = page(found, tmp_path)
    for caption, sets in (
        ("real20, 12 images", ("real20",)),
        ("nature20, 6 images", ("nature20",)),
        ("Average by image, 18 images", ("real20", "nature20")),
    ):
        row = read.row(caption, "errnet")
        assert row[1].split(" | ")[0] == f"{mean(found, 'errnet', 'psnr', sets):.2f}"
        assert row[3].split(" | ")[0] == f"{mean(found, 'errnet', 'ssim', sets):.4f}"
        low, high = (float(end) for end in row[1].split(" | ")[1].split(" … "))
        assert low < mean(found, "errnet", "psnr", sets) < high
    by_set = np.mean([mean(found, "dsrnet", "psnr", (name,)) for name in ("real20", "nature20")])
    assert read.row("Average by set, 2 sets", "dsrnet")[1] == f"{by_set:.2f}"


def test_the_input_is_first_and_wins_are_counted_against_it(tmp_path):
    scores = []
    for item, gain in (("a", 1.0), ("b", 2.0), ("c", -1.0), ("d", 0.0)):
        scores += [score(item, INPUT, 20.0), score(item, "errnet", 20.0 + gain)]
    _, read = page(results(scores, ["errnet"]), tmp_path)
    rows = read.tables["real20, 4 images"]
    assert rows[1][0].endswith("input")
    assert [rows[1][2], rows[2][2]] == ["", "62 %"]  # 2 of 4 and half a tie, 62.5, rounded to even


def test_the_best_value_of_each_column_is_marked(tmp_path):
    text, _ = page(results([score("a", INPUT, 20.0), score("a", "errnet", 25.0)], ["errnet"]), tmp_path)
    assert re.findall(r'class="number best" data-sort="([\d.]+)"', text) == [
        str(value) for value in (25.0, 1 - 2**-2.5, 1 / 25)
    ]  # lower is better for the last


def test_published_figures_stand_below_ours(tmp_path):
    found = reflections(["errnet"], published=PUBLISHED)
    _, read = page(found, tmp_path)
    assert read.tables["real20, 12 images"][-1] == ["DSRNet | WindowSeat, table 1", "24.23", "", "0.8200", "", "–", ""]
    assert "DSRNet" not in str(read.tables["nature20, 6 images"])


def test_a_published_average_stands_beside_ours_over_the_same_sets(tmp_path):
    names = ("real20", "sir2_objects", "sir2_postcard", "sir2_wild")
    scores = [score("a", label, 20.0 + place, set=name) for place, name in enumerate(names) for label in (INPUT, "errnet")]
    infos = tuple(SetInfo(label=name, count=1, expected="", fingerprint="", name=name) for name in names)
    average = "real20 + sir2_objects + sir2_postcard + sir2_wild, by image"
    printed = PublishedRow(set=average, model="DSRNet", metric="psnr", value=25.4, source="Hu & Guo")
    _, read = page(results(scores, ["errnet"], sets=infos, published=(printed,)), tmp_path)
    rows = read.tables[f"{average}, 4 images"]
    assert rows[1][1].startswith("21.50")
    assert rows[-1][:2] == ["DSRNet | Hu & Guo", "25.40"]


def test_names_cannot_smuggle_markup_in(tmp_path):
    labels = [HOSTILE, '"><img src=x onerror=alert(1)>', "$x_1$"]
    found = reflections(labels, notes=(HOSTILE,), command=HOSTILE, machine={HOSTILE: HOSTILE}, protocol=HOSTILE)
    failed = Score(set=HOSTILE, item=HOSTILE, model=labels[0], size=(1, 1), values={}, error=HOSTILE)
    found = replace(found, scores=(*found.scores, failed), models=(*found.models[:-1], model(labels[-1], description=HOSTILE)))
    found = write_photos(found, tmp_path)
    _, read = page(found, tmp_path)
    names = Counter(tag for tag, _ in read.tags)
    assert names["script"] == 1
    assert not [attributes for _, attributes in read.tags if any(name.startswith("on") for name in attributes)]
    assert {attributes["src"][:23] for tag, attributes in read.tags if tag == "img"} == {"data:image/jpeg;base64,"}


def test_nothing_is_fetched_from_elsewhere(tmp_path):
    text, read = page(write_photos(reflections(["errnet"]), tmp_path), tmp_path)
    links = [attributes[name] for _, attributes in read.tags for name in ("src", "href", "xlink:href") if name in attributes]
    assert links
    assert not [link for link in links if not link.startswith(("#", "data:"))]
    assert set(re.findall(r"https?://[^\"'\s<]+", text)) == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "url(" not in re.sub(r"url\(#", "", text)


def test_identifiers_are_unique_and_found(tmp_path):
    text, read = page(write_photos(noisy(["drunet"]), tmp_path), tmp_path)
    identifiers = Counter(attributes["id"] for _, attributes in read.tags if "id" in attributes)
    assert set(identifiers.values()) == {1}
    asked = set(re.findall(r"url\(#([^)]+)\)", text)) | set(re.findall(r'href="#([^"]+)"', text))
    assert asked
    assert asked <= set(identifiers)


def test_the_same_results_give_the_same_bytes(tmp_path):
    assert page(noisy(["drunet"]), tmp_path)[0] == page(noisy(["drunet"]), tmp_path)[0]


def test_settings_of_matplotlib_stay_as_they_were(tmp_path):
    before = dict(mpl.rcParams)
    page(reflections(["errnet"]), tmp_path)
    assert dict(mpl.rcParams) == before


def test_means_are_never_taken_over_several_strengths(tmp_path):
    text, read = page(noisy(["drunet"]), tmp_path)
    assert not [caption for caption in read.tables if "verage" in caption]
    heads = [cell.strip() for cell in read.tables["kodak24, PSNR, dB ↑"][0]]
    assert heads == ["model", "noise 5", "noise 10", "noise 25", "noise 50", "blur small", "blur mild", "blur big"]
    labels = re.findall(r'<svg[^>]*aria-label="([^"]*)"', text)
    for title in ("PSNR", "SSIM", "LPIPS"):
        assert f"{title} against noise, mean and 95 % interval." in labels
        assert f"{title} by class of blur, mean and 95 % interval." in labels


def test_curves_pass_through_the_means():
    from limpid.evaluation.report.plots import Line, bars, curves
    from limpid.evaluation.table import marks

    figure = mpl.figure.Figure()
    line = Line([30.0, 25.0], [29.0, 24.5], [31.0, 26.0])
    left, right = figure.subplots(1, 2)
    curves(left, [5.0, 25.0], {"drunet": line}, marks(["drunet"]), ("noise", "PSNR"))
    bars(right, ["small", "big"], {INPUT: line, "drunet": line}, marks([INPUT, "drunet"]), ("blur", "PSNR"))
    assert left.lines[0].get_xydata().tolist() == [[5.0, 30.0], [25.0, 25.0]]
    assert [bar.get_height() for bar in right.patches] == [30.0, 25.0, 30.0, 25.0]
    strokes = [stroke[:, 1].tolist() for stroke in right.collections[0].get_segments()]
    assert strokes == [[29.0, 31.0], [24.5, 26.0]]


def test_worst_and_best_images_are_those(tmp_path):
    scores = []
    for place in range(10):
        scores += [score(f"i{place}", INPUT, 20.0), score(f"i{place}", "errnet", 15.0 + (7 * place) % 10)]
    found = write_photos(results(scores, ["errnet"]), tmp_path)
    text, _ = page(found, tmp_path)
    titles = re.findall(r"<figcaption><strong>(i\d), real20</strong>", text)
    order = sorted(range(10), key=lambda place: (7 * place) % 10)
    assert titles == [f"i{place}" for place in (*order[:3], *order[::-1][:3])]
    assert "errnet: place 10 of 10, PSNR −5.00 dB against the input" in text


def test_photos_are_reduced(tmp_path):
    found = write_photos(results([score("a", INPUT, 20.0), score("a", "errnet", 22.0)], ["errnet"]), tmp_path, size=(500, 1000))
    text, read = page(found, tmp_path)
    photos = [attributes["src"].partition(",")[2] for tag, attributes in read.tags if tag == "img"]
    opened = [Image.open(io.BytesIO(base64.b64decode(photo))) for photo in photos]
    assert [(photo.format, photo.size) for photo in opened] == [("JPEG", (640, 320))] * 3
    assert np.abs(np.asarray(opened[1], dtype=int) - (30, 160, 30)).max() <= 3
    assert "reduced to 640 pixels" in text


def test_photos_beyond_the_budget_are_left_out_and_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(gallery, "BUDGET", 9000)
    text, read = page(write_photos(reflections(["errnet"]), tmp_path), tmp_path)
    assert 0 < sum(len(attributes["src"]) for tag, attributes in read.tags if tag == "img") <= 9000
    assert "Further images were left out" in text


def test_a_lost_trace_costs_that_scene_only(tmp_path):
    found = write_photos(reflections(["errnet"]), tmp_path)
    (tmp_path / "traces/output.png").write_bytes(b"no photo")
    text, read = page(found, tmp_path)
    assert not [tag for tag, _ in read.tags if tag == "img"]
    assert re.search(r"is not shown: [^<]*output\.png", text)
    assert read.row("real20, 12 images", "errnet")[1]


def test_errors_caps_and_missing_values_are_shown(tmp_path):
    nothing = {"psnr": 20.0, "ssim": float("nan"), "lpips_alex": 0.1}
    scores = [
        score("a", INPUT, 20.0, capped={"psnr": 1}),
        score("a", "errnet", 22.0, values=nothing),
        score("b", INPUT, 20.0),
        Score(set="real20", item="b", model="errnet", size=(0, 0), values={}, error="b.png: cut short; get it again"),
    ]
    text, read = page(results(scores, ["errnet"], notes=("input: capped once",)), tmp_path)
    assert "<li>input: capped once</li>" in text
    assert "<li>real20 b, errnet: b.png: cut short; get it again</li>" in text
    row = read.row("real20, 2 images", "errnet")
    assert row[1].endswith("(1 of 2)")
    assert row[3] == "–"
    assert "1 band capped" in text


def test_nothing_computed_still_makes_a_page(tmp_path):
    failed = [Score(set="real20", item="a", model=name, size=(0, 0), values={}, error="gone") for name in (INPUT, "errnet")]
    text, _ = page(results(failed, ["errnet"]), tmp_path)
    assert "gone" in text
    assert page(results([], ["errnet"]), tmp_path)[0]


def test_cost_and_data_are_told(tmp_path):
    found = reflections(["errnet"], count=4, machine={"GPU": "none"}, versions={"torch": "2.13.0"})
    found = replace(found, models=(found.models[0], model("errnet", weights="c0ffee" * 10, parameters=18_900_000, device="cpu")))
    _, read = page(found, tmp_path)
    seconds = [it.seconds for it in found.scores if it.model == "errnet"]
    row = read.row("Models and their cost", "errnet")
    assert row[1:5] == ["18.90", f"{np.mean(seconds):.3f}", f"{max(seconds):.3f}", "1500"]
    assert row[6] == "c0ffeec0ffeec0ff"
    assert read.row("Sets", "real20")[1:4] == ["4", "20", "ab" * 8]
    assert ["version of torch", "2.13.0"] in read.tables["Machine and versions"]


@pytest.mark.parametrize("library", ["jinja2", "matplotlib"])
def test_a_missing_library_names_the_extra(tmp_path, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtraError, match=rf"the HTML report needs {library}.*limpid\[evaluate\]"):
        write_html(reflections(["errnet"]), tmp_path)


def test_a_report_of_the_whole_suite_stays_small(tmp_path):
    scores = []
    draw = np.random.default_rng(1)
    for name, count in (("postcard", 199), ("objects", 200)):
        for place in range(count):
            scores += [score(f"{place}", label, float(draw.normal(22, 3)), set=name) for label in (INPUT, "a", "b", "c")]
    path = write_html(results(scores, ["a", "b", "c"]), tmp_path)
    assert path.stat().st_size < 3_000_000
    assert len(METRICS) == 3
