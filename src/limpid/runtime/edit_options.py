"""What a person asks of albedo and shading, as text: another light, another colour; nothing heavy is imported here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from limpid.errors import UsageError

SIDES = {"left": (0.0, -1.0), "right": (0.0, 1.0), "top": (-1.0, 0.0), "bottom": (1.0, 0.0)}
"""Side that light comes from → rows and columns towards it."""


@dataclass(frozen=True, kw_only=True)
class Relighting:
    """Another light on the same things.

    ``flat``: 0…1, how far shading is evened out; ``warm``: −1 (blue) … 1 (orange); ``side``: where more light comes from, one of
    ``SIDES``, or none. Raises UsageError for values out of range.
    """

    flat: float = 0.0
    warm: float = 0.0
    side: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.flat <= 1 or not -1 <= self.warm <= 1 or self.side not in (None, *SIDES):
            raise UsageError(
                f"--relight takes flat=0…1, warm=−1…1 and from={'|'.join(SIDES)}; got {self.flat:g}, {self.warm:g}, {self.side}"
            )


def parse_relighting(text: str) -> Relighting:
    """``flat=0.7,warm=0.3,from=left``, any of them. Raises UsageError."""
    given: dict[str, str] = {}
    for part in text.split(","):
        name, equals, value = part.strip().partition("=")
        if not equals or name not in ("flat", "warm", "from") or name in given:
            raise UsageError(f"--relight {text}: write some of flat=0…1, warm=−1…1, from={'|'.join(SIDES)}, with commas between")
        given[name] = value
    try:
        return Relighting(flat=float(given.get("flat", 0)), warm=float(given.get("warm", 0)), side=given.get("from"))
    except ValueError as error:
        raise UsageError(f"--relight {text}: {error}") from error


def parse_recolouring(text: str) -> tuple[Path, tuple[float, ...]]:
    """``mask.png=#c04020`` → the file and the colour, encoded, 0…1. Raises UsageError."""
    mask, equals, colour = text.rpartition("=")
    match = re.fullmatch(r"#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", colour.strip())
    if not equals or not mask or match is None:
        raise UsageError(f"--recolour {text}: write MASK=COLOUR, a picture that is white where to paint and #rrggbb")
    return Path(mask), tuple(int(part, 16) / 255 for part in match.groups())


def edit_names(relighting: str | None, recolouring: Sequence[str]) -> list[str]:
    """Names of what ``edits`` would make; nothing is read. Raises UsageError for options that make no sense."""
    if relighting is not None:
        parse_relighting(relighting)
    for text in recolouring:
        parse_recolouring(text)
    return [*(["relit"] if relighting is not None else []), *(["recoloured"] if recolouring else [])]
