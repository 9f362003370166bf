import pytest
import yaml

from limpid.errors import UsageError
from limpid.recipe.text import Dumper, read, value


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1e-4", 1e-4),
        ("1.0e-4", 1e-4),
        ("5E3", 5000.0),
        (".5", 0.5),
        ("-.inf", -float("inf")),
        ("012", 12),
        ("-7", -7),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("on", "on"),
        ("No", "No"),
        ("true", True),
        ("False", False),
        ("2020-01-01", "2020-01-01"),
        ("~", None),
        ("", None),
        ("'1e-4'", "1e-4"),
        ("9" * 5000, float("inf")),
        ("[1, {a: b}]", [1, {"a": "b"}]),
    ],
)
def test_words_mean_what_yaml_1_2_says(written, meant):
    assert value(written, "here") == meant
    assert type(value(written, "here")) is type(meant)


def test_on_is_a_key_and_numbers_may_be_keys():
    assert read("on: [transmission]\nweight: {0: 1, 20: 2}", "r").data == {"on": ["transmission"], "weight": {0: 1, 20: 2}}


def test_every_key_and_item_knows_its_line():
    document = read("name: a\nlosses:\n  - name: l1\n    on: [t]\n  - {name: l2}\n", "r.yaml")
    lines = {path: str(document.where(*path)) for path in [(), ("losses",), ("losses", 0, "on"), ("losses", 1, "name")]}
    assert lines == {
        (): "r.yaml",
        ("losses",): "r.yaml:2",
        ("losses", 0, "on"): "r.yaml:4",
        ("losses", 1, "name"): "r.yaml:5",
    }
    assert str(document.where("losses", 1, "absent", 3)) == "r.yaml:5"  # that of the nearest key above
    assert document.where("losses", 1, "name").key == "losses.1.name"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "r.yaml: the file is empty; expected keys and values such as `name: errnet`"),
        ("# nothing\n", "r.yaml: the file is empty; expected keys and values such as `name: errnet`"),
        ("- a\n", "r.yaml:1: expected keys and values such as `name: errnet`; got a list"),
        ("just words", "r.yaml:1: expected keys and values such as `name: errnet`; got 'just words'"),
        ("a: 1\nb: 2\na: 3\n", "r.yaml:3: key a stands twice; first in r.yaml:1"),
        ("x:\n  l: {b: 1,\n   b: 2}\n", "r.yaml:3: key x.l.b stands twice; first in r.yaml:2"),
        ("a:\n\tb: 1\n", "r.yaml:2: a tab may not indent YAML; use spaces"),
        ("a: [1, 2\nb: 3\n", "r.yaml:2: this is no YAML: expected ',' or ']', but got ':'"),
        ("a: 1\n---\nb: 2\n", "r.yaml:2: this is no YAML: but found another document"),
        ("a: 1\nb: \x07\n", "r.yaml:2: character U+0007 may not stand in YAML; remove it"),
        ("a: 1\ntrue: 2\n", "r.yaml:2: a key must be a word or a whole number; put other texts in quotes"),
        ("? [a]\n: 2\n", "r.yaml:1: a key must be a word or a whole number; put other texts in quotes"),
        ("a: !!int x\n", "r.yaml:1: 'x' cannot be read as tag:yaml.org,2002:int; leave the tag out"),
        (
            "a: !!python/name:os.system x\n",
            "r.yaml:1: 'x' cannot be read as tag:yaml.org,2002:python/name:os.system; leave the tag out",
        ),
        ("a: !!set {b}\n", "r.yaml:1: a mapping or list cannot be read as tag:yaml.org,2002:set; leave the tag out"),
        ("a: &x [*x]\n", "r.yaml: nested too deeply, or an alias holds itself"),
    ],
)
def test_each_fault_is_one_line_with_its_place(text, line):
    with pytest.raises(UsageError) as caught:
        read(text, "r.yaml")
    assert str(caught.value) == line


@pytest.mark.parametrize("text", ["1e-4", "on", "true", "012", "null", "", "a: b", "é"])
def test_what_is_written_is_read_back(text):
    written = yaml.dump({"on": text, "number": 1e-5}, Dumper=Dumper, allow_unicode=True)
    assert read(written, "r").data == {"on": text, "number": 1e-5}
    assert "'on':" not in written


def laughs(levels, width, flow=True):
    """A few lines that stand for ``width ** levels`` values."""
    rows = ["a0: &a0 lol"]
    for level in range(1, levels + 1):
        name = f"*a{level - 1}"
        listed = f"[{', '.join([name] * width)}]" if flow else "".join(f"\n  k{index}: {name}" for index in range(width))
        rows.append(f"a{level}: &a{level} {listed}")
    return "\n".join(rows)


@pytest.mark.parametrize("flow", [True, False])
@pytest.mark.parametrize(("levels", "width"), [(9, 10), (30, 2), (2, 400)])
def test_aliases_of_aliases_are_not_unfolded(levels, width, flow):
    with pytest.raises(UsageError, match=r"r.yaml:\d+.* more than 100,000 values; write out what its aliases"):
        read(laughs(levels, width, flow), "r.yaml")


def test_honest_aliases_are_read():
    assert read(laughs(3, 4), "r.yaml").data["a1"] == ["lol"] * 4
