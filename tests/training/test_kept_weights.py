"""What a run leaves: a state that no kill and no full disk degrades, and the best weights, in little room."""

import errno
import json
import os
import random
import resource
import signal
import time
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from limpid import catalogue, files
from limpid.checkpoints import file
from limpid.checkpoints.file import Checkpoint
from limpid.errors import LimpidError, WeightsError
from limpid.files import DiskError, remove_partial, replacing
from limpid.training import kept_weights
from limpid.training.kept_weights import BestWeights, NumberedWeights, check_room, estimate, published, weights
from limpid.training.run_state import read_state, size, tight, write_state

STATE = {"step": 7, "network": OrderedDict(a=torch.arange(6.0)), "rates": (0.1, None, True), "notes": {"x": ["y", b"z"]}}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_state_comes_back_as_it_was(tmp_path):
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    optimiser = torch.optim.Adam(network.parameters())
    network(torch.rand(2, 3, 8, 8)).sum().backward()
    optimiser.step()
    write_state(tmp_path / "last.pt", {**STATE, "net": network.state_dict(), "adam": optimiser.state_dict()})
    state = read_state(tmp_path / "last.pt")
    assert {key: state[key] for key in ("step", "rates", "notes")} == {key: STATE[key] for key in ("step", "rates", "notes")}
    assert all(torch.equal(state["net"][name], tensor) for name, tensor in network.state_dict().items())
    optimiser.load_state_dict(state["adam"])
    assert names(tmp_path) == ["last.pt"]


@pytest.mark.parametrize("value", [np.float64(1), {1, 2}, object()], ids=["numpy", "set", "object"])
def test_what_could_not_be_read_back_is_refused_when_written(tmp_path, value):
    with pytest.raises(TypeError, match="read back"):
        write_state(tmp_path / "last.pt", {"inner": [value]})
    assert names(tmp_path) == []


def test_size_is_that_of_the_file(tmp_path):
    shared = torch.rand(100, 1000)
    state = {"a": shared, "b": shared, "view": shared[:10], "c": torch.rand(50_000).half()}
    write_state(tmp_path / "last.pt", state)
    assert size(state) == 400_000 + 100_000
    assert size(state) <= (tmp_path / "last.pt").stat().st_size <= size(state) + 5000


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "page", "list"])
def test_a_damaged_state_is_one_clear_line(tmp_path, damage):
    path = tmp_path / "last.pt"
    write_state(path, STATE)
    whole = path.read_bytes()
    content = {"missing": None, "empty": b"", "cut": whole[: len(whole) // 2], "page": b"<html>not found</html>", "list": whole}[
        damage
    ]
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    if damage == "list":
        torch.save([1], path)
    with pytest.raises(WeightsError, match=r"last\.pt") as caught:
        read_state(path)
    assert "\n" not in str(caught.value)


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    write_state(tmp_path / "last.pt", STATE)
    before = (tmp_path / "last.pt").read_bytes()
    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(
        DiskError, match=r"last\.pt cannot be written \(No space left on device\); what it held before is intact"
    ) as caught:
        write_state(tmp_path / "last.pt", {**STATE, "step": 8})
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, LimpidError)
    assert (tmp_path / "last.pt").read_bytes() == before
    assert names(tmp_path) == ["last.pt"]


def in_child(work):
    """Fork, run ``work`` there, and return its exit code; -9 means killed."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(work() or 0)
        except BaseException:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("what", ["state", "weights"])
def test_a_write_that_the_system_refuses_halfway_leaves_the_old_file(tmp_path, what):
    best = BestWeights(tmp_path)

    def make():
        return Checkpoint(model="limpid", settings={}, tensors={"a": torch.rand(300_000)}, notes={})

    best.offer(make, epoch=1, step=1, score=1.0)
    write_state(tmp_path / "last.pt", STATE)
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}

    def work():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            if what == "state":
                write_state(tmp_path / "last.pt", {"big": torch.rand(300_000)})
            else:
                best.offer(make, epoch=2, step=2, score=2.0)
        except DiskError as error:
            return 3 if "\n" not in str(error) else 4
        return 5

    assert in_child(work) == 3
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before


def test_no_write_is_begun_without_room_for_it(tmp_path, monkeypatch):
    write_state(tmp_path / "last.pt", STATE)
    monkeypatch.setattr("limpid.training.run_state.free", lambda folder: 1000)
    with pytest.raises(DiskError, match=r"needs 4\.0 MB, but 0\.0 MB are free; the old one is intact"):
        write_state(tmp_path / "last.pt", {"big": torch.rand(1_000_000)})
    assert read_state(tmp_path / "last.pt")["step"] == 7
    assert "make room" in tight(tmp_path / "last.pt")
    monkeypatch.setattr("limpid.training.run_state.free", lambda folder: 10**9)
    assert tight(tmp_path / "last.pt") is None


def await_change(path):
    before, deadline = path.stat().st_mtime_ns, time.monotonic() + 60
    while path.stat().st_mtime_ns == before and time.monotonic() < deadline:
        time.sleep(0.001)


def test_fifty_kills_leave_fifty_readable_states(tmp_path):
    path, chance = tmp_path / "last.pt", random.Random(5)
    write_state(path, {"step": 0, "weights": torch.zeros(500_000)})
    begun, interrupted = 0, 0
    for attempt in range(50):
        start = read_state(path)["step"]
        child = os.fork()
        if child == 0:
            step = start
            while True:
                step += 1
                write_state(path, {"step": step, "weights": torch.full((500_000,), float(step))})
        if attempt % 5 == 0:  # some live long enough to have saved, on a busy machine, too
            await_change(path)
        time.sleep(chance.uniform(0.0, 0.03))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        state = read_state(path)
        assert bool((state["weights"] == state["step"]).all())
        begun += state["step"] > start
        interrupted += len(remove_partial(tmp_path))
        assert names(tmp_path) == ["last.pt"]
    assert begun >= 5  # else nothing was saved at all
    assert interrupted >= 5  # else no kill fell into a save


def test_only_our_own_temporary_files_are_cleaned(tmp_path):
    for name in (".limpid-0123456789ab.partial", "mine.partial", ".mine.partial", "last.pt"):
        (tmp_path / name).write_text("x")
    (tmp_path / ".limpid-0123.partial").mkdir()
    assert [path.name for path in remove_partial(tmp_path)] == [".limpid-0123456789ab.partial"]
    assert names(tmp_path) == [".limpid-0123.partial", ".mine.partial", "last.pt", "mine.partial"]


def test_other_faults_pass_through_and_leave_nothing(tmp_path):
    def fail():
        with replacing(tmp_path / "x") as partial:
            partial.write_text("half")
            raise KeyError("x")

    pytest.raises(KeyError, fail)
    assert names(tmp_path) == []


def tiny():
    entry = catalogue.find("models", "limpid")
    settings = dict(catalogue.settings_of(entry, "tiny"))
    torch.manual_seed(1)
    return entry.build(**settings), settings


def put(value):
    return lambda: Checkpoint(model="limpid", settings={}, tensors={"t": torch.full((3,), value)}, notes={})


def test_the_best_two_are_kept_load_and_are_listed(tmp_path):
    network, settings = tiny()
    best = BestWeights(tmp_path, keep=2)

    def make():
        return Checkpoint(model="limpid", settings=settings, tensors=weights(network), notes={"name": "r"})

    scores = (20.0, 22.0, 21.0, 22.0, 19.0)
    kept = [best.offer(make, epoch=epoch, step=10 * epoch, score=score) for epoch, score in enumerate(scores, 1)]
    assert kept == [True, True, True, True, False]
    assert names(tmp_path) == ["best.json", "best_epoch_0002.safetensors", "best_epoch_0004.safetensors"]
    assert [row["epoch"] for row in json.loads((tmp_path / "best.json").read_text())] == [2, 4]  # the earlier wins the tie
    checkpoint = file.read(best.path)
    assert checkpoint.notes == {"name": "r", "epoch": 2, "step": 20, "score": 22.0}
    assert {tensor.dtype for tensor in checkpoint.tensors.values()} == {torch.float16}
    again, photo = file.build(checkpoint, source="x"), torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        assert (again(photo)["transmission"] - network.eval()(photo)["transmission"]).abs().max() < 0.01


def test_the_best_survive_a_resume_and_kills_between_two_writes(tmp_path):
    best = BestWeights(tmp_path, keep=2)
    for epoch, score in ((1, 20.0), (2, 22.0)):
        best.offer(put(1.0), epoch=epoch, step=epoch, score=score)
    (tmp_path / "best_epoch_0003.safetensors").write_bytes(b"written, but killed before the list was")
    (tmp_path / "best_epoch_mine.safetensors").write_bytes(b"not ours")
    again = BestWeights(tmp_path, keep=2)
    assert [kept.epoch for kept in again.kept] == [2, 1]
    assert not (tmp_path / "best_epoch_0003.safetensors").exists()
    assert (tmp_path / "best_epoch_mine.safetensors").exists()
    assert again.offer(put(0.0), epoch=2, step=2, score=22.0)  # the epoch is done once more
    assert [kept.epoch for kept in again.kept] == [2, 1]
    assert file.read(again.path).tensors["t"].sum() == 0


def test_without_its_list_no_weights_are_removed(tmp_path):
    BestWeights(tmp_path).offer(put(1.0), epoch=1, step=1, score=1.0)
    (tmp_path / "best.json").write_text("[{")
    BestWeights(tmp_path)
    assert "best_epoch_0001.safetensors" in names(tmp_path)


def test_a_score_that_is_no_number_is_never_best(tmp_path):
    assert not BestWeights(tmp_path).offer(put(1.0), epoch=1, step=1, score=float("nan"))
    assert names(tmp_path) == []


def test_weights_keep_what_float16_cannot_hold_and_ties():
    network = nn.Module()
    network.a = network.b = nn.Parameter(torch.rand(4))
    network.register_buffer("large", torch.tensor([1e6]))
    network.register_buffer("count", torch.tensor(3))
    made = weights(network)
    assert made["a"] is made["b"]
    assert {name: tensor.dtype for name, tensor in made.items() if name != "b"} == {
        "a": torch.float16,
        "large": torch.float32,
        "count": torch.int64,
    }
    assert weights(network, torch.float32)["a"].data_ptr() != network.a.data_ptr()  # a copy, whatever the precision


def test_numbered_epochs_are_kept_by_number(tmp_path):
    numbered = NumberedWeights(tmp_path, every=5_000, history=2)
    (tmp_path / "epoch_mine.safetensors").write_bytes(b"")
    made = [numbered.offer(put(1.0), epoch=epoch, step=epoch) for epoch in (4_999, 5_000, 10_000, 15_000)]
    assert made == [False, True, True, True]
    assert [path.name for path in numbered.paths()] == ["epoch_10000.safetensors", "epoch_15000.safetensors"]
    assert (tmp_path / "epoch_mine.safetensors").exists()
    assert not NumberedWeights(tmp_path, every=0).offer(put(1.0), epoch=1, step=1)


def test_a_run_of_125_million_parameters_takes_less_than_3_gb():
    with torch.device("meta"):
        network = nn.Sequential(*(nn.Linear(5000, 5000, bias=False) for _ in range(5)))
        discriminator = nn.Linear(1700, 1700, bias=False)
    assert estimate(network) == 125_000_000 * (4 + 8 + 4 + 2 * 2)
    assert estimate(network, replacing=True) == 125_000_000 * (20 + 16)
    assert estimate(network, discriminator=discriminator) < 3e9
    assert estimate(network, discriminator=discriminator, replacing=True) < 5e9
    assert estimate(network, moments=1, average=False, keep=0, numbered=3) == 125_000_000 * (8 + 3 * 2)


def test_the_estimate_is_what_a_run_really_takes(tmp_path):
    network, settings = tiny()
    optimiser = torch.optim.Adam(network.parameters())
    network(torch.rand(1, 3, 32, 32))["transmission"].sum().backward()
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    average = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    write_state(tmp_path / "last.pt", {"network": network.state_dict(), "average": average, "adam": optimiser.state_dict()})
    best = BestWeights(tmp_path, keep=2)
    for epoch in (1, 2, 3):
        made = Checkpoint(model="limpid", settings=settings, tensors=weights(network), notes={})
        best.offer(lambda made=made: made, epoch=epoch, step=epoch, score=float(epoch))
    taken = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert estimate(network) <= taken <= estimate(network) + 2000 * len(average)  # names and headers


def test_backbones_of_published_files_take_no_room():
    network, _ = tiny()
    before = estimate(network)
    with torch.device("meta"):
        network.backbone = catalogue.find("backbones", "vgg19").build()
    network.backbone.origin = "vgg19.pth"
    assert estimate(network) == before
    assert published(network) == ("backbone.",)
    assert not any(name.startswith("backbone.") for name in weights(network))
    network.backbone.origin = "none"  # random numbers exist nowhere else
    assert estimate(network) > before


def test_a_disk_too_small_is_said_before_the_start(tmp_path, monkeypatch):
    check_room(tmp_path / "not" / "yet", 1000)
    monkeypatch.setattr(kept_weights, "free", lambda folder: 999)
    with pytest.raises(DiskError, match=r"the run needs 0\.0 MB in .*log\.keep"):
        check_room(tmp_path, 1000)
    (tmp_path / "last.pt").write_bytes(b"1")
    check_room(tmp_path, 1000)  # what is there counts
