"""Imports go down the ladder of docs/architecture.md only, and neighbours on a rung do not import each other."""

import ast
from pathlib import Path

import limpid
from contracts.ladder import PAGE, RUNGS, parts, table

ROOT = Path(limpid.__file__).parent
RUNG = {folder: level for level, folders in enumerate(RUNGS) for folder in folders}


def folder_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    lazy = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for node in ast.walk(block)
    }
    modules = []
    for node in ast.walk(tree):
        if node in lazy:
            continue
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "limpid":
            names = [alias.name for alias in node.names] if node.module == "limpid" else [""]
            modules += [f"{node.module}.{name}".rstrip(".") for name in names]
        elif isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names if alias.name.split(".")[0] == "limpid"]
    return modules


def test_imports_go_down_the_ladder():
    wrong = []
    for path in ROOT.rglob("*.py"):
        mine = folder_of(path)
        for module in imported(path):
            parts = module.split(".")
            theirs = parts[1] if len(parts) > 1 else "__init__"
            if theirs != mine and RUNG[theirs] >= RUNG[mine]:
                wrong.append(f"{path.relative_to(ROOT)} imports {module}")
    assert not wrong


def test_every_folder_has_a_rung():
    assert {folder_of(path) for path in ROOT.rglob("*.py")} <= set(RUNG)


def test_the_page_on_architecture_shows_this_ladder():
    assert parts(PAGE.read_text(encoding="utf-8"))[1] == table()


def test_inner_init_files_are_empty():
    assert [path for path in ROOT.rglob("__init__.py") if path.parent != ROOT and path.read_text().strip()] == []


def test_no_file_passes_the_wall_of_500_lines():
    assert [path for path in ROOT.rglob("*.py") if len(path.read_text(encoding="utf-8").splitlines()) > 500] == []
