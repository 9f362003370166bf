"""The page in a real browser: upload, slider, download; comparison; sheets; a run; keys; phones; no other host."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("playwright.sync_api")
pytest.importorskip("gradio")

from limpid.image.read import read  # noqa: E402
from limpid.training.trackers import Table  # noqa: E402
from web.browser import CHROMIUM, DESKTOP, PHONE, SCREENSHOTS, app_page, faults, look, reached_by_tab, too_wide  # noqa: E402
from web.web_samples import loading, png  # noqa: E402

TABS = ["Clean a photo", "Compare live", "See the data", "See a run"]

pytestmark = [pytest.mark.exhaustive, pytest.mark.timeout(600), pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of an app whose networks take 0.2 off the left half."""
    kept = tmp_path_factory.mktemp("app")
    with pytest.MonkeyPatch.context() as monkeypatch:
        loading(monkeypatch)
        with app_page(kept, training(tmp_path_factory.mktemp("runs"))) as page:
            yield page
    names = [path.name for path in Path(kept).rglob("*") if path.is_file()]
    assert not any("holiday" in name for name in names)  # no name from the browser reaches the disk


def training(folder):
    run = folder / "mine"
    run.mkdir(parents=True)
    rows, epochs = Table(run, "metrics", until=0), Table(run, "epochs", until=0)
    for step in range(50, 2001, 50):
        rows.append({"step": step, "epoch": 1 + step // 500, "loss": 0.05 + 1 / step, "lr": 1e-4, "samples_per_second": 8.1})
    for epoch in range(1, 5):
        epochs.append({"epoch": epoch, "step": 500 * epoch, "validation/psnr": 20 + epoch**0.5, "validation/input_psnr": 19.5})
    return folder


def choose(page, content, selector="#photo", name="holiday in Rome.png"):
    clear = page.locator(f"{selector} [aria-label=Clear], {selector} [aria-label='Remove Image']")
    if clear.count():
        clear.first.click()
    page.set_input_files(f"{selector} input[type=file]", {"name": name, "mimeType": "image/png", "buffer": content})


def another(page, selector, do):
    """``do``, and wait until another picture than before is shown."""
    shown = page.locator(f"{selector} img")
    before = shown.first.get_attribute("src") if shown.count() else ""
    do()
    page.wait_for_function(
        "([at, old]) => ![undefined, old].includes(document.querySelector(at)?.src)", arg=[f"{selector} img", before]
    )


def show(page, tab):
    page.click(f"button[role=tab]:has-text('{tab}')")


def clean(page, says):
    page.click("#go")
    page.wait_for_function("text => document.querySelector('#said').innerText.includes(text)", arg=says)


def downloaded(page):
    with page.expect_download() as waited:
        page.click("#files a >> nth=0")
    return read(waited.value.path()).pixels.astype(int)


def test_a_photo_is_cleaned_and_downloaded(page):
    photo = png(64, 48)
    choose(page, photo)
    page.wait_for_selector("#photo img")
    clean(page, "64 × 48")
    page.wait_for_selector("#slider img.fixed")
    before = read(photo).pixels.astype(int)
    expected = before.copy()
    expected[:, :32] = (expected[:, :32] - 51).clip(0)
    assert np.abs(downloaded(page) - expected).max() <= 1
    page.keyboard.down("o")
    assert page.locator("#slider.original").count() == 1
    page.keyboard.up("o")
    assert page.locator("#slider.original").count() == 0


def test_examples_are_cleaned(page):
    another(page, "#photo", lambda: page.click("#example_clear"))
    clean(page, "451 × 300")
    another(page, "#photo", lambda: page.click("#example_glass"))
    another(page, "#slider", lambda: page.click("#go"))
    assert "Done" in page.inner_text("#said")


def test_a_broken_file_is_told_in_words(page):
    choose(page, b"\x89PNG\r\n\x1a\n broken", name="broken.png")
    page.wait_for_selector("[data-testid=toast-body]")
    assert "Traceback" not in page.inner_text("[data-testid=toast-body]")
    for close in page.locator("[data-testid=toast-close]").all():
        close.click()


def scores(page):
    return page.inner_text("#scores")


def changes(page, do):
    """The scores after ``do``, once they differ from those before."""
    before = scores(page)
    do()
    page.wait_for_function("text => !['', text].includes(document.querySelector('#scores').innerText)", arg=before)
    return scores(page)


def fill(page, selector, value):
    page.fill(f"{selector} input[type=number]", str(value))
    page.keyboard.press("Tab")


def test_two_networks_are_compared_on_live_leaves(page):
    show(page, "Compare live")
    page.wait_for_selector("#scores td")
    assert "PSNR" in scores(page)
    assert page.locator("#scores tbody tr").count() == 3  # degraded and two networks
    changes(page, lambda: fill(page, "#sigma", 45))
    page.click("#compare button:has-text('Dead leaves') >> nth=0")
    changes(page, lambda: fill(page, "#seed", 7))


def test_keys_change_what_is_compared(page):
    show(page, "Compare live")
    page.wait_for_selector("#scores td")
    page.click("#scores")  # keys are for typing while a field has the focus
    for key in ("n", "i", "-", "+", "p"):
        another(page, "#comparison", lambda key=key: page.keyboard.press(key))
    assert "limpid_deblur" in scores(page)  # N went from the first two networks to the next ones


def test_a_sheet_of_data_is_drawn(page):
    show(page, "See the data")
    page.click("#data_go")
    page.wait_for_selector("#data_sheet img")
    page.wait_for_selector("#data_set_brightness_0")


def test_a_sheet_of_a_recipe_is_drawn(page):
    show(page, "See the data")
    page.click("#data_kind label:has-text('Recipe')")
    page.wait_for_function("document.querySelector('#data_name input').value === 'dsrnet_l'")
    page.fill("#data_count input[type=number]", "2")
    another(page, "#data_sheet", lambda: page.click("#data_go"))
    page.wait_for_function("document.querySelector('#data_said').innerText.includes('Left out: data.train.1 (pairs)')")


def test_a_run_is_watched(page):
    show(page, "See a run")
    page.wait_for_selector("#run_curves svg")
    assert page.locator("#run_curves figure").count() == 3
    assert "mine: epoch 5, step 2000" in page.inner_text("#run_said")


@pytest.mark.parametrize("tab", TABS)
def test_everything_fits_a_phone_and_has_a_name(page, tab):
    try:
        show(page, tab)
        page.wait_for_timeout(300)
        assert faults(page) == []
        page.set_viewport_size(PHONE)
        page.wait_for_function("document.documentElement.scrollWidth <= 390", timeout=10_000)
        assert too_wide(page) == []
    finally:
        page.set_viewport_size(DESKTOP)


def test_the_keyboard_reaches_what_the_mouse_does(page):
    show(page, "Clean a photo")
    for wanted in ("#photo", "#task", "#strength", "#go"):
        assert reached_by_tab(page, wanted), wanted


def test_dark_pages_can_be_read_too(page):
    page.evaluate("document.body.classList.add('dark')")
    try:
        assert faults(page) == []
    finally:
        page.evaluate("document.body.classList.remove('dark')")


def test_only_what_is_painted_on_changes(page):  # the last one: where no graphics card is, the open editor keeps the browser busy
    show(page, "Clean a photo")
    photo = png(600, 400)
    another(page, "#photo", lambda: choose(page, photo))
    page.click("#places button >> nth=0")
    page.click("#where label:has-text('Only where I paint')")
    canvas = page.locator("#brush canvas").first
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)  # until the editor has drawn the photo
    box = canvas.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.48, middle - 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.49, middle + 2, steps=4)
    page.mouse.up()
    page.wait_for_timeout(500)
    clean(page, "600 × 400")
    changed = np.abs(downloaded(page) - read(photo).pixels.astype(int)).max(axis=2) > 5
    assert 0 < changed.sum() < changed.size / 4


@pytest.mark.skipif(SCREENSHOTS is None, reason="pictures for the docs are made when LIMPID_SCREENSHOTS names a folder")
def test_pictures_for_the_docs(tmp_path):
    """With the shipped networks, at the width of a desktop and of a phone."""
    with app_page(tmp_path, training(tmp_path / "runs")) as page:
        another(page, "#photo", lambda: page.click("#example_glass"))
        another(page, "#slider", lambda: page.click("#go"))
        look(page, "app_clean")
        page.set_viewport_size(PHONE)
        page.locator("#said").scroll_into_view_if_needed()
        look(page, "app_clean_phone")
        page.set_viewport_size(DESKTOP)
        show(page, "Compare live")
        page.wait_for_selector("#scores td")
        page.click("#networks label:has-text('limpid') >> nth=0")
        page.wait_for_function("document.querySelectorAll('#scores tbody tr').length === 2")
        look(page, "app_compare")
        page.set_viewport_size(PHONE)
        look(page, "app_compare_phone")
        page.set_viewport_size(DESKTOP)
        show(page, "See the data")
        another(page, "#data_sheet", lambda: page.click("#data_go"))
        look(page, "app_data")
        show(page, "See a run")
        page.wait_for_selector("#run_curves svg")
        look(page, "app_run")
