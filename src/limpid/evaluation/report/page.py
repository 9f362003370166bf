"""``report.html``: one page, complete in itself, that opens from disk without a network."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from limpid.errors import MissingExtraError
from limpid.evaluation.paired import paired_table
from limpid.evaluation.published import averaged
from limpid.evaluation.report import appendix
from limpid.evaluation.report.charts import degradation_charts, image_charts, sets_of
from limpid.evaluation.report.elements import Block, Section
from limpid.evaluation.report.gallery import LONGEST, scenes
from limpid.evaluation.report.tables import WINS, condition_tables, image_table, listed, set_table
from limpid.evaluation.results import INPUT, Results
from limpid.evaluation.summary import Group, groups, of_a_kind
from limpid.evaluation.table import Mark, marks

if TYPE_CHECKING:
    from jinja2 import Environment

NAME = "report.html"
"""File name of the page."""

_MOST_NAMES = 3  # that a title lists

_SCENES = (
    "The lowest and highest of each model by the first metric. Drag over a picture, or use the arrow keys, to move the edge between"
    f" left and right. Photos are reduced to {LONGEST} pixels and JPEG here; every number was computed on the originals."
)


def write_html(results: Results, folder: Path) -> Path:
    """Write the report of ``results`` to ``folder``/report.html and return its path; traces are read from below ``folder``.

    The page holds everything it shows and asks for nothing else: its policy forbids the browser to load or to run anything more.
    Raises MissingExtraError without jinja2 or matplotlib.
    """
    environment = _environment()
    script, style = (environment.get_template(name).render() for name in ("script.js.j2", "style.css.j2"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    sections = [section for section in _sections(results, folder) if section.blocks]
    text = environment.get_template("template.html.j2").render(
        title=_title(results), protocol=results.protocol, sections=sections, script=script, style=style, digest=f"sha256-{digest}"
    )
    path = folder / NAME
    path.write_text(text, encoding="utf-8", errors="replace")  # names of files may be no Unicode
    return path


def _environment() -> "Environment":
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise MissingExtraError("jinja2", "evaluate", "the HTML report") from error
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )


def _title(results: Results) -> str:
    models = [model.label for model in results.models if model.label != INPUT]
    return f"{_listed(models, 'models')} on {_listed([it.label for it in results.sets], 'sets')}"


def _listed(names: list[str], many: str) -> str:
    if not 0 < len(names) <= _MOST_NAMES:
        return f"{len(names)} {many}" if names else f"no {many}"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _sections(results: Results, folder: Path) -> tuple[Section, ...]:
    parts, looks = groups(results), marks([model.label for model in results.models])
    return (
        Section(key="results", title="Results", words=WINS, blocks=_tables(results, parts, looks)),
        Section(key="remarks", title="Remarks and errors", words="", blocks=appendix.faults(results)),
        Section(key="degradations", title="By degradation", words="", blocks=degradation_charts(results, parts, looks)),
        Section(key="charts", title="Image by image", words="", blocks=image_charts(results, parts, looks)),
        Section(key="images", title="Worst and best images", words=_SCENES, blocks=scenes(results, parts, folder)),
        Section(key="numbers", title="Every image", words="", blocks=appendix.images(results, parts, looks)),
        Section(key="method", title="How this was measured", words=results.protocol, blocks=_method(results, looks)),
    )


def _tables(results: Results, parts: Sequence[Group], looks: Mapping[str, Mark]) -> tuple[Block, ...]:
    """By condition, named averages, then group by group.

    Averages are taken over sets under the same conditions only, and never over photographed and computed pairs together: a mean
    over several strengths of noise says nothing.
    """
    blocks: list[Block] = []
    for found in sets_of(parts).values():
        blocks += condition_tables(results, found, looks) if len(found) > 1 else []
    for found in of_a_kind(results, parts):
        condition = found[0].label.removeprefix(found[0].set)
        note = f"Every image counts once, over {listed(found)}."
        blocks += [
            image_table(results, found, looks, name=f"Average by image{condition}", note=note),
            set_table(results, found, looks, name=f"Average by set{condition}"),
        ]
    for name, members in averaged(results.sets).items():
        found = [part for part in parts if part.set in members and not part.conditions]
        blocks += [image_table(results, found, looks, name=name, printed=name)] if found else []
    for part in parts:
        blocks.append(image_table(results, [part], looks, name=part.label, printed=part.label))
    paired = paired_table(results)
    return tuple(blocks) if paired is None else (*blocks, paired)


def _method(results: Results, looks: Mapping[str, Mark]) -> tuple[Block, ...]:
    setup = {"command": results.command, **results.machine, **{f"version of {name}": it for name, it in results.versions.items()}}
    return appendix.cost(results, looks), appendix.data(results), appendix.pairs("Machine and versions", setup)
