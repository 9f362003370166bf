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


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"\x80\x02cos\nsystem\n."])
def test_what_is_no_safetensors_file_is_refused(tmp_path, content):
    path = tmp_path / "page.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=rf"no safetensors file, or a damaged one \({len(content)} bytes\)"):
        file.read(path)


def test_a_truncated_file_is_refused(good):
    good.write_bytes(good.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="damaged"):
        file.read(good)


def test_a_file_that_does_not_say_what_it_is_is_refused(tmp_path):
    path = tmp_path / "bare.safetensors"
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="does not say which network"):
        file.read(path)


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
