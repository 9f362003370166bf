"""What tools outside the tests are told agrees with pyproject.toml and the Makefile."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LINT = [line.strip().removeprefix("$(BIN)/") for line in (ROOT / "Makefile").read_text().splitlines() if "$(BIN)/" in line]
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
MATRIX = WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["include"]


def test_public_checks_run_what_make_lint_runs():
    steps = [step["run"] for step in WORKFLOW["jobs"]["lint"]["steps"] if "run" in step]
    assert [words for words in LINT if words.startswith(("ruff", "mypy"))] == steps[1:]


def test_public_checks_begin_at_the_lowest_python_and_versions():
    lowest = [row for row in MATRIX if row["resolution"] == "lowest-direct"]
    assert {f">={row['python']}" for row in lowest} == {PROJECT["requires-python"]}
    assert {row["os"].partition("-")[0] for row in MATRIX} == {"ubuntu", "windows", "macos"}


@pytest.mark.parametrize("group", ["", *PROJECT["optional-dependencies"]])
def test_every_dependency_has_a_lowest_version(group):
    wanted = PROJECT["optional-dependencies"][group] if group else PROJECT["dependencies"]
    assert [one for one in wanted if not re.search(r"[=>]=", one) and not one.startswith("limpid[")] == []


def test_hooks_before_a_commit_are_those_of_make_lint_and_the_ladder():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    assert [hook["id"] for hook in hooks] == ["ruff", "ruff-format", "mypy", "ladder"]
    assert (ROOT / hooks[-1]["entry"].split()[-1]).is_file()
