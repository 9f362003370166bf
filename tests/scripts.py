"""Scripts outside the package (examples/, docs/), as modules."""

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]


def script(path: str) -> ModuleType:
    """A script of the clone, executed up to its main part; ``path`` as seen from the clone."""
    described = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    assert described is not None
    assert described.loader is not None
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    return module
