"""Some of the requests of benchmarks/load.py: no answer of the server's own fault, nothing left behind."""

import gc
import tempfile
from pathlib import Path

import psutil
import pytest

for library in ("fastapi", "uvicorn", "prometheus_client", "python_multipart"):
    pytest.importorskip(library)

from scripts import script  # noqa: E402
from web.web_samples import Dawdling, loading, serving  # noqa: E402

load = script("benchmarks/load.py")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def files(folder):
    return [path for path in Path(folder).rglob("*") if path.is_file()]


def test_fuzzed_requests_are_refused_and_leave_nothing(monkeypatch, folder):
    loading(monkeypatch)
    process = psutil.Process()
    with serving() as client:
        load.good(client.port, 20)
        before = load.descriptors(process)
        found = load.fuzz(client.port, 100)
        gc.collect()
        after = load.descriptors(process)
        assert load.good(client.port, 3) == {200: 3}
    statuses = {status for status in found if status is not None}
    assert statuses >= {413, 415, 422}
    assert max(statuses) < 500
    assert after <= before + 2
    assert files(folder) == []


def test_good_requests_all_get_their_photo(monkeypatch, folder):
    loading(monkeypatch)
    with serving() as client:
        assert load.good(client.port, 40) == {200: 40}
    assert files(folder) == []


def test_health_is_timed_beside_a_photo(monkeypatch):
    loading(monkeypatch, Dawdling(0.5))
    with serving() as client:
        client.post("/api/separate", load.photo(24, 24))
        assert load.beside(client.port, load.photo(48, 40)) > 0
