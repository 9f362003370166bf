import os

import pytest

from limpid.errors import SettingError, UnknownNameError, UsageError
from limpid.recipe import load as loading
from limpid.recipe.load import describe, dump, load, parse, plain, shipped
from recipe_samples import PLACES


def test_dump_round_trips(example, tmp_path):
    loaded = load(example, (*PLACES, "comment='it costs $5 and $$VOC: 1e-4'", "train.ema=null", "log.photos=/a $b"))
    text = dump(loaded.recipe)
    again = parse(text, tmp_path / "kept.yaml").recipe
    assert again == loaded.recipe
    assert dump(again) == text
    assert plain(again)["train"]["ema"] is None
    assert plain(again)["data"]["train"][1]["weight"] == {0: 0.3, 45: 0.5}
    assert "/voc" in text
    assert "validate:" in text


def test_places_of_keys_stay_known(example):
    where = load(example, PLACES).where("losses", 1)
    assert str(where) == f"{example}:20"
    assert str(where / "label") == f"{example}:20"
    assert where.key == "losses.1"


@pytest.fixture
def two_shipped(example, tmp_path, monkeypatch):
    folder = tmp_path / "recipes"
    folder.mkdir()
    for name in ("errnet", "ibcln"):
        (folder / f"{name}.yaml").write_text(example.read_text().replace("name: errnet\n", f"name: {name}\n"))
    monkeypatch.setattr(loading, "FOLDER", folder)
    return folder


def test_shipped_recipes_go_by_name(two_shipped):
    assert shipped() == ["errnet", "ibcln"]
    assert load("ibcln", PLACES).recipe.name == "ibcln"
    assert load("ibcln", PLACES).origin == two_shipped / "ibcln.yaml"
    with pytest.raises(UnknownNameError, match="no recipe named 'ibcnl'; did you mean 'ibcln'"):
        load("ibcnl")


def test_a_recipe_is_described_without_its_places(two_shipped):
    summary = describe("errnet")
    assert summary.name == "errnet"
    assert summary.source == "Wei et al., CVPR 2019; constants from the published code"
    assert summary.line == "A small recipe for tests."
    with pytest.raises(UnknownNameError, match="did you mean 'errnet'"):
        describe("errnt")


def test_files_that_are_not_there_answer_in_one_line(example, two_shipped, tmp_path):
    for path, line in [
        (tmp_path / "ernet.yaml", f"{tmp_path}/ernet.yaml: no such recipe; did you mean {example}?"),
        (tmp_path / "zzz.yaml", f"{tmp_path}/zzz.yaml: no such recipe; `limpid train --list` shows those that are shipped"),
        (tmp_path, f"{tmp_path} is a folder; a recipe is a .yaml file or one of errnet, ibcln"),
    ]:
        with pytest.raises(UsageError) as caught:
            load(path)
        assert str(caught.value) == line


def test_bytes_that_are_no_utf8_are_located(tmp_path):
    path = tmp_path / "latin.yaml"
    path.write_bytes("name: a\ncomment: é\n".encode("latin-1"))
    with pytest.raises(UsageError) as caught:
        load(path)
    assert str(caught.value) == f"{path}:2: byte 0xE9 is no UTF-8; save the file as UTF-8"


def test_a_byte_order_mark_is_harmless(example):
    example.write_bytes(b"\xef\xbb\xbf" + example.read_bytes())
    assert load(example, PLACES).recipe.name == "errnet"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(example):
    example.chmod(0)
    with pytest.raises(UsageError, match=r"errnet\.yaml: cannot be read \(Permission denied\)"):
        load(example)


def test_names_in_messages_stay_on_one_line(tmp_path):
    path = tmp_path / "two\nlines.yaml"
    path.write_text("name: 3\n")
    with pytest.raises(SettingError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
