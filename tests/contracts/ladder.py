"""The ladder of imports: what stands on which rung, held by ``test_ladder`` and printed into docs/architecture.md.

``python tests/contracts/ladder.py`` writes the table anew.
"""

from pathlib import Path

RUNGS = [
    {"_version": "the version, once", "errors": "what can go wrong, as one tree"},
    {
        "catalogue": "the folder is the catalogue: names, entries, third parties",
        "epochs": "values that change over the epochs",
        "files": "files that are there whole or not at all; SHA-256",
        "options": "options of a command, declared once",
        "progress": "the bar on standard error",
    },
    {"layers": "separation, task and its law, batch, pair, pixels, network, context: what everything speaks of"},
    {
        "image": "files ↔ pixels, metadata, geometry that does not learn",
        "weights": "the shipped weights, the cache, the one reader of foreign files",
        "physics": "formation, degradations, leaves, kernels, light: pure functions, explicit generator",
    },
    {"blocks": "differentiable pieces that several networks share"},
    {"backbones": "pretrained feature extractors: photo → named maps"},
    {
        "models": "one family of networks per file: photo → Separation",
        "losses": "one term per file, function first",
        "metrics": "one number per file, with its direction and range",
    },
    {
        "data": "items on disk or synthesised → Pair; sets/, sources/",
        "checkpoints": "file ↔ network; foreign ones are recognised by keys and shapes",
        "recipe": "text → frozen, checked values",
    },
    {"runtime": "a network on real photos: plan of memory, tiles, many photos"},
    {"evaluation": "which items, which preparation, which metrics, which table; the report"},
    {"training": "a recipe → weights; procedures/"},
    {
        "remote": "trainings elsewhere: what travels, Kaggle, a bundle",
        "scale": "many workers on places of any kind: Ray, and the manifest of a run",
        "web": "the page and the HTTP API of `limpid app`; nothing is computed here",
    },
    {"api": "what a notebook calls where a shell types a command", "cli": "from words to one call; nothing is computed here"},
    {"__init__": "the root names, bound on first use", "__main__": "`python -m limpid`"},
]
"""From the bottom up: name of a folder or file below ``src/limpid`` → what it holds."""

PAGE = Path(__file__).parents[2] / "docs" / "architecture.md"
BEGIN, END = "<!-- ladder: written by tests/contracts/ladder.py -->\n", "<!-- end of the ladder -->\n"


def table() -> str:
    """The ladder as Markdown, from the bottom up."""
    rows = [f"| {level} | `{name}` | {what} |" for level, rung in enumerate(RUNGS) for name, what in rung.items()]
    return "\n".join(["| rung | what | holds |", "|---|---|---|", *rows, ""])


def parts(page: str) -> tuple[str, str, str]:
    """A page before the table, the table that stands in it, and the page after it."""
    before, begin, rest = page.partition(BEGIN)
    shown, end, after = rest.partition(END)
    return before + begin, shown, end + after


if __name__ == "__main__":
    before, _, after = parts(PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(before + table() + after, encoding="utf-8")
