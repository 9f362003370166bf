import json

import pytest
import torch
from safetensors.torch import save_file

from limpid import create_model
from limpid.checkpoints import file
from limpid.errors import WeightsError

SETTINGS = {"width": 8, "encoder": (1, 1, 1), "middle": 1, "decoder": (1, 1, 1), "window": 3}


@pytest.fixture
def good(tmp_path):
    path = tmp_path / "good.safetensors"
    tensors = create_model("limpid", "tiny").state_dict()
    file.save(path, file.Checkpoint(model="limpid", settings=SETTINGS, tensors=tensors, notes={"step": 3}))
    return path


def test_a_checkpoint_says_what_it_is(good):
    checkpoint = file.read(good)
    assert (checkpoint.model, checkpoint.notes) == ("limpid", {"step": 3})
    assert not list(good.parent.glob(".*"))  # no partial file stays


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WeightsError, match="gone.safetensors: there is no such file"):
        file.read(tmp_path / "gone.safetensors")


def test_what_is_no_safetensors_file_is_refused(tmp_path):
    path = tmp_path / "page.safetensors"
    path.write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{ and so on")
    with pytest.raises(WeightsError, match=r"no safetensors file, or a damaged one \(19 bytes\)"):
        file.read(path)


def test_a_truncated_file_is_refused(good):
    good.write_bytes(good.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="damaged"):
        file.read(good)


@pytest.mark.parametrize("about", ["{}", "[]", "not json", '{"model": 3}'])
def test_a_file_of_ours_that_does_not_say_what_it_is_is_refused(tmp_path, about):
    path = tmp_path / "bare.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata={"limpid": about})
    with pytest.raises(WeightsError, match="does not say which network"):
        file.read(path)


def test_one_tensor_under_two_names_is_written_once(tmp_path):
    shared, whole = torch.rand(1000), torch.rand(10, 100)
    tensors = {"a": shared, "b": shared, "row": whole[3], "rows": whole[2:], "c": shared.clone()}
    path = tmp_path / "shared.safetensors"
    file.save(path, file.Checkpoint(model="limpid", settings={}, tensors=tensors, notes={}))
    assert path.stat().st_size < 4 * (1000 + 100 + 800 + 1000) + 1000
    again = file.read(path).tensors
    assert all(torch.equal(again[name], tensor) for name, tensor in tensors.items())


def test_foreign_weights_that_are_not_finite_are_refused_by_name(tmp_path):
    state = create_model("limpid", "tiny").state_dict()
    state["intro.bias"][0] = float("nan")
    torch.save({"params": state}, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"w\.pth: tensor 'intro.bias' holds NaN or infinity"):
        file.read(tmp_path / "w.pth")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(tmp_path, value):
    path = tmp_path / "nan.safetensors"
    metadata = {"limpid": json.dumps({"model": "limpid", "settings": {}})}
    save_file({"fine": torch.zeros(2), "bad": torch.tensor([0.0, value])}, path, metadata=metadata)
    with pytest.raises(WeightsError, match="tensor 'bad' holds NaN or infinity"):
        file.read(path)


def test_weights_of_another_shape_are_refused(good):
    checkpoint = file.read(good)
    other = file.Checkpoint(model="limpid", settings={**SETTINGS, "width": 12}, tensors=checkpoint.tensors, notes={})
    with pytest.raises(WeightsError, match="does not fit the network 'limpid'"):
        file.build(other, source="good.safetensors")
