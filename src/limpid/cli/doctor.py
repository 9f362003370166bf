"""``limpid doctor``: what is installed, what it can use, and what is broken with its remedy."""

import typer

from limpid.progress import tell


def doctor() -> None:
    """Print versions, devices, memory, shipped weights and broken installs with their remedy; exit code 1 if anything is broken."""
    from limpid.runtime.diagnosis import diagnose

    findings = diagnose()
    for finding in findings:
        mark = "ok " if finding.healthy else "BAD"
        tell(f"{mark} {finding.subject}: {finding.text}")
        if finding.remedy:
            tell(f"    → {finding.remedy}")
    if not all(finding.healthy for finding in findings):
        raise typer.Exit(1)
