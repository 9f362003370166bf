import multiprocessing
import os
import signal
import subprocess
import sys
import time
from itertools import islice

import pytest
import torch
from torch._C import _error_if_any_worker_fails

from limpid import catalogue
from limpid.data.augment import Augment
from limpid.data.loader import Places, batches
from limpid.data.pairs import PairSource
from limpid.data.photo_folders import PhotoFolder
from limpid.data.sources.mixture import MixedPairs
from limpid.data.stream import Stream
from limpid.errors import DataError, LimpidError, PhotoError, SettingError, UnknownNameError
from limpid.layers.pair import Pair
from limpid.layers.task import TASKS

MIXTURES = [(catalogue.find("mixtures", name).build(), 1.0) for name in ("subtractive", "zhang", "glass")]

pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")


@pytest.fixture
def stream(tmp_path, save, paired):
    for number in range(6):
        save(tmp_path / "photos" / f"{number}.png", number, 20, 24)
    augment = Augment(window=9, stretch=12, turn=0.5)
    blends = MixedPairs(PhotoFolder(tmp_path / "photos"), mixtures=MIXTURES, augment=augment, seed=5, no_reflection=0.2, hints=0.5)
    real = PairSource(paired(tmp_path / "real", ["a", "b", "c"], size=(18, 26)), augment)
    return Stream([(blends, 0.6), (real, 0.4)], epochs=3, seed=5, length=17, labels=["blends", "real"])


def content(batch):
    tensors = (batch.input, *batch.truth.values(), *batch.known.values(), batch.gain)
    hint = None if batch.hint is None else batch.hint.numpy().tobytes()
    return batch.kinds, batch.names, batch.sources, hint, tuple(tensor.numpy().tobytes() for tensor in tensors)


def steps(stream, **settings):
    with batches(stream, task=TASKS["reflection"], **settings) as loaded:
        return [[content(batch) for batch in step] for step in loaded]


def test_steps_are_the_same_for_any_number_of_workers(stream):
    alone = steps(stream, batch=3, accumulate=2)
    assert len(alone) == 51 // 6  # the last three items make no whole step
    assert len({batch for step in alone for batch in step}) == 16
    for workers in (1, 2):
        assert steps(stream, batch=3, accumulate=2, workers=workers) == alone


def test_the_items_are_those_of_the_stream_in_its_order(stream):
    with batches(stream, task=TASKS["reflection"], batch=4) as loaded:
        for step, (batch,) in enumerate(loaded):
            pairs = [stream[4 * step + place] for place in range(4)]
            assert batch.names == tuple(pair.name for pair in pairs)
            assert torch.equal(batch.input, torch.stack([pair.input for pair in pairs]))


@pytest.mark.parametrize("workers", [0, 1])
def test_the_global_generator_plays_no_part(stream, workers):
    torch.manual_seed(3)
    before = torch.get_rng_state()
    found = steps(stream, batch=3, workers=workers)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(4)
    assert steps(stream, batch=3, workers=workers) == found


@pytest.mark.parametrize("workers", [0, 2])
def test_a_resumed_run_sees_the_rest(stream, workers):
    whole = steps(stream, batch=2, accumulate=2)
    assert steps(stream, batch=2, accumulate=2, start_step=5, workers=workers) == whole[5:]
    assert steps(stream, batch=2, accumulate=2, start_step=len(whole), workers=workers) == []


@pytest.mark.parametrize("workers", [0, 1])
def test_processes_share_the_batch_of_one_that_is_as_large(stream, workers):
    settings = {"accumulate": 2, "start_step": 1}
    names = [[batch[1] for batch in step] for step in steps(stream, batch=4, **settings)]
    shares = [steps(stream, batch=2, world=2, rank=rank, workers=workers, **settings) for rank in range(2)]
    assert [[one[1] + other[1] for one, other in zip(*pair, strict=True)] for pair in zip(*shares, strict=True)] == names


def test_places_are_the_stated_formula():
    place = {
        (step, rank, micro): items
        for rank in range(3)
        for number, items in enumerate(Places(start_step=2, items=100, batch=2, rank=rank, world=3, accumulate=2))
        for step, micro in [(2 + number // 2, number % 2)]
    }
    for (step, rank, micro), items in place.items():
        assert items == tuple(step * 12 + micro * 6 + rank * 2 + inside for inside in range(2))
    assert sorted(item for items in place.values() for item in items) == list(range(24, 96))  # each once, in whole steps


class Faulty:
    """A source that fails on one item in a way of choice."""

    def __init__(self, fail):
        self.fail = fail

    def __len__(self):
        return 1

    def files(self):
        return []

    def pair(self, place, epoch, draw):
        if epoch == 3:
            self.fail()
        blank = torch.zeros(3, 4, 4)
        return Pair(input=blank, layers={"restored": blank}, name=str(epoch))


def drain(fail, workers):
    with batches(Stream([(Faulty(fail), 1.0)], epochs=9, seed=1), task=TASKS["denoise"], workers=workers) as loaded:
        return list(loaded)


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize(
    "error",
    [
        DataError("7 of 9 are corrupt"),
        PhotoError("a.png is cut short"),
        UnknownNameError("layer", "reflexion", ["reflection"]),
        SettingError("x"),
    ],
)
def test_errors_keep_their_class_and_text(error, workers):
    def fail():
        raise error

    with pytest.raises(type(error)) as caught:
        drain(fail, workers)
    assert type(caught.value) is type(error)
    assert str(caught.value) == str(error)
    assert any("in pair" in note for note in caught.value.__notes__)  # where it happened, for --traceback


@pytest.mark.parametrize("workers", [0, 1])
def test_a_fault_of_the_program_becomes_an_error_of_ours(workers):
    with pytest.raises(LimpidError) as caught:
        drain(lambda: 1 / 0, workers)
    assert str(caught.value) == "ZeroDivisionError: division by zero"


@pytest.fixture
def foreign_handler():
    """Torch's handler for dead children, as loaders of others leave it: it raises in the main thread."""

    def handler(signum, frame):
        _error_if_any_worker_fails()

    before = signal.signal(signal.SIGCHLD, handler)
    yield handler
    signal.signal(signal.SIGCHLD, before)


@pytest.mark.parametrize("death", [lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: os._exit(3)])
def test_a_dead_worker_is_said_in_one_line(death, foreign_handler):
    with pytest.raises(LimpidError, match=r"process that makes items died \(.*lower data\.workers") as caught:
        drain(death, 1)
    assert "\n" not in str(caught.value)
    assert signal.getsignal(signal.SIGCHLD) is foreign_handler
    assert not multiprocessing.active_children()


def test_handlers_of_others_do_not_hear_of_our_workers(stream, foreign_handler):
    with batches(stream, task=TASKS["reflection"], workers=1):
        assert signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL  # else it would raise anywhere in the main thread
    assert signal.getsignal(signal.SIGCHLD) is foreign_handler


def test_leaving_early_stops_the_workers(stream):
    before = set(multiprocessing.active_children())
    with batches(stream, task=TASKS["reflection"], batch=2, workers=2) as loaded:
        next(loaded)
        assert len(set(multiprocessing.active_children()) - before) == 2
    assert set(multiprocessing.active_children()) == before
    with pytest.raises(StopIteration):
        next(loaded)
    loaded.close()  # twice does no harm


def test_signals_to_all_processes_leave_the_workers_at_work(stream):
    alone = steps(stream, batch=2)
    before = set(multiprocessing.active_children())
    with batches(stream, task=TASKS["reflection"], batch=2, workers=2) as loaded:
        found = [next(loaded)]
        for worker in set(multiprocessing.active_children()) - before:
            os.kill(worker.pid, signal.SIGINT)
            os.kill(worker.pid, signal.SIGTERM)
        found += loaded
    assert [[content(batch) for batch in step] for step in found] == alone


@pytest.mark.parametrize("workers", [0, 1])
def test_waiting_is_measured_and_work_meanwhile_is_not_waiting(workers):
    stream = Stream([(Faulty(lambda: None), 1.0)], epochs=4, seed=1)
    slow = Stream([(Faulty(lambda: time.sleep(0.5)), 1.0)], epochs=4, seed=1)
    with batches(stream, task=TASKS["denoise"], workers=workers) as quick, batches(slow, task=TASKS["denoise"]) as late:
        next(quick)
        begin = quick.waited
        for _ in islice(quick, 3):
            time.sleep(0.1)
        assert quick.waited - begin < 0.25
        assert len(list(late)) == 4
        assert 0.5 <= late.waited < 1.5


@pytest.mark.parametrize(
    "wrong", [{"batch": 0}, {"rank": 1}, {"rank": -1}, {"world": 0}, {"accumulate": 0}, {"workers": -1}, {"start_step": -1}]
)
def test_numbers_that_make_no_sense_are_refused(stream, wrong):
    with pytest.raises(SettingError, match="rank lies below world"):
        batches(stream, task=TASKS["reflection"], **wrong)


FORKED = """
import sys
from pathlib import Path
import cv2, numpy as np, torch
from limpid import catalogue
from limpid.data.augment import Augment
from limpid.data.loader import batches
from limpid.data.stream import Stream
from limpid.layers.task import TASKS
torch.set_num_threads(2)
cv2.setNumThreads(2)
(torch.rand(600, 600) @ torch.rand(600, 600)).sum()  # starts the threads that a fork does not copy
torch.nn.functional.conv2d(torch.rand(4, 8, 128, 128), torch.rand(8, 8, 3, 3))
cv2.GaussianBlur(np.zeros((2000, 2000, 3), np.uint8), (9, 9), 3)
root = Path(sys.argv[1])
mixtures = [(catalogue.find("mixtures", "screen").build(), 1.0)]
mixture = catalogue.find("sources", "mixture").build(
    transmission=root, mixtures=mixtures, seed=1, partner="random", augment=Augment(window=200, stretch=320)
)
blur = catalogue.find("degradations", "gaussian_blur").build(law="widths")
leaves = catalogue.find("sources", "leaves").build(degradations=[blur], size=(320, 320), length=9)
for source, task in ((mixture, "reflection"), (leaves, "denoise")):
    with batches(Stream([(source, 1.0)], epochs=1, seed=1, length=8), task=TASKS[task], batch=2, workers=2) as loaded:
        assert len(list(loaded)) == 4
print("done")
"""


def test_forking_after_threads_were_used_does_not_hang(tmp_path, save):
    for number in range(3):
        save(tmp_path / f"{number}.png", number, 400, 500)
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-W", "error::RuntimeWarning", "-c", FORKED, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout == "done\n", done.stderr
