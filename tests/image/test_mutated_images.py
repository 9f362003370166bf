"""A few of the damaged photos of ``benchmarks/mutated_images.py``, which takes ten thousand."""

import sys

import pytest

from scripts import script

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


@pytest.fixture(scope="module")
def mutated():
    return script("benchmarks/mutated_images.py")


def test_damaged_photos_are_read_or_refused_soon_and_in_little_memory(mutated, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    became = mutated.main(300, 1)
    assert set(became) == {"read", "refused"}
    assert min(became.values()) > 30


def test_a_miscreant_is_found_out_and_kept(mutated, tmp_path, monkeypatch):
    def careless(content, allow_truncated):
        raise IndexError("out of range")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mutated, "read", careless)
    assert mutated.main(2, 5) == {"IndexError: out of range": 2}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mutated-5-0.bin", "mutated-5-1.bin"]
