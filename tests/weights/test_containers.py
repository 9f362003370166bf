"""What training code keeps beside weights is opened as plain data, or named; nothing of its classes is called."""

import argparse
import collections
import http
import inspect
import io
import pathlib
import pickle
import re
import signal
import types
import uuid
import zipfile

import numpy as np
import pytest
import torch

from limpid.errors import WeightsError
from limpid.weights import reader, safe_pickle

LAYOUTS = [True, False]  # written by torch.save since version 1.6, or before


def opened(folder, kept, new=True):
    """What a file that keeps ``kept`` beside weights gives back in its place."""
    torch.save({"kept": kept, "w": torch.ones(2)}, folder / "w.pt", _use_new_zipfile_serialization=new)
    content = reader.read(folder / "w.pt").content
    assert torch.equal(content["w"], torch.ones(2))
    return content["kept"]


def counted(**options):
    return collections.defaultdict(int, options)


CONTAINERS = {
    "counter": (collections.Counter({30: 1, 60: 2}), {30: 1, 60: 2}),
    "set": ({1, 2}, {1, 2}),
    "frozenset": (frozenset("ab"), frozenset("ab")),
    "ordered": (collections.OrderedDict(a=1), {"a": 1}),
    "default": (counted(a=1, b=2), {"a": 1, "b": 2}),
    "default of lists": (collections.defaultdict(list, a=[1]), {"a": [1]}),
    "queue": (collections.deque([1, 2], maxlen=3), [1, 2]),
    "options": (argparse.Namespace(lr=1e-4, crop=(224, 224)), {"lr": 1e-4, "crop": (224, 224)}),
    "options in options": (argparse.Namespace(data=argparse.Namespace(root="a")), {"data": {"root": "a"}}),
    "simple options": (types.SimpleNamespace(a=1), {"a": 1}),
    "path": (pathlib.PurePosixPath("a/b.png"), "a/b.png"),
    "kind of option": ({"type": int}, {"type": "int"}),
    "empty bytes": (b"", b""),
    "bytes": (b"\x00\xff", b"\x00\xff"),
    "complex": (1 + 2j, 1 + 2j),
    "status": (http.HTTPStatus.NOT_FOUND, 404),
    "unique": (uuid.SafeUUID.unknown, None),
}


@pytest.mark.parametrize("new", LAYOUTS)
@pytest.mark.parametrize("name", CONTAINERS)
def test_containers_are_opened_as_plain_data(tmp_path, name, new):
    kept, plain = CONTAINERS[name]
    assert opened(tmp_path, kept, new) == plain


@pytest.mark.parametrize("member", [signal.SIGINT, re.IGNORECASE, inspect.Parameter.KEYWORD_ONLY])
def test_members_of_enumerations_are_opened_by_value_or_name(tmp_path, member):
    assert opened(tmp_path, member) in (member.value, member.name)


NUMBERS = [
    *(np.dtype(kind).type(3) for kind in "bBhHiIlLqQefdgFD"),
    *(np.bool_(True), np.str_("best"), np.bytes_(b"best")),
    np.array(3, ">i4")[()],
    np.array([0.5], ">f8")[0],
]


@pytest.mark.parametrize("new", LAYOUTS)
@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: f"{number.dtype.str}")
def test_numbers_of_numpy_become_numbers_of_python(tmp_path, number, new):
    found = opened(tmp_path, number, new)
    assert found == number
    assert not isinstance(found, np.generic | np.ndarray)


@pytest.mark.parametrize("core", [b"core", b"_core"])
def test_numbers_of_both_numpys(tmp_path, core):
    torch.save({"kept": np.int32(3)}, tmp_path / "w.pt", _use_new_zipfile_serialization=False)
    content = re.sub(rb"numpy\._?core", b"numpy." + core, (tmp_path / "w.pt").read_bytes())
    (tmp_path / "w.pt").write_bytes(content)
    assert reader.read(tmp_path / "w.pt").content["kept"] == 3


def test_arrays_of_numpy_stay_closed(tmp_path):
    kept = opened(tmp_path, {"state": np.random.default_rng(0).bytes(3), "array": np.arange(3)})
    assert isinstance(kept["array"], safe_pickle.NumberArray)


@pytest.mark.parametrize("kept", [torch.nn.ReLU(), collections.UserDict(a=1), argparse.ArgumentParser, np.random.default_rng(0)])
def test_everything_else_is_named(tmp_path, kept):
    with pytest.raises(WeightsError, match=r"its pickle asks for \S+.*nothing in it was run"):
        opened(tmp_path, kept)


class Called:
    """Pickles as a call, whatever the call."""

    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


def grown(codec, times):
    """Text encoded again and again."""
    import _codecs

    kept = "a" * 1000
    for _ in range(times):
        kept = Called(_codecs.encode, kept, codec)
    return kept


@pytest.mark.parametrize("codec", ["hex", "HEX-codec", "base64", "punycode", " quoted printable"])
def test_texts_that_grow_are_refused_before_they_do(tmp_path, codec):
    with pytest.raises(WeightsError, match="damaged"):
        opened(tmp_path, grown(codec, 3))


@pytest.mark.parametrize("call", [bytearray, bytes, list, str, int])
def test_nothing_is_made_of_any_size(tmp_path, call):
    try:
        found = opened(tmp_path, Called(call, 10**10))
    except WeightsError:
        found = b""
    assert len(found) == 0


def pickled(content):
    """The pickle of a zipped file whose data.pkl is replaced by these bytes."""
    stream = io.BytesIO()
    torch.save({"w": torch.ones(2)}, stream)
    rewritten = io.BytesIO()
    with zipfile.ZipFile(stream) as before, zipfile.ZipFile(rewritten, "w") as after:
        for member in before.infolist():
            after.writestr(member.filename, content if member.filename.endswith("/data.pkl") else before.read(member))
    return rewritten.getvalue()


MANY = {
    "tensors": lambda: {f"k{index}": 0 for index in range(1_000_000)},
    "levels": lambda: [[index] for index in range(1_000_000)],
}


@pytest.mark.parametrize("shape", MANY)
def test_a_million_keys_are_refused_at_once(tmp_path, shape):
    (tmp_path / "w.pt").write_bytes(pickled(pickle.dumps(MANY[shape](), protocol=2)))
    with pytest.raises(WeightsError, match="more names than any network"):
        reader.read(tmp_path / "w.pt")


def test_a_million_names_in_a_header_are_refused_at_once(tmp_path):
    header = (
        b"{" + b",".join(b'"k%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}' % index for index in range(1_000_000)) + b"}"
    )
    (tmp_path / "w.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(WeightsError, match="more names than any network"):
        reader.read(tmp_path / "w.safetensors")


@pytest.mark.parametrize("kind", [torch.complex64, torch.complex128, torch.bool])
def test_weights_are_real(kind):
    with pytest.raises(WeightsError, match=rf"w\.pt: tensor 'a' holds {str(kind)[6:]} numbers; weights are real"):
        reader.refuse_unfit("w.pt", {"fine": torch.ones(1), "a": torch.ones(2).to(kind)})


def test_a_later_protocol_is_named(tmp_path):
    torch.save({"w": torch.ones(2), "kept": {1}}, tmp_path / "w.pt", pickle_protocol=4)
    with pytest.raises(WeightsError, match="pickle_protocol above 2"):
        reader.read(tmp_path / "w.pt")
