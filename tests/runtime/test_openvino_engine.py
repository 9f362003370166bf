"""OpenVINO answers as PyTorch does, and is taken where it was measured."""

import pytest
import torch

from exported import checkpoint
from limpid.errors import DeviceError
from limpid.runtime.load import load
from limpid.runtime.openvino_engine import choose_backend
from network_samples import tiny

CPU = torch.device("cpu")


@pytest.mark.parametrize("parts", [{}, {"gate": True, "fills": True, "hints": True, "mirrored": True}], ids=["plain", "as shipped"])
def test_it_answers_as_pytorch(parts, tmp_path, monkeypatch):
    pytest.importorskip("openvino")
    monkeypatch.setenv("LIMPID_CACHE", str(tmp_path / "cache"))
    weights, photo = checkpoint("limpid", tmp_path, **parts), torch.rand(3, 77, 101)
    wanted = load(weights, "cpu", "float32", backend="torch")(photo)
    for _ in range(2):  # translated, then from the cache
        found = load(weights, "cpu", "float32", backend="openvino")(photo)
        assert all(torch.allclose(found[layer], wanted[layer], atol=1e-4) for layer in wanted)
    assert list((tmp_path / "cache" / "openvino").glob("*.xml"))


def test_auto_takes_it_where_bench_chose_it(monkeypatch):
    monkeypatch.setattr("limpid.runtime.openvino_engine.find_spec", lambda name: object())
    network = tiny("limpid")
    assert choose_backend("auto", network, CPU) == "torch"
    monkeypatch.setattr("limpid.runtime.backend_choice.saved", lambda sha256: "openvino")
    assert choose_backend("auto", network, CPU) == "openvino"
    assert choose_backend("auto", network, torch.device("cuda")) == "torch"
    assert choose_backend("torch", network, CPU) == "torch"
    assert choose_backend("auto", tiny("nafnet"), CPU) == "torch"
    with pytest.raises(DeviceError, match="our own networks"):
        choose_backend("openvino", tiny("errnet"), CPU)
