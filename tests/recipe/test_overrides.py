import pytest

from limpid.errors import SettingError, UnknownNameError, UsageError
from limpid.recipe.load import load
from recipe_samples import PLACES


def overridden(example, *overrides):
    return load(example, (*PLACES, *overrides)).recipe


@pytest.mark.parametrize(
    ("override", "look", "meant"),
    [
        ("seed=7", lambda r: r.seed, 7),
        ("train.clip=1e-2", lambda r: r.train.clip, 0.01),
        ("train.ema=null", lambda r: r.train.ema, None),
        ("data.train.0.weight=0.5", lambda r: r.data.train[0].weight, 0.5),
        ("data.train.pairs.count=3", lambda r: r.data.train[1].count, 3),
        ("data.train.pairs.weight.45=0.25", lambda r: r.data.train[1].weight, {0: 0.3, 45: 0.25}),
        ("losses.l1.weight={0: 1, 3: 2}", lambda r: r.losses[0].weight, {0: 1, 3: 2}),
        ("losses.grad.on=[reflection]", lambda r: r.losses[1].on, ("reflection",)),
        ("losses.gradient.weight=2", lambda r: r.losses[1].weight, 2),
        (
            "data.train.mixture.mixtures.subtractive.border=reflect",
            lambda r: r.data.train[0].settings["mixtures"][0].get("border"),
            "reflect",
        ),
        ("data.test.table2.root=/elsewhere", lambda r: r.data.test["table2"].settings["root"], "/elsewhere"),
        ("data.augment.crop=64", lambda r: r.data.augment["crop"], 64),
        ("discriminator=null", lambda r: r.discriminator, None),
        ("model.size=tiny", lambda r: r.model.size, "tiny"),
        ("comment=half the data", lambda r: r.comment, "half the data"),
    ],
)
def test_an_override_reaches_its_key(example, override, look, meant):
    assert look(overridden(example, override)) == meant
    assert look(overridden(example)) != meant


def test_missing_mappings_are_made_and_later_overrides_win(example):
    example.write_text(example.read_text().replace("log: {", "ignored: {").split("ignored")[0])
    assert overridden(example, "log.keep=1", "log.keep=5").log.keep == 5


@pytest.mark.parametrize(
    ("override", "kind", "line"),
    [
        ("seed=x", SettingError, "override seed=x: seed: expected a whole number; got 'x'"),
        ("trian.epochs=3", UnknownNameError, "override trian.epochs=3: no key named 'trian'; did you mean 'train'? Known: "),
        (
            "train.epoch=3",
            UnknownNameError,
            "override train.epoch=3: no key of train named 'epoch'; did you mean 'epochs'? Known: ",
        ),
        (
            "data.train.0.weight=a",
            SettingError,
            "override data.train.0.weight=a: data.train.0.weight: expected a number or a mapping; got 'a'",
        ),
        (
            "losses.l2.weight=1",
            UnknownNameError,
            "override losses.l2.weight=1: no item of losses named 'l2'; did you mean 'l1'? Known: ad",
        ),
        ("losses.7.weight=1", UnknownNameError, "override losses.7.weight=1: no item of losses named '7' Known: "),
        (
            "seed.x=1",
            UsageError,
            "override seed.x=1: seed is 2018, so there is no 'x' in it; give seed a new value as a whole",
        ),
        ("seed", UsageError, "override seed: expected key=value such as train.epochs=30, or NAME=FOLDER"),
        ("=3", UsageError, "override =3: expected key=value such as train.epochs=30, or NAME=FOLDER"),
        ("a..b=3", UsageError, "override a..b=3: expected key=value such as train.epochs=30, or NAME=FOLDER"),
        ("seed=[1", UsageError, "override seed=[1: this is no YAML: expected ',' or ']', but got '<stream end>'"),
        ("seed={a: 1, a: 2}", UsageError, "override seed={a: 1, a: 2}: key a stands twice; first in override seed={a: 1, a: 2}"),
        (
            "VOCC=/x",
            UnknownNameError,
            "override VOCC=/x: no place in this recipe named 'VOCC'; did you mean 'VOC'? Known: REAL, VAL, VOC.",
        ),
    ],
)
def test_overrides_go_through_the_same_checks(example, override, kind, line):
    with pytest.raises(kind) as caught:
        overridden(example, override)
    assert str(caught.value).startswith(line)


def test_a_name_that_means_two_items_is_refused(example):
    example.write_text(example.read_text().replace("name: gradient", "name: l1"))
    with pytest.raises(UsageError, match=r"override losses\.adversarial\.weight=1"):
        overridden(example, "losses.adversarial.weight=1", "losses.adversarial=3", "losses.adversarial.weight=1")
    with pytest.raises(UsageError, match=r"2 items of data\.train are called 'pairs'; write data\.train\.0 and data\.train\.1"):
        overridden(example, "data.train.0={name: pairs}", "data.train.pairs.count=3")


def test_what_lies_below_a_new_value_was_written_by_the_override(example):
    loaded = load(example, (*PLACES, "data.train.1={name: pairs, root: /x}"))
    assert str(loaded.where("data", "train", 1, "root")) == "override data.train.1={name: pairs, root: /x}"
    assert str(loaded.where("data", "train", 0, "weight")) == f"{example}:9"
