"""``limpid doctor``: what is installed, what it can use, and what is broken with its remedy."""

from dataclasses import asdict
from typing import Annotated

import typer

from limpid.progress import tell, tell_data


def doctor(as_json: Annotated[bool, typer.Option("--json", help="One JSON object per finding.")] = False) -> None:
    """Print versions, devices, memory, shipped weights and broken installs with their remedy; exit code 1 if anything is broken."""
    from limpid.runtime.diagnosis import diagnose

    findings = diagnose()
    for finding in findings:
        if as_json:
            tell_data(asdict(finding))
            continue
        mark = "ok " if finding.healthy else "BAD"
        tell(f"{mark} {finding.subject}: {finding.text}")
        if finding.remedy:
            tell(f"    → {finding.remedy}")
    if not all(finding.healthy for finding in findings):
        raise typer.Exit(1)
