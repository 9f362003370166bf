"""Everything that an evaluation leaves in its report folder."""

from pathlib import Path

from limpid.errors import MissingExtraError, UsageError
from limpid.evaluation.paired import paired_table
from limpid.evaluation.results import Results, write_json
from limpid.evaluation.table_writers import latex, markdown
from limpid.evaluation.tables import field_table, main_table, paired_csv, per_image_csv, summary_csv
from limpid.progress import say


def write(results: Results, folder: Path) -> list[Path]:
    """Write the results as JSON, as tables (Markdown, CSV, LaTeX), image by image, and as ``report.html``; returns the paths.

    Without the libraries of the report the rest is written, and a line says which extra to install. Raises UsageError when the
    folder cannot be written to.
    """
    tables = [table for table in (main_table(results), field_table(results), paired_table(results)) if table is not None]
    notes = "".join(f"- {note}\n" for note in results.notes)
    texts = {
        "table.md": "\n".join(f"{table.caption}\n\n{markdown(table)}" for table in tables) + (f"\n{notes}" if notes else ""),
        "table.csv": summary_csv(results),
        "per_image.csv": per_image_csv(results),
        "paired.csv": paired_csv(results),
        "table.tex": "\n".join(map(latex, tables)),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        write_json(results, folder / "results.json")
    except OSError as fault:
        raise UsageError(f"{folder} cannot be written to ({fault.strerror or fault}); choose another with --report") from fault
    written = [folder / "results.json", *(folder / name for name in texts)]
    try:
        from limpid.evaluation.report.page import write_html

        written.append(write_html(results, folder))
    except MissingExtraError as fault:
        say(f"note: report.html is not written: {fault}")
    return written
