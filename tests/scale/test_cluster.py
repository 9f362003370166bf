"""Ray for a command: named when it is missing, and what kills its workers is given up."""

import os
import sys
from functools import partial

import pytest

from limpid.errors import MissingExtraError, UsageError
from limpid.runtime.options import EngineOptions
from limpid.scale.cluster import check_answers, cluster, need_ray, run_rows


def test_the_extra_is_named_when_ray_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(MissingExtraError, match=r"--engine ray needs ray, .* pip install 'limpid\[scale\]'"):
        need_ray()


class Fatal:
    """A worker that some rows kill."""

    def __init__(self, deadly):
        self.deadly = deadly

    def __call__(self, row):
        if row == self.deadly:
            os._exit(1)
        return f"did {row}"

    def give_up(self, row, reason):
        return f"gave up {row}: {reason}"


@pytest.mark.exhaustive
def test_a_row_that_kills_its_workers_is_given_up_and_the_others_are_done():
    pytest.importorskip("ray.data")
    with cluster(EngineOptions(engine="ray", workers=2, threads=1), "cpu", quiet=True) as where:
        assert (where.workers, where.threads, where.beside, where.local) == (2, 1, 2, True)
        answers = sorted(run_rows([(str(n), f"row {n}") for n in range(8)], partial(Fatal, "row 3"), where))
    assert answers[:-1] == [f"did row {n}" for n in range(8) if n != 3]
    assert answers[-1].startswith("gave up row 3: its worker died 3 times")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1"])
def test_a_cluster_that_does_not_answer_is_one_line(address):
    with pytest.raises(UsageError, match=f"^no Ray cluster answers at {address} "):
        check_answers(address)
    check_answers("auto")  # which Ray finds by itself
