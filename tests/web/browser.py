"""A page in Debian's Chromium: pictures of it for the docs, and what a person who sees little or has no mouse would miss."""

import io
import os
import shutil
import tarfile
import threading
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

CHROMIUM = shutil.which("chromium")
SCREENSHOTS = os.environ.get("LIMPID_SCREENSHOTS")  # a folder, to look at them or to put them into the docs
AXE = os.environ.get("LIMPID_AXE")  # axe-core-4.11.0.tgz, which `npm pack axe-core@4.11.0` fetches
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
WAIT = 90_000  # milliseconds, on a machine that others use as well


@contextmanager
def app_page(kept, runs):
    """The page of an app that keeps its files in ``kept``; in the end all requests must have gone to it, and no script failed."""
    from playwright.sync_api import sync_playwright

    from limpid.web.connections import server
    from limpid.web.options import AppOptions
    from limpid.web.serve import application

    asked, wrong = [], []
    with pytest.MonkeyPatch.context() as monkeypatch, sync_playwright() as driver:
        monkeypatch.setenv("GRADIO_TEMP_DIR", str(kept))
        monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
        monkeypatch.setattr("tempfile.tempdir", str(kept))
        running = server(application(AppOptions(runs=runs), kept), "127.0.0.1", 0)
        thread = threading.Thread(target=running.run, daemon=True)
        thread.start()
        while not running.started:
            time.sleep(0.05)
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport=DESKTOP)
        page.set_default_timeout(WAIT)
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        home = f"127.0.0.1:{running.port}"
        page.goto(f"http://{home}/", wait_until="domcontentloaded")
        page.wait_for_selector("#go")
        yield page
        browser.close()
        running.should_exit = True
        thread.join(40)
    assert {url.split("/")[2] for url in asked if url.startswith("http")} == {home}
    assert not wrong


def look(page, name):
    """Keep a small picture of the window where the environment says."""
    if SCREENSHOTS:
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        picture.thumbnail((1000, 1000))
        picture.save(Path(SCREENSHOTS, f"{name}.webp"), quality=70, method=6)


def too_wide(page):
    """What reaches beyond the right edge of the window."""
    return page.evaluate(
        """() => [...document.querySelectorAll('body *')].filter(e => e.offsetParent
        && e.getBoundingClientRect().right > innerWidth + 1
        && !e.closest('[aria-hidden=true], .visually-hidden')).map(e => `${e.tagName} ${e.id} ${e.className}`).slice(0, 5)"""
    )


def faults(page):
    """Controls without a name and pictures without words; with ``LIMPID_AXE`` also what axe finds serious."""
    found = page.evaluate(_NAMES)
    if AXE:
        page.evaluate(_axe())
        found += page.evaluate(_RUN_AXE)
    return found


def reached_by_tab(page, selector, most=60):
    """Whether the Tab key leads to an element from the beginning of the page."""
    page.evaluate("() => { document.activeElement?.blur(); getSelection().removeAllRanges(); }")
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => !!document.activeElement?.closest(wanted)", selector):
            return True
    return False


@cache
def _axe():
    with tarfile.open(AXE) as package:
        return package.extractfile("package/axe.min.js").read().decode()


_NAMES = """() => [...document.querySelectorAll('button, input, select, textarea, img, [role=img], canvas[role], a[href]')]
.filter(e => e.offsetParent && !e.closest('[aria-hidden=true]') && e.type !== 'hidden').filter(e => {
  const text = id => document.getElementById(id)?.textContent || '';
  const said = (e.getAttribute('aria-labelledby') || '').split(' ').map(text).join('');
  const labels = [...(e.labels || [])].map(one => one.textContent).join('');
  const inside = e.querySelector('img[alt]')?.alt || '';
  return !(said + labels + inside + (e.getAttribute('aria-label') || '') + (e.title || '') + (e.alt || '') + e.textContent).trim()
    && !(e.tagName === 'IMG' && e.hasAttribute('alt'));
}).map(e => `no name: ${e.outerHTML.slice(0, 160)}`)"""

_RUN_AXE = """async () => (await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa'] })).violations
.filter(one => ['serious', 'critical'].includes(one.impact))
.flatMap(one => one.nodes.map(node => `${one.id}: ${node.html.slice(0, 160)} | ${node.any.map(why => why.message)}`))"""
