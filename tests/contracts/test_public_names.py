"""The root names, pinned; importing and asking for help load no torch."""

import subprocess
import sys

import pytest

import limpid

NAMES = [
    "LimpidError",
    "Separation",
    "__version__",
    "create_model",
    "evaluate",
    "inspect",
    "list_models",
    "load",
    "read",
    "separate",
    "synthesise",
    "train",
    "write",
]


def test_root_names_are_these_and_at_most_sixteen():
    assert len(NAMES) <= 16
    assert limpid.__all__ == NAMES
    assert dir(limpid) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_root_name_is_bound_on_first_use(name):
    assert getattr(limpid, name) is not None


def test_unknown_root_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'seperate'"):
        limpid.seperate  # noqa: B018


@pytest.mark.parametrize(
    "code",
    [
        "import limpid",
        "import limpid.catalogue; limpid.catalogue.names('models')",
        "import sys; sys.argv = ['limpid', '--version']; import limpid.cli.main as m; m.main()",
        "import sys; sys.argv = ['limpid', '--help']; import limpid.cli.main as m; m.main()",
        "import sys; sys.argv = ['limpid', 'separate', '--help']; import limpid.cli.main as m; m.main()",
    ],
)
def test_no_torch_is_loaded(code):
    check = f"import sys, atexit; atexit.register(lambda: print('torch' in sys.modules, 'numpy' in sys.modules))\n{code}"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("False")
