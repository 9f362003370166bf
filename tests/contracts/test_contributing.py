"""The files that CONTRIBUTING.md adds, installed as somebody else's package, keep every promise of their kind."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from limpid.catalogue import FOLDERS

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FENCE = re.compile(r'^```python title="src/limpid/(?P<path>\S+)"\n(?P<code>.*?)^```$', re.MULTILINE | re.DOTALL)
CONTRACTS = {
    "models": "contracts/test_models.py",
    "losses": "contracts/test_losses.py",
    "metrics": "contracts/test_metrics.py",
    "mixtures": "physics/test_mixture_contract.py",
    "degradations": "physics/test_degradation_contract.py",
    "sets": "data/test_sets.py",
}
FILES = {found["path"]: found["code"] for found in FENCE.finditer(GUIDE)}
NAMES = {kind: [Path(path).stem for path in FILES if str(Path(path).parent) == FOLDERS[kind]] for kind in CONTRACTS}
NAMES["losses"] += ["own_loss"]
ENTRIES = [(kind, name) for kind, names in NAMES.items() for name in names]


def install(site: Path) -> None:
    """Lay the files out in ``site`` as pip would: a package, and beside it what declares its entry points."""
    package, described = site / "somebody_elses", site / "somebody_elses-1.0.dist-info"
    for folder in (package, described):
        folder.mkdir(parents=True)
    for path, code in FILES.items():
        (package / Path(path).name).write_text(code, encoding="utf-8")
    shutil.copy(ROOT / "examples" / "own_loss.py", package)
    points = [f"[limpid.{kind}]\n" + "".join(f"{name} = somebody_elses.{name}:ENTRY\n" for name in NAMES[kind]) for kind in NAMES]
    (described / "entry_points.txt").write_text("\n".join(points))
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: somebody-elses\nVersion: 1.0\n")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[str, str]]]:
    """Name of an entry → the contract tests that ran on it, each with ``passed``, ``skipped`` or what failed."""
    folder = tmp_path_factory.mktemp("somebody")
    install(folder / "site")
    report = folder / "report.xml"
    places = [str(ROOT / "tests" / path) for path in CONTRACTS.values()]
    chosen = " or ".join(name for _, name in ENTRIES)
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={report}", "-k", chosen, *places]
    paths = os.pathsep.join([str(folder / "site"), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(words, cwd=ROOT, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False)
    assert report.is_file(), ran.stdout + ran.stderr
    found: dict[str, list[tuple[str, str]]] = {name: [] for _, name in ENTRIES}
    for case in ElementTree.parse(report).iter("testcase"):
        outcome = next(("skipped" if child.tag == "skipped" else f"{child.tag}: {child.text}" for child in case), "passed")
        for name in found:
            if name in case.attrib["name"].partition("[")[2]:
                found[name].append((case.attrib["name"], outcome))
    return found


def test_the_guide_adds_one_file_of_each_kind():
    assert Counter(str(Path(path).parent) for path in FILES) == Counter(FOLDERS[kind] for kind in CONTRACTS)
    assert not [path for path in FILES if (ROOT / "src" / "limpid" / path).exists()]


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_one_file_more_keeps_the_contract_of_its_kind(kind, name, outcomes):
    passed = [test for test, outcome in outcomes[name] if outcome == "passed"]
    assert [(test, outcome) for test, outcome in outcomes[name] if outcome not in ("passed", "skipped")] == []
    assert len(passed) >= 2, outcomes[name]


@pytest.mark.parametrize("path", FILES)
def test_its_code_passes_the_lint(path):
    pytest.importorskip("ruff")
    for words in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *words, "--stdin-filename", str(ROOT / "src" / "limpid" / path), "-"]
        ran = subprocess.run(command, cwd=ROOT, input=FILES[path], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
