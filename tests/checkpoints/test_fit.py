"""Settings in a file are compared with its tensors before anything of their size exists; whatever they are gives one line."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from limpid import catalogue, create_model
from limpid.checkpoints import file, fit
from limpid.errors import WeightsError

CASES = Path(__file__).parents[3] / "shared" / "cases"
TINY = dict(catalogue.find("models", "nafnet").sizes["tiny"])


@pytest.fixture(scope="module")
def tensors():
    return create_model("nafnet", "tiny").state_dict()


@pytest.fixture
def no_memory(monkeypatch):
    """Networks may be built on the meta device alone."""
    empty = torch.empty

    def blank(*size, **options):
        made = empty(*size, **options)
        assert made.device.type == "meta", "a network was built before its settings were compared"
        return made

    monkeypatch.setattr(torch, "empty", blank)


def refusal(tensors, settings, model="nafnet"):
    with pytest.raises(WeightsError) as caught:
        fit.build_blank(model, settings, tensors, "w.safetensors")
    text = str(caught.value)
    assert text.startswith("w.safetensors does not fit the network")
    assert len(text) < 700
    assert "\n" not in text
    return text


BOMBS = {
    "wide": {"width": 10**6},
    "wider than numbers go": {"width": 10**30},
    "deep": {"middle": 10**6},
    "deep levels": {"encoder": [1] * 60, "decoder": [1] * 60},
    "many blocks": {"encoder": [10**5, 1], "decoder": [1, 1]},
    "a list without end": {"encoder": [1] * 10**6},
    "squares": {"shuffle": 10**5},
    "wide inside": {"feed_forward": 10**9},
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_few_bytes_build_nothing_large(tensors, no_memory, bomb):
    refusal(tensors, {**TINY, **BOMBS[bomb]})


WRONG = {
    "a real width": ({"width": 0.5}, "the setting width is '0.5'"),
    "a text": ({"width": "8"}, "the setting width"),
    "a truth": ({"width": True}, "the setting width"),
    "nothing": ({"width": None}, "the setting width"),
    "below zero": ({"width": -4}, ""),
    "zero": ({"width": 0}, ""),
    "not finite": ({"local_window": float("nan")}, "the setting local_window"),
    "one number for levels": ({"encoder": 3}, "the setting encoder"),
    "a mapping for levels": ({"encoder": {"a": 1}}, "the setting encoder"),
    "texts for levels": ({"encoder": ["a", "b"]}, "the setting encoder"),
    "levels that differ": ({"encoder": [1]}, "as many levels"),
    "an activation that is none": ({"activation": "sigmoid"}, "the setting activation"),
    "unknown": ({"widht": 4}, "did you mean 'width'"),
    "a name without end": ({"x" * 10**5: 4}, "no setting named"),
    "a word of Python": ({"self": 1}, "no setting named"),
    "a network of another size": ({"width": 8}, "size mismatch"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_settings_are_named_in_one_line(tensors, no_memory, wrong):
    settings, message = WRONG[wrong]
    assert message in refusal(tensors, {**TINY, **settings})


@pytest.mark.parametrize("model", ["", "nafnet\n", "../nafnet", "_backbone", "x" * 10**5, "nafnet.NafNet"])
def test_a_network_that_is_none_is_named_in_one_line(tensors, model):
    assert "no model named" in refusal(tensors, TINY, model).replace("\\n", "")


def test_kinds_of_numbers_are_compared(tensors):
    name = next(iter(tensors))
    assert f"the tensor {name} holds torch.int32" in refusal({**tensors, name: tensors[name].int()}, TINY)


@pytest.mark.parametrize("model", catalogue.names("models"))
def test_every_network_fits_its_own_tensors(model):
    with torch.device("meta"):
        network = create_model(model, "tiny")
    settings = json.loads(json.dumps(dict(catalogue.find("models", model).sizes["tiny"])))
    checked = fit.build_blank(model, settings, network.state_dict(), "w.safetensors")
    assert checked == dict(catalogue.find("models", model).sizes["tiny"])  # lists of JSON are tuples again


ABOUTS = {
    "no mapping": "[]",
    "no model": "{}",
    "a mapping as model": '{"model": {}}',
    "nothing as settings": '{"model": "nafnet", "settings": null}',
    "a list as settings": '{"model": "nafnet", "settings": [1]}',
    "a list as second names": '{"model": "nafnet", "settings": {}, "aliases": ["a"]}',
    "a second name of nothing": '{"model": "nafnet", "settings": {}, "aliases": {"a": "gone"}}',
    "deep": "[" * 10**5,
    "deep in settings": '{"model": "nafnet", "settings": {"width": ' + "[" * 5000 + "]" * 5000 + "}}",
    "cut short": '{"model": "naf',
    "numbers without end": '{"model": "nafnet", "settings": {"width": ' + "9" * 10**5 + "}}",
    "half a letter": '{"model": "\\ud800"}',
    "text in notes' place": '{"model": "nafnet", "notes": "a"}',
}


@pytest.mark.parametrize("about", ABOUTS)
def test_a_tampered_header_is_one_line(tmp_path, tensors, about):
    save_file(dict(tensors), tmp_path / "w.safetensors", metadata={"limpid": ABOUTS[about]})
    with pytest.raises(WeightsError) as caught:
        file.build(file.read(tmp_path / "w.safetensors"), source="w.safetensors")
    assert "\n" not in str(caught.value)
    str(caught.value).encode()


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")
@pytest.mark.parametrize("case", sorted(path.relative_to(CASES) for path in CASES.glob("r0[25]-*/*.*")), ids=str)
def test_files_that_gave_tracebacks_give_one_line(case):
    with pytest.raises(WeightsError) as caught:
        file.build(file.read(CASES / case), source=case.name)
    assert len(str(caught.value).splitlines()) == 1
