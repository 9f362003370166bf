import subprocess
import sys
from typing import get_args

import pytest

from limpid.epochs import at
from limpid.errors import LimpidError, SettingError, UnknownNameError
from limpid.layers import batch
from limpid.recipe import models
from limpid.recipe.load import load
from recipe_samples import EXAMPLE, PLACES


def refused(tmp_path, old, new):
    """The error for the example with one piece replaced, its folder taken out of the message."""
    assert old in EXAMPLE
    path = tmp_path / "r.yaml"
    path.write_text(EXAMPLE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(LimpidError) as caught:
        load(path, PLACES)
    return type(caught.value), str(caught.value).replace(f"{tmp_path}/", "")


def test_the_example_means_what_it_says(example):
    recipe = load(example, PLACES).recipe
    assert recipe.model.size == "hypercolumn"
    assert recipe.data.train[0].settings == {"transmission": "/voc", "mixtures": [{"name": "subtractive"}]}
    assert recipe.data.train[1].weight == {0: 0.3, 45: 0.5}
    assert recipe.data.train[1].settings == {"root": "/real/89"}
    assert recipe.data.validation[0].count == 50
    assert recipe.data.test["table2"].settings == {"root": "/val"}
    assert recipe.procedure.settings == {"discriminator": "errnet_vgg", "discriminator_first": True}
    assert [term.label for term in recipe.losses] == ["l1", "grad", "adv"]
    assert [dict(term.layers) for term in recipe.losses] == [{"transmission": 1}, {"transmission": 1, "reflection": 0.5}, {}]
    assert [recipe.losses[2].weight_at(epoch) for epoch in (0, 19, 20, 50)] == [0, 0, 0.01, 0.01]
    assert [recipe.optimiser.rate_at(epoch) for epoch in (0, 29, 30)] == [1e-4, 1e-4, 5e-5]
    assert recipe.optimiser.betas == (0.9, 0.999)
    assert recipe.train.clip is None


def test_values_over_epochs():
    assert at(0.5, 7) == 0.5
    assert [at({5: 1.0, 2: 3.0}, epoch) for epoch in (0, 2, 4, 5, 99)] == [3, 3, 3, 1, 1]


@pytest.mark.parametrize(
    ("old", "new", "kind", "line"),
    [
        (
            "seed: 2018",
            "sede: 2018",
            UnknownNameError,
            "r.yaml:4: no key named 'sede'; did you mean 'seed'? Known: comment, data, discriminator, log, losses, model, name, "
            "optimiser, procedure, schedule, seed, source, task, train.",
        ),
        (
            "batch: 1",
            "bacth: 1",
            UnknownNameError,
            "r.yaml:15: no key of data named 'bacth'; did you mean 'batch'? "
            "Known: augment, batch, epoch, test, train, validate, workers.",
        ),
        ("seed: 2018", "seed: 1.5", SettingError, "r.yaml:4: seed: expected a whole number; got 1.5"),
        ("seed: 2018", "seed: true", SettingError, "r.yaml:4: seed: expected a whole number; got True"),
        ("seed: 2018", "seed: '2018'", SettingError, "r.yaml:4: seed: expected a whole number; got '2018'"),
        ("seed: 2018", "seed: -1", SettingError, "r.yaml:4: seed: expected greater than or equal to 0; got -1"),
        ("name: errnet\n", "", SettingError, "r.yaml: name is missing"),
        ("name: l1, ", "", SettingError, "r.yaml:19: losses.0.name is missing"),
        (
            "weight: 0.2",
            "weight: high",
            SettingError,
            "r.yaml:19: losses.0.weight: expected a number or a mapping; got 'high'",
        ),
        ("0: 0, 20", "0: 0, late", SettingError, "r.yaml:21: losses.2.weight.late: expected a whole number; got 'late'"),
        (
            "weight: {0: 0, 20: 0.01}",
            "weight: {}",
            SettingError,
            "r.yaml:21: losses.2.weight: expected a number or at least 1 items; got {}",
        ),
        (
            "on: [transmission]",
            "on: transmission",
            SettingError,
            "r.yaml:19: losses.0.on: expected a list or a mapping; got 'transmission'",
        ),
        (
            "only: [synthetic, aligned]",
            "only: [synthetic, algned]",
            SettingError,
            "r.yaml:20: losses.1.only.1: expected 'synthetic', 'aligned', 'unaligned' or 'unpaired'; got 'algned';"
            " did you mean 'aligned'?",
        ),
        ("label: adv", "label: grad", SettingError, "r.yaml:18: losses: two losses are called 'grad'; give one another label"),
        (
            "[0.9, 0.999]",
            "[0.9, 0.99, 0.9]",
            SettingError,
            "r.yaml:22: optimiser.betas: expected at most 2 items; got [0.9, 0.99, 0.9]",
        ),
        (
            "betas: [0.9, 0.999]",
            "momentum: 0.9",
            UnknownNameError,
            "r.yaml:22: no key of optimiser named 'momentum' Known: betas, decay, name, parts, rate.",
        ),
        (
            "optimiser: {name: adam,",
            "optimiser: {name: adan,",
            UnknownNameError,
            "r.yaml:22: no optimiser named 'adan'; did you mean 'adam'? Known: adam, adamw, sgd.",
        ),
        ("schedule: {name: constant}", "schedule: {}", SettingError, "r.yaml:24: schedule.name is missing"),
        (
            "schedule: {name: constant}",
            "schedule: constant",
            SettingError,
            "r.yaml:24: schedule: expected a mapping; got 'constant'",
        ),
        ("{name: constant}", "{name: oscillating}", SettingError, "r.yaml:24: schedule.half_period is missing"),
        ("epochs: 60", "epochs: -1", SettingError, "r.yaml:25: train.epochs: expected greater than or equal to 0; got -1"),
        (
            "precision: float32",
            "precision: float23",
            SettingError,
            "r.yaml:25: train.precision: expected 'float32', 'bfloat16' or 'float16'; got 'float23'; did you mean 'float32'?",
        ),
        (
            "root: $VAL, count: 50",
            "root: $VAL, weight: 2",
            SettingError,
            "r.yaml:12: data.validate: only training sources have a weight; leave it out or use count",
        ),
    ],
)
def test_each_fault_is_one_line_with_file_line_and_key(tmp_path, old, new, kind, line):
    assert refused(tmp_path, old, new) == (kind, line)


def test_recipes_are_frozen(example):
    recipe = load(example, PLACES).recipe
    with pytest.raises(ValueError, match="frozen"):
        recipe.train.epochs = 3


def test_kinds_of_pairs_are_those_of_batches():
    assert get_args(models.Kind) == batch.KINDS


def test_every_key_is_documented():
    sections = [one for one in vars(models).values() if isinstance(one, type) and issubclass(one, models.Section)]
    bare = [
        f"{section.__name__}.{name}"
        for section in sections
        for name, field in section.model_fields.items()
        if not field.description and not (name == "name" and section.__name__ not in ("Named", "Recipe"))
    ]
    assert bare == []


def test_reading_a_recipe_loads_no_torch(example):
    code = f"import sys; from limpid.recipe.load import load; load({str(example)!r}, {PLACES!r}); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
