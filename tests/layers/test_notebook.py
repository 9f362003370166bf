"""What a notebook shows of a separation."""

import re
import shutil
from base64 import b64decode
from io import BytesIO

import pytest
import torch
from PIL import Image

from limpid.layers.separation import Separation


def layers(*names, size=(3, 8, 1200)):
    return Separation({name: torch.full(size, 0.1 * (place + 1)) for place, name in enumerate(names)})


def test_two_layers_lie_under_a_slider():
    text = layers("transmission", "reflection", "residual")._repr_html_()
    pictures = [Image.open(BytesIO(b64decode(content))) for content in re.findall(r"base64,([^\"]+)", text)]
    assert [picture.getpixel((0, 0))[0] for picture in pictures] == [26, 51]
    assert {picture.size for picture in pictures} == {(900, 6)}
    assert re.findall(r'alt="(\w+)"', text) == ["transmission", "reflection"]
    assert 'type="range"' in text
    assert "http" not in text


def test_one_layer_has_no_slider_and_a_batch_is_told_in_words():
    assert "range" not in layers("restored")._repr_html_()
    assert layers("restored", size=(2, 3, 8, 8))._repr_html_() is None


@pytest.mark.exhaustive
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium here")
def test_the_slider_moves_the_edge():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        page = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"]).new_page()
        page.set_content(layers("transmission", "reflection")._repr_html_())
        page.fill("input", "20")
        assert page.evaluate("document.querySelectorAll('img')[1].style.clipPath") == "inset(0px 0px 0px 20%)"
