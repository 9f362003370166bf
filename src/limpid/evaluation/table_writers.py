"""A table as Markdown, LaTeX, or for the console."""

from collections.abc import Sequence

from rich.table import Table as RichTable

from limpid.errors import printable
from limpid.evaluation.table import Table


def markdown(table: Table) -> str:
    """The table in GitHub's Markdown."""
    marks = ["--:" if column.numeric else ":--" for column in table.columns]
    lines = [[_piped(text) for text in row] for row in (heading(table), *texts(table))]
    return "\n".join("| " + " | ".join(row) + " |" for row in (lines[0], marks, *lines[1:])) + "\n"


def latex(table: Table) -> str:
    """The table for the package booktabs."""
    columns = "".join("r" if column.numeric else "l" for column in table.columns)
    lines = ["\\begin{tabular}{" + columns + "}", "\\toprule", _latex_row(heading(table))]
    for row, cells in zip(table.rows, texts(table), strict=True):
        lines += ["\\midrule"] if row.rule else []
        lines.append(_latex_row(cells))
    return "\n".join([f"% {table.caption}", *lines, "\\bottomrule", "\\end{tabular}"]) + "\n"


def console(table: Table) -> RichTable:
    """The table for rich's console."""
    shown = RichTable(title=printable(table.caption), title_justify="left")
    for column, title in zip(table.columns, heading(table), strict=True):
        shown.add_column(printable(title), justify="right" if column.numeric else "left", overflow="fold")
    for place, (row, cells) in enumerate(zip(table.rows, texts(table), strict=True)):
        if row.rule and place:
            shown.add_section()
        shown.add_row(*map(printable, cells))
    return shown


def heading(table: Table) -> list[str]:
    """The titles of the columns as one line each."""
    return [" ".join(filter(None, (column.title, f"[{column.aside}]" if column.aside else ""))) for column in table.columns]


def texts(table: Table) -> list[list[str]]:
    """The cells of the rows as one line each."""
    return [[" ".join(filter(None, (cell.text, cell.aside))) for cell in row.cells] for row in table.rows]


def _piped(text: str) -> str:
    return text.replace("|", "\\|")


def _latex_row(texts: Sequence[str]) -> str:
    return " & ".join(_escaped(text) for text in texts) + r" \\"


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


_LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "–": "--",
    "σ": r"$\sigma$",
    "×": r"$\times$",
}
