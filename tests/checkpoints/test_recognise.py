"""Recognition is exact, and what fits nothing is told what it nearly is."""

import subprocess
import sys

import pytest
import torch

from limpid import catalogue, create_model
from limpid.checkpoints import file
from limpid.checkpoints.recognise import recognise, size_of
from limpid.errors import WeightsError

CONVERTERS = catalogue.names("converters")
MODELS = catalogue.names("models")


def meta_state(name, size):
    with torch.device("meta"):
        return create_model(name, size).state_dict()


def shapes(state):
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


@pytest.mark.parametrize("converter", CONVERTERS)
@pytest.mark.parametrize("name", MODELS)
def test_no_converter_claims_another_network(converter, name):
    built = catalogue.find("converters", converter).build()
    if built.model == name:
        pytest.skip("its own")
    assert built.recognise(shapes(meta_state(name, "tiny"))) is None


@pytest.mark.parametrize("converter", CONVERTERS)
def test_a_converter_refuses_what_is_not_exactly_its_own(converter):
    built = catalogue.find("converters", converter).build()
    own = shapes(meta_state(built.model, "tiny"))
    assert built.recognise({}) is None
    assert built.recognise({"weight": (3,), "bias": (3,)}) is None
    assert built.recognise({**own, "something.else.weight": (3, 3)}) is None
    for name in list(own)[:: max(1, len(own) // 4)]:
        for shape in {(), (0,), (*own[name], 7)} - {own[name]}:
            assert built.recognise({**own, name: shape}) is None, name


@pytest.mark.parametrize("size", catalogue.find("models", "usi3d").sizes)
@pytest.mark.parametrize("training_parts", [False, True])
def test_usi3d_reads_its_settings_from_shapes(size, training_parts):
    with torch.device("meta"):
        state = create_model("usi3d", size, training_parts=training_parts).state_dict()
    found = recognise(state, "w.pt")
    assert found.model == "usi3d"
    assert size_of("usi3d", {**found.settings, "training_parts": False}) == size
    assert found.settings["training_parts"] is training_parts


def test_an_unknown_file_answers_with_the_nearest(tmp_path):
    state = create_model("limpid", "tiny").state_dict()
    names = list(state)
    for name in names[:7]:
        del state[name]
    state["strange.weight"] = torch.ones(2)
    state[names[10]] = torch.ones(1, 2, 3)
    torch.save(state, tmp_path / "w.pt")
    with pytest.raises(WeightsError) as caught:
        file.read(tmp_path / "w.pt")
    message = str(caught.value)
    assert "nearest is limpid (tiny): 7 missing: " in message
    assert f"7 missing: {', '.join(names[:5])}, …; " in message
    assert "1 unexpected: strange.weight" in message
    assert f"shape of {names[10]} is (1, 2, 3), expected " in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(("name", "size"), [("nafnet", "sidd_width32"), ("dsrnet", "m"), ("usi3d", "iiw"), ("ibcln", "base")])
def test_the_nearest_is_right_in_every_family(name, size):
    state = meta_state(name, size)
    dropped = list(state)[3]
    with pytest.raises(WeightsError, match=rf"nearest is {name} \({size}\): 1 missing: {dropped}"):
        recognise({f"net.{key}": tensor for key, tensor in state.items() if key != dropped}, "w.pt")


def test_a_file_of_nothing_known_lists_its_first_names():
    with pytest.raises(WeightsError, match="no name in it is one of a known network; first q.w, q.x"):
        recognise({"q.w": torch.ones(1), "q.x": torch.ones(1)}, "w.pt")


def test_sizes_have_their_names():
    assert size_of("limpid", {}) == "base"
    assert size_of("limpid", {"width": 32, "encoder": [1, 2, 3]}) == "base"
    assert size_of("limpid", {"width": 33}) is None


def test_recognising_loads_no_compiler():
    """PyTorch's reference operators and its compiler take seconds; shapes can be had without them."""
    code = (
        "import sys, torch\n"
        "from limpid import create_model\n"
        "from limpid.checkpoints.recognise import recognise\n"
        "recognise(create_model('errnet', 'tiny').state_dict(), 'errnet.pt')\n"
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "False", done.stderr
