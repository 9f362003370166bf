"""One picture per photo: the photo, and a row of what each network made of it."""

from collections.abc import Sequence
from pathlib import Path

from limpid.errors import LimpidError
from limpid.image.contact_sheet import ContactSheet
from limpid.image.read import read
from limpid.image.write import write
from limpid.runtime.batch import Report


def write_comparisons(reports: Sequence[Report], *, overwrite: bool) -> list[Path]:
    """``PHOTO.compare.png`` beside the first output of each photo; returns the files. Photos that failed are left out.

    Raises PhotoError for a file that exists, unless ``overwrite``.
    """
    made = []
    for name in dict.fromkeys(report.input for report in reports if report.error is None and report.outputs):
        rows = [report for report in reports if report.input == name and report.error is None and report.outputs]
        sheet = ContactSheet()
        for report in rows:
            try:
                pictures = {"input": read(Path(name)).tensor()}
                pictures |= {layer: read(Path(path)).tensor() for layer, path in report.outputs.items()}
            except LimpidError:  # a pipe: nothing lies on the disk
                continue
            sheet.add(report.model, pictures)
        first = Path(next(iter(rows[0].outputs.values())))
        target = first.with_name(f"{Path(name).stem}.compare.png")
        picture = sheet.pixels()
        write(picture, target, overwrite=overwrite)
        made.append(target)
    return made
