"""``limpid bench``: rows that compare backends in one run, and the choice that is kept."""

import pytest

from limpid import create_model
from limpid.checkpoints import file
from limpid.errors import SettingError, UnknownNameError
from limpid.evaluation.bench import Timing, _fastest, bench
from limpid.runtime import backend_choice
from limpid.runtime.options import BenchOptions, parse_size


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "tiny.safetensors"
    settings = {"width": 4, "layers": 4}
    network = create_model("stacked", "tiny")
    file.save(path, file.Checkpoint(model="stacked", settings=settings, tensors=network.state_dict(), notes={}))
    return path


def test_a_row_for_each_backend_with_its_difference(weights):
    rows = list(bench(BenchOptions(models=[str(weights)], size=((48, 64),), backend=("torch-bf16", "openvino"), repeats=1)))
    assert [row.backend for row in rows] == ["torch", "torch-bf16", "openvino"]  # float32 is always there to compare with
    assert rows[0].times == 1
    assert rows[0].largest == 0
    assert rows[0].milliseconds > 0


def test_an_unknown_backend_is_refused_at_once(weights):
    with pytest.raises(UnknownNameError, match="did you mean 'onnx'"):
        list(bench(BenchOptions(models=[str(weights)], backend=("onx",))))


def test_only_what_keeps_the_quality_is_chosen():
    def row(backend, milliseconds, mean):
        return Timing(model="m", size=(1, 1), backend=backend, milliseconds=milliseconds, mean=mean)

    assert _fastest([row("torch", 9, 0), row("openvino", 3, 0.001), row("onnx-int8", 1, 0)]) == "openvino"
    assert _fastest([row("torch", 9, 0), row("openvino", 3, 0.1)]) == "torch"


def test_a_choice_is_kept_for_these_weights_on_this_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(backend_choice, "path", lambda: tmp_path / "settings" / "backends.json")
    assert backend_choice.saved("abc") is None
    backend_choice.save("abc", "openvino")
    backend_choice.save("def", "torch")
    assert (backend_choice.saved("abc"), backend_choice.saved("def"), backend_choice.saved(None)) == ("openvino", "torch", None)
    (tmp_path / "settings" / "backends.json").write_text("[]")
    assert backend_choice.saved("abc") is None


@pytest.mark.parametrize("text", ["480", "480x", "0x3", "axb"])
def test_a_size_that_is_none_is_refused(text):
    with pytest.raises(SettingError, match="HEIGHTxWIDTH"):
        parse_size(text)
