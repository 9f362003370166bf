"""Workers of this process in the place of those of Ray."""

from contextlib import contextmanager

from limpid.scale.cluster import Cluster


def without_ray(monkeypatch, module, order=iter):
    """Let a module of ``limpid.scale`` do its rows here, in an ``order``; returns the keys of those that it was given."""
    given = []

    @contextmanager
    def one_worker(options, device, *, quiet):
        yield Cluster(workers=1, threads=1, gpus=0, beside=1, local=True)

    def in_turn(rows, make, where):
        worker = make()
        for key, row in order(rows):
            given.append(key)
            yield worker(row)

    monkeypatch.setattr(module, "need_ray", lambda: None)
    monkeypatch.setattr(module, "cluster", one_worker)
    monkeypatch.setattr(module, "run_rows", in_turn)
    return given
