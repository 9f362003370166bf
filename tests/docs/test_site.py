"""The site: a page for every kind of the catalogue, a heading for every entry, and no link that leads nowhere."""

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import limpid
from limpid import catalogue
from limpid.recipe.load import shipped
from scripts import script

LOADS = {"link": "href", "script": "src", "img": "src", "source": "src", "iframe": "src"}
"""What a browser fetches by itself; links that a person may follow are ``a``."""


class Page(HTMLParser):
    """Places, links and texts of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        self.places |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if LOADS.get(tag) in found:
            self.loaded.append(found[LOADS[tag]])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that docs/generate.py fills."""
    out = tmp_path_factory.mktemp("docs")
    script("docs/generate.py").generate(out)
    return out


@pytest.fixture(scope="module")
def site(written: Path) -> dict[Path, Page]:
    """Path → page of the site, built with every road to the network closed."""
    pytest.importorskip("zensical", reason="the site needs `pip install 'limpid[docs]'`")
    pytest.importorskip("mkdocstrings_handlers.python", reason="the site needs `pip install 'limpid[docs]'`")
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"), "http://127.0.0.1:9")
    words = [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", str(written / "mkdocs.yml")]
    ran = subprocess.run(words, env={**os.environ, **nowhere}, cwd=written, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return {path: Page(path) for path in (written / "site").rglob("*.html") if path.name != "404.html"}


def targets(path: Path, links: list[str]) -> list[tuple[str, Path, str]]:
    """The links of a page that stay within the site: as written, their file, their place in it."""
    inside = [(link, urlsplit(link)) for link in links if not urlsplit(link).scheme]
    return [
        (link, (path.parent / unquote(parts.path)).resolve() if parts.path else path, unquote(parts.fragment))
        for link, parts in inside
    ]


@pytest.mark.parametrize("kind", [*catalogue.FOLDERS, "recipes"])
def test_every_entry_has_its_section(kind, written):
    page = (written / "pages" / "catalogue" / f"{kind}.md").read_text(encoding="utf-8")
    sections = {section.partition("`")[0]: section for section in page.split("\n## `")[1:]}
    assert list(sections) == (shipped() if kind == "recipes" else catalogue.names(kind))
    for name, section in sections.items():
        source = "" if kind == "recipes" else catalogue.find(kind, name).source
        assert f"- Source: {source}" in section


def test_sizes_and_settings_are_those_of_the_code(written):
    pages = {kind: (written / "pages" / "catalogue" / f"{kind}.md").read_text(encoding="utf-8") for kind in ("models", "losses")}
    count = sum(parameter.numel() for parameter in limpid.create_model("stacked", "width16").parameters())
    assert f"| `width16` | {count:,} | `width=16` |" in pages["models"].partition("## `stacked`")[2]
    assert "| `epsilon` | `float` | `0.001` |" in pages["losses"].partition("## `charbonnier`")[2].partition("\n## ")[0]


def test_every_root_name_and_every_entry_can_be_linked_to(site):
    pages = {path.name: page for path, page in site.items()}
    for kind in catalogue.FOLDERS:
        assert {*catalogue.names(kind)} <= pages[f"{kind}.html"].places
    for name in limpid.__all__:
        thing = getattr(limpid, name)
        assert name.startswith("__") or f"{thing.__module__}.{thing.__name__}" in pages["api.html"].places


def test_no_link_leads_nowhere(site):
    broken = [
        f"{path.name}: {link}"
        for path, page in site.items()
        for link, target, place in targets(path, [*page.links, *page.loaded])
        if not target.is_file() or (place and target in site and place not in site[target].places)
    ]
    assert broken == []


def test_nothing_is_fetched_from_elsewhere(site):
    assert [link for page in site.values() for link in page.loaded if urlsplit(link).netloc] == []


def test_examples_in_docstrings_are_code(site):
    page = next(path for path in site if path.name == "metrics.html").read_text(encoding="utf-8")
    assert "<blockquote>" not in page
    assert page.count('<span class="gp">') >= len(catalogue.names("metrics"))
