"""Files that are hostile, damaged or something else: one line each, and nothing in them runs."""

import contextlib
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from limpid.errors import WeightsError
from limpid.weights import reader


class Attack:
    """Touches a file when it is unpickled."""

    def __init__(self, canary, call=os.system):
        self.canary, self.call = canary, call

    def __reduce__(self):
        return self.call, (f"touch {self.canary}",)


class Quiet(torch.nn.Module):
    def forward(self, photo):
        return photo


@pytest.fixture
def canary(tmp_path):
    return tmp_path / "canary"


def saved(path, content, **options):
    torch.save(content, path, **options)
    return path


def nested(path, canary):
    inner = saved(path.with_name("inner.pt"), {"weight": Attack(canary)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(inner, "weights/inner.pt")
    return path


def nested_beside_the_weights(path, canary):
    inner = saved(path.with_name("inner.pt"), {"weight": Attack(canary)})
    saved(path, {"weight": torch.ones(2)})
    with zipfile.ZipFile(path, "a") as archive:
        archive.write(inner, "archive/inner.pt")
    return path


def doubled(path, canary):
    """Two members of one name: whoever reads the first sees weights, whoever reads the last sees the attack."""
    saved(path, {"weight": torch.ones(2)})
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(f"{path.stem}/data.pkl", pickle.dumps({"weight": Attack(canary)}, protocol=2))
    return path


def raw(path, canary, protocol):
    path.write_bytes(pickle.dumps({"state_dict": Attack(canary)}, protocol=protocol))
    return path


def script(path, canary):
    torch.jit.script(Quiet()).save(path)
    return path


ATTACKS = {
    "new format": (lambda p, c: saved(p, {"state_dict": {"w": torch.ones(1)}, "opt": Attack(c)}), "asks for os.system"),
    "old format": (
        lambda p, c: saved(p, {"w": Attack(c)}, _use_new_zipfile_serialization=False),
        "asks for os.system",
    ),
    "protocol 4": (lambda p, c: saved(p, {"w": Attack(c)}, pickle_protocol=4), "asks for os.system"),
    "eval": (lambda p, c: saved(p, {"w": Attack(c, eval)}), "asks for builtins.eval"),
    "raw pickle, protocol 0": (lambda p, c: raw(p, c, 0), "raw pickle.*os.system"),
    "raw pickle, protocol 2": (lambda p, c: raw(p, c, 2), "raw pickle.*os.system"),
    "raw pickle, protocol 5": (lambda p, c: raw(p, c, 5), "raw pickle.*os.system"),
    "nested zip": (nested, "zip archive with 'weights/inner.pt'"),
    "nested zip beside weights": (nested_beside_the_weights, "zip archive with 'archive/inner.pt'"),
    "doubled member": (doubled, "doubled members"),
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors", "weights.ckpt"])
def test_nothing_runs(tmp_path, canary, attack, name):
    make, message = ATTACKS[attack]
    path = make(tmp_path / name, canary)
    with pytest.raises(WeightsError, match=message) as caught:
        reader.read(path)
    assert not canary.exists()
    assert len(str(caught.value).splitlines()) == 1


def test_the_attack_would_work(tmp_path, canary):
    torch.load(saved(tmp_path / "weights.pt", {"w": Attack(canary)}), weights_only=False)
    assert canary.exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_torchscript_program_is_refused(tmp_path, canary):
    with pytest.raises(WeightsError, match="TorchScript program, not weights"):
        reader.read(script(tmp_path / "weights.pt", canary))


def test_a_class_of_somebody_is_named(tmp_path):
    path = saved(tmp_path / "whole.pth", torch.nn.Linear(2, 2))
    with pytest.raises(WeightsError, match=r"asks for torch\.nn\.modules\.linear\.Linear.*nothing in it was run"):
        reader.read(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.pt", b"", r"empty \(0 bytes\)"),
        ("a.pt", b"<!DOCTYPE html><html><body>Quota exceeded</body></html>", "web page"),
        ("a.pth", b"\n\n<html>404</html>", "web page"),
        ("a.pt", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "pointer of git-lfs"),
        ("model.ckpt.data-00000-of-00001", b"\x01\x02\x03", "TensorFlow.*hypercolumn"),
        ("model.ckpt.meta", b"\x0a\x02", "TensorFlow"),
        ("model.ckpt.index", b"\x00\x00", "TensorFlow"),
        ("checkpoint", b'model_checkpoint_path: "model.ckpt"\n', "TensorFlow"),
        ("a.h5", b"\x89HDF\r\n\x1a\n", "TensorFlow or Keras"),
        ("a.pt", b"PK\x03\x04 and no more", "cut short or damaged"),
        ("a.pt.gz", b"\x1f\x8b\x08", "gzip archive"),
        ("a.jpg", b"\xff\xd8\xff\xe0", "no safetensors file and none of PyTorch"),
        ("a.pt", b"\x80\x02}q\x00.", "raw pickle"),
    ],
)
def test_what_is_something_else_says_what_it_is(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=message):
        reader.read(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(WeightsError, match="there is no such file"):
        reader.read(tmp_path / "gone.pt")
    with pytest.raises(WeightsError, match="cannot be read"):
        reader.read(tmp_path)


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("kept", [0.05, 0.5, 0.98])
def test_a_file_that_is_cut_short_is_refused(tmp_path, new, kept):
    path = saved(tmp_path / "weights.pt", {"weight": torch.rand(500)}, _use_new_zipfile_serialization=new)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(WeightsError, match="cut short or damaged|no safetensors file and none of PyTorch|raw pickle"):
        reader.read(path)


def test_any_damage_ends_in_our_error_or_in_weights(tmp_path):
    content = bytearray(saved(tmp_path / "w.pt", {"a.weight": torch.rand(3, 3), "epoch": 3}).read_bytes())
    dice = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(content)
        for place in dice.integers(0, len(content), 3):
            damaged[place] = dice.integers(256)
        (tmp_path / "w.pt").write_bytes(damaged)
        with contextlib.suppress(WeightsError):
            reader.read(tmp_path / "w.pt")


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("number", [np.float64(0.25), np.float32(0.25), np.int64(3)])
def test_numbers_of_numpy_are_opened(tmp_path, new, number):
    path = saved(tmp_path / "w.pt", {"best_result": number, "w": torch.ones(2)}, _use_new_zipfile_serialization=new)
    assert reader.read(path).content["best_result"] == number


def test_numbers_of_numpy_1_are_opened(tmp_path):
    path = tmp_path / "w.pt"
    saved(path, {"best_result": np.float64(0.25), "w": torch.ones(2)}, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes().replace(b"cnumpy._core.multiarray\nscalar", b"cnumpy.core.multiarray\nscalar"))
    assert b"cnumpy.core.multiarray" in path.read_bytes()
    assert reader.read(path).content["best_result"] == 0.25


@pytest.mark.parametrize("name", ["w.pt", "w.pth", "w.ckpt", "w.bin", "w"])
@pytest.mark.parametrize("new", [True, False])
def test_the_bytes_tell_not_the_name(tmp_path, name, new):
    weight = torch.rand(3, 2)
    path = saved(
        tmp_path / name, {"weight": torch.nn.Parameter(weight), "half": weight.bfloat16()}, _use_new_zipfile_serialization=new
    )
    content = reader.read(path).content
    assert torch.equal(content["weight"], weight)
    assert content["half"].dtype == torch.bfloat16
    save_file({"weight": weight}, tmp_path / name)
    assert torch.equal(reader.read(tmp_path / name).content["weight"], weight)


def test_a_tensor_that_claims_more_than_the_file_holds_is_refused(tmp_path):
    path = saved(tmp_path / "w.pt", {"good": torch.ones(2), "huge": torch.ones(1).expand(1 << 20, 1 << 20)})
    with pytest.raises(WeightsError, match=r"tensor 'huge' claims shape \(1048576, 1048576\)"):
        reader.read(path)


def test_a_mapping_that_holds_itself_ends(tmp_path):
    loop = {"weight": torch.ones(1)}
    loop["model"] = loop
    found = dict(reader.named_tensors(loop))
    assert list(found) == ["weight"]


def test_no_file_is_left_open(tmp_path):
    path = saved(tmp_path / "w.pt", {"weight": torch.rand(4)})
    reader.read(path)
    moved = path.replace(tmp_path / "moved.pt")
    assert Path(moved).is_file()
