"""The sources of the site: what lies in docs/, and pages of everything in the catalogue, made from the entries.

Usage: python docs/generate.py OUT; writes OUT/mkdocs.yml and OUT/pages/, from which ``zensical build`` makes OUT/site/.
"""

import inspect
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any, get_type_hints

import limpid
from limpid import catalogue
from limpid.catalogue import Entry, ModelEntry
from limpid.models._build import Description
from limpid.models._build import describe as describe_models
from limpid.options import default_of, described
from limpid.recipe import load, text
from limpid.recipe.signature import Parameter, parameters, settable

ROOT = Path(__file__).resolve().parents[1]
BESIDE = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "CITATION.cff", "LICENSE", "examples")
"""What the site shows of the clone, besides docs/."""

KINDS = {
    "models": ("Networks", "Photo → layers. `limpid.create_model(name, size)` makes one; a recipe says `model: {name: …}`."),
    "backbones": ("Backbones", "Pretrained extractors that networks and losses look through: photo → named maps."),
    "losses": ("Losses", "What training minimises; a recipe says `losses: [{name: …, weight: …, on: [layer]}]`."),
    "metrics": ("Metrics", "What `limpid evaluate` measures; protocols choose them, `--metrics` adds some."),
    "mixtures": ("Mixtures", "How two scenes become one photo; `limpid synthesise pairs OUT --mixture NAME`, or a recipe."),
    "degradations": (
        "Degradations",
        "How a good photo becomes a poor one; `limpid synthesise leaves OUT --degradation NAME`, or a recipe.",
    ),
    "sources": ("Sources", "Where training pairs come from; a recipe says `data: {train: [{name: …}]}`."),
    "sets": ("Data sets", "What `limpid prepare NAME RAW OUT` tidies and `limpid evaluate --on NAME=DIR` measures on."),
    "procedures": ("Procedures", "Which networks a training optimises, in which order; a recipe says `procedure: {name: …}`."),
    "converters": ("Converters", "Which published checkpoints open, and how they are told by names and shapes of their tensors."),
}
"""Kind of the catalogue → heading and first words of its page."""

CONTRACTS = (
    "limpid.layers.separation.Separation",
    "limpid.layers.task.Task",
    "limpid.layers.network.Needs",
    "limpid.layers.network.LayerNetwork",
    "limpid.layers.batch.Batch",
    "limpid.layers.pair.Pair",
    "limpid.losses._kinds.SceneLoss",
    "limpid.metrics._measure.Metric",
    "limpid.physics.formation.Formation",
    "limpid.physics.formation.Mixture",
    "limpid.physics.degradation.Degradation",
    "limpid.physics.degradation.Degraded",
    "limpid.data.layout.FolderSet",
    "limpid.data.layout.Layout",
    "limpid.data.stream.Source",
    "limpid.backbones._backbone.Backbone",
    "limpid.training.procedure.Procedure",
    "limpid.runtime.separator.Separator",
)
"""What files of the catalogue, and their users, are written against."""


def generate(out: Path) -> None:
    """Write the configuration and all pages into ``out``, anew."""
    pages = out / "pages"
    shutil.rmtree(pages, ignore_errors=True)
    for path in _sources():
        _copy(path, pages / _place(path))
    for name, page in _pages():
        _write(pages / name, page)
    _write(out / "mkdocs.yml", (ROOT / "docs" / "mkdocs.yml").read_text(encoding="utf-8").replace("ROOT", ROOT.as_posix()))


def _pages() -> Iterator[tuple[str, str]]:
    networks = {network.name: network for network in describe_models()}
    for kind, (heading, words) in KINDS.items():
        sections = [_entry(kind, name, networks.get(name) if kind == "models" else None) for name in catalogue.names(kind)]
        yield f"catalogue/{kind}.md", _page(heading, words, sections)
    words = "`limpid train NAME` runs one; [how to read and change them](../training/recipes.md)."
    yield "catalogue/recipes.md", _page("Recipes", words, map(_recipe, load.shipped()))
    roots = sorted((name for name in limpid.__all__ if not name.startswith("__")), key=lambda name: (name[0].isupper(), name))
    yield "api.md", _page("From Python", "`import limpid` binds these names, each on first use.", map(_root_name, roots))
    words = "What the files of the catalogue promise, as types; [how to add one](CONTRIBUTING.md)."
    yield "contracts.md", _page("What to write against", words, map(_contract, CONTRACTS))


def _entry(kind: str, name: str, network: Description | None) -> str:
    """The section of one entry: what it is, where it comes from, what can be set."""
    entry, module = catalogue.find(kind, name), catalogue.module_of(kind, name)
    things = [vars(import_module(module)).get(name), _unbound(entry.build)]  # e.g. the function and the class around it
    shown = dict.fromkeys(f"{one.__module__}.{one.__name__}" for one in things if _is_at_module_level(one))
    parts = [_heading(name), _directive(module), _facts(entry), *map(_directive, shown)]
    if network is not None:
        parts.append(_sizes(network, entry))
    return "\n\n".join([*parts, _settings(entry)])


def _facts(entry: Entry) -> str:
    facts = {"Source": entry.source}
    if entry.licence != Entry.licence or isinstance(entry, ModelEntry):
        facts["Licence of the authors' code"] = entry.licence
    for field, title in (("tasks", "Tasks"), ("layers", "Layers"), ("takes", "Looks at")):
        value = getattr(entry, field, None)
        if value:
            facts[title] = value if isinstance(value, str) else ", ".join(value)
    return _list(facts)


def _sizes(network: Description, entry: Entry) -> str:
    """Named sizes with their parameters and settings, and the weights that come with limpid."""
    rows = [
        (
            f"`{size}`",
            "with the extra `backbones`" if count is None else f"{count:,}",
            _settings_text(catalogue.settings_of(entry, size)),
        )
        for size, count in network.parameters.items()
    ]
    weights = "".join(f"\n\nShipped weights: [{row.name}](../models/{row.name}.md)." for row in network.weights)
    return _table(("Size", "Parameters", "Settings"), rows) + weights


def _settings(entry: Entry) -> str:
    """What a recipe may set, from the signature of ``build``."""
    bound = entry.build.keywords if isinstance(entry.build, partial) else {}
    chosen = [one for one in parameters(entry.build).values() if one.name not in bound and settable(one)]
    rows = [(f"`{one.name}`", _type(one), _default(one.default, one.required)) for one in chosen]
    return _table(("Setting", "Type", "Default"), rows) if rows else "Nothing can be set."


def _recipe(name: str) -> str:
    written = (load.FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    data: Any = text.read(written, name).data
    sources = dict.fromkeys(_link("sources", item["name"]) for item in data["data"]["train"])
    facts = {
        "Source": data["source"],
        "Network": f"{_link('models', data['model']['name'])}, size `{data['model']['size']}`",
        "Trained on": ", ".join(sources),
        "Losses": ", ".join(_link("losses", term["name"]) for term in data["losses"]),
        "Procedure": _link("procedures", data.get("procedure", {"name": "supervised"})["name"]),
    }
    listing = "\n".join(f"    {line}".rstrip() for line in ["```yaml", *written.splitlines(), "```"])
    return "\n\n".join([_heading(name), load.describe(name).line, _list(facts), f'??? note "{name}.yaml"\n{listing}'])


def _root_name(name: str) -> str:
    """A name of the package; where a function takes options as keywords, a table of them in place of its signature."""
    thing = getattr(limpid, name)
    inner = getattr(thing, "__wrapped__", None)
    shown = f"show_root_heading: true, show_root_toc_entry: true, heading_level: 2, heading: limpid.{name}, toc_label: {name}"
    directive = _directive(
        f"{thing.__module__}.{thing.__name__}", f"{shown}, show_signature: {'true' if inner is None else 'false'}"
    )
    if inner is None:
        return directive
    *_, options = [hint for word, hint in get_type_hints(inner).items() if word != "return"]
    rows = [
        (f"`{one.name}`", _annotation(one.type), _default(default_of(one), default_of(one) is ...), _plain(option.help))
        for one, option in described(options)
        if not option.hidden
    ]
    return f"{directive}\n\n{_table(('Keyword', 'Type', 'Default', ''), rows)}"


def _contract(path: str) -> str:
    shown = f"show_root_heading: true, show_root_toc_entry: true, heading_level: 2, heading: {path}"
    return _directive(path, f"{shown}, toc_label: {path.rpartition('.')[2]}, members: null")


def _directive(path: str, options: str = "") -> str:
    """What mkdocstrings replaces by the docstring of a thing; ``options``: of mkdocstrings, other than in mkdocs.yml."""
    return f"::: {path}\n    options: {{{options}}}" if options else f"::: {path}"


def _heading(name: str) -> str:
    return f"## `{name}` {{ #{name} }}"


def _link(kind: str, name: str) -> str:
    return f"[`{name}`]({kind}.md#{name})"


def _page(heading: str, words: str, sections: Iterable[str]) -> str:
    return "\n\n".join([f"# {heading}", words, *sections, ""])


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, ("---",) * len(heads), *rows))


def _list(facts: Mapping[str, str]) -> str:
    return "\n".join(f"- {title}: {fact}" for title, fact in facts.items())


def _type(one: Parameter) -> str:
    if one.nested is None:
        return _annotation(one.annotation)
    several = "list of " if one.many else ""
    return f"{several}[{one.nested.kind}]({one.nested.kind}.md){', each with a weight' if one.nested.weighted else ''}"


def _annotation(annotation: Any) -> str:
    """A type as it is written, without the modules of its names."""
    return f"`{_MODULES.sub('', inspect.formatannotation(annotation))}`"


def _default(value: Any, needed: bool) -> str:
    return "needed" if needed else f"`{_value(value)}`"


def _value(value: Any) -> str:
    shown = value.as_posix() if isinstance(value, Path) else repr(value)
    return shown if len(shown) <= 60 else f"{type(value).__name__}(…)"


def _settings_text(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}={_value(value)}`" for name, value in settings.items())


def _plain(text: str) -> str:
    """Text whose brackets are no links."""
    return text.replace("[", "\\[")


def _unbound(build: Callable[..., Any]) -> Any:
    while isinstance(build, partial):
        build = build.func
    return build


def _is_at_module_level(thing: Any) -> bool:
    return callable(thing) and getattr(import_module(thing.__module__), thing.__name__, None) is thing


def _sources() -> Iterator[Path]:
    """Files that the site shows as they are: what lies in docs/ for readers, and ``BESIDE``."""
    for top in (ROOT / "docs", *(ROOT / name for name in BESIDE)):
        for path in sorted(top.rglob("*")) if top.is_dir() else (top,):
            if path.is_file() and "__pycache__" not in path.parts and not (top.name == "docs" and path.suffix in (".py", ".yml")):
                yield path


def _place(path: Path) -> PurePosixPath:
    """Where a file of the clone lies among the pages."""
    inside = PurePosixPath(path.relative_to(ROOT).as_posix())
    if inside.parts[0] == "docs":
        return PurePosixPath(*inside.parts[1:])
    return PurePosixPath("index.md") if inside.name == "README.md" else inside


def _copy(path: Path, target: Path) -> None:
    if path.suffix != ".md":
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        return
    words = _OUTSIDE.sub("](", path.read_text(encoding="utf-8"))
    _write(target, _LINK.sub(lambda found: f"]({_moved(found[1], path)}{found[2] or ''})", words))


_MODULES = re.compile(r"\b(?:[A-Za-z_]\w*\.)+(?=[A-Za-z_])")
_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
_OUTSIDE = re.compile(rf"\]\({re.escape(_PROJECT['urls']['Source'])}/(?:blob|raw)/main/")
"""How README names files of the clone, so that a package index can show it; the site has them itself."""

_LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)(#[^)\s]*)?\)")


def _moved(link: str, page: Path) -> str:
    """A link of a page of the clone, as it is where both have moved to; one to what the site lacks stays."""
    target = (page.parent / link).resolve()
    if not target.is_file() or not target.is_relative_to(ROOT):
        return link
    return PurePosixPath(os.path.relpath(_place(target), _place(page).parent)).as_posix()


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    generate(Path(sys.argv[1]))
