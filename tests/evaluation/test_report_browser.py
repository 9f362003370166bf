"""``report.html`` opened from disk in a real browser without a network; skipped where there is none."""

import io
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation.report_samples import HOSTILE, PUBLISHED, noisy, reflections, write_photos
from limpid.evaluation.report.page import write_html
from limpid.evaluation.results import Score

playwright = pytest.importorskip("playwright.sync_api")

CHROMIUM = shutil.which("chromium")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models, the second of a hostile name, photos, published figures, an image that failed."""
    folder = tmp_path_factory.mktemp("report")
    found = reflections(["errnet", HOSTILE], published=PUBLISHED, notes=(HOSTILE,))
    failed = Score(set="real20", item=HOSTILE, model="errnet", size=(0, 0), values={}, error="cut short")
    found = write_photos(found, folder, size=(300, 400))
    return write_html(replace(found, scores=(*found.scores, failed)), folder)


@pytest.fixture
def open_page(browser):
    """Opens a file; at the end nothing may have been said on the console or asked from elsewhere."""
    said, asked, contexts = [], [], []

    def opened(path: Path, width: int = 1200, scheme: str = "light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not said
    assert not [url for url in asked if not url.startswith(("file:", "data:"))]
    assert len([url for url in asked if url.startswith("file:")]) == len(contexts)


def column(page, caption: str, place: int) -> list[str]:
    cells = page.locator(f"div[aria-label='{caption}'] tbody tr > :nth-child({place})")
    return [text.split("\n")[0] for text in cells.all_inner_texts()]


def test_a_click_on_a_heading_sorts_and_a_second_turns_it_round(open_page, report):
    page = open_page(report)
    caption = "Average by image, 19 images"
    heading = page.locator(f"div[aria-label='{caption}'] thead th").nth(1)
    found = [float(text) for text in column(page, caption, 2)]
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert [float(text) for text in column(page, caption, 2)] == sorted(found, reverse=True)
    heading.get_by_role("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert [float(text) for text in column(page, caption, 2)] == sorted(found)
    name = page.locator(f"div[aria-label='{caption}'] thead th").nth(0)
    name.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") is None
    names = [text[1:].strip() for text in column(page, caption, 1)]
    assert names == sorted(names, key=str.lower)


def test_blanks_sort_last_both_ways(open_page, report):
    page = open_page(report)
    caption = next(
        text for text in page.locator("div.scroll").evaluate_all("all => all.map(it => it.ariaLabel)") if "real20, 13" in text
    )
    button = page.locator(f"div[aria-label='{caption}'] thead button").nth(5)  # LPIPS, which the published row lacks
    for _ in range(2):
        button.click()
        assert column(page, caption, 6)[-1] == "–"
        assert column(page, caption, 6).count("–") == 1


def shown(page) -> tuple[np.ndarray, float]:
    """Colours along the middle of the first scene and the share of its width that is red, as the input is."""
    pixels = np.asarray(Image.open(io.BytesIO(page.locator(".scene .stage").first.screenshot())).convert("RGB"), dtype=int)
    row = pixels[pixels.shape[0] // 4]
    return row, float((row[:, 0] - row[:, 1] > 80).mean())


def test_the_slider_uncovers_the_other_picture(open_page, report):
    page = open_page(report)
    slider = page.locator(".scene input[type=range]").first
    slider.scroll_into_view_if_needed()
    assert shown(page)[1] == pytest.approx(0.5, abs=0.02)
    slider.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    assert slider.input_value() == "70"
    assert shown(page)[1] == pytest.approx(0.7, abs=0.02)
    said = slider.get_attribute("aria-valuetext")
    assert said.startswith("70 % input")
    page.keyboard.press("Home")
    assert shown(page)[1] == pytest.approx(0, abs=0.02)
    assert slider.get_attribute("aria-label")


def test_the_slider_follows_the_pointer(open_page, report):
    page = open_page(report)
    stage = page.locator(".scene .stage").first
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.7)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.7, steps=5)
    page.mouse.up()
    assert shown(page)[1] == pytest.approx(0.25, abs=0.02)


def test_any_two_pictures_can_be_compared(open_page, report):
    page = open_page(report)
    scene = page.locator(".scene").first
    options = scene.locator("select[data-side=left] option").all_inner_texts()
    assert [text.split(",")[0] for text in options] == ["input", "errnet", HOSTILE, "truth"]
    scene.locator("select[data-side=left]").select_option("3")
    row, _ = shown(page)
    width = len(row)
    assert np.abs(row[width // 4] - (30, 30, 200)).max() < 12
    assert np.abs(row[3 * width // 4] - (30, 160, 30)).max() < 12
    scene.locator("select[data-side=right]").select_option("3")
    row, _ = shown(page)
    assert np.abs(row[3 * width // 4] - (30, 30, 200)).max() < 12


def test_hostile_names_are_text(open_page, report):
    page = open_page(report)
    assert page.evaluate("window.hacked") is None
    assert page.get_by_text(HOSTILE, exact=True).count() > 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("samples", ["reflections", "noisy"])
def test_nothing_is_wider_than_a_phone(open_page, report, tmp_path, scheme, samples):
    path = report if samples == "reflections" else write_html(noisy(["drunet", "scunet"]), tmp_path)
    page = open_page(path, width=400, scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == 400


def test_both_themes_have_readable_ink(open_page, report):
    for scheme in ("light", "dark"):
        page = open_page(report, scheme=scheme)
        paper, ink, soft, axes = page.evaluate(
            """() => [
                getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,
                getComputedStyle(document.querySelector('figcaption')).color,
                getComputedStyle(document.querySelector('.chart svg text')).fill,
            ]"""
        )
        assert contrast(paper, ink) > 12
        assert contrast(paper, soft) > 4.5
        assert contrast(paper, axes) > 12


def test_without_scripts_all_pictures_stand_side_by_side(browser, report):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(report.as_uri())
    boxes = [image.bounding_box() for image in page.locator(".scene").first.locator("img").all()]
    assert len({(box["x"], box["y"]) for box in boxes}) == 4
    assert not page.locator("select").first.is_visible()


def contrast(one: str, other: str) -> float:
    """Ratio of WCAG 2.2 between two colours such as ``rgb(1, 2, 3)``."""

    def luminance(colour: str) -> float:
        values = np.array([float(part) for part in colour.strip("rgb()").split(",")]) / 255
        linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
        return float(linear @ (0.2126, 0.7152, 0.0722))

    high, low = sorted([luminance(one), luminance(other)], reverse=True)
    return (high + 0.05) / (low + 0.05)
