import logging

import pytest
from torch.utils.data import DataLoader

from limpid.data.augment import Augment
from limpid.data.pairs import PairSource
from limpid.data.photo_folders import PhotoFolder
from limpid.data.stream import Stream
from limpid.errors import DataError
from limpid.physics.seeds import generator

AUGMENT = Augment(crop=8)


@pytest.fixture
def folder(tmp_path, save):
    """A hundred photos, 7 of which may go bad by the test."""
    for number in range(100):
        save(tmp_path / f"{number:03d}.png", number)
    return tmp_path


def degrade(path):
    path.write_bytes(path.read_bytes()[:40])


def test_a_corrupt_photo_is_replaced_by_the_next_logged_once_and_counted(folder, caplog):
    degrade(folder / "007.png")
    photos = PhotoFolder(folder)
    with caplog.at_level(logging.WARNING, "limpid"):
        for _ in range(3):
            assert (photos[7] == photos[8]).all()
    assert [record.getMessage().count("007.png") for record in caplog.records] == [1]
    assert "another one takes its place" in caplog.records[0].getMessage()
    assert photos.health.bad == 1


def test_the_last_photo_is_replaced_by_the_first(folder):
    degrade(folder / "099.png")
    photos = PhotoFolder(folder)
    assert (photos[99] == photos[0]).all()


def test_more_than_one_percent_stops_with_the_count(folder):
    degrade(folder / "007.png")
    degrade(folder / "050.png")
    photos = PhotoFolder(folder)
    photos[7]
    with pytest.raises(DataError, match=r"2 of 100 items .* more than 1 % or 100; last: .*050\.png.*limpid prepare --check"):
        photos[50]


def test_more_than_a_hundred_stop_however_large_the_folder(tmp_path, monkeypatch):
    from limpid.data.corrupt_files import CorruptFiles
    from limpid.errors import PhotoError

    def refuse(place):
        raise PhotoError(f"{place} is bad")

    health = CorruptFiles(20_000, tmp_path)
    with pytest.raises(DataError, match="101 of 20000 items"):
        health.load(0, refuse)


def test_a_pair_is_replaced_whole(tmp_path, paired):
    paired(tmp_path, [f"{number:03d}" for number in range(100)])
    source = PairSource(tmp_path, AUGMENT)
    degrade(tmp_path / "transmission_layer" / "041.png")
    assert source.pair(41, 0, generator(1)).name == "042"
    assert source.health.bad == 1


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("workers", [0, 1, 4])
def test_workers_agree_on_replacements_and_share_the_count(tmp_path, paired, workers):
    paired(tmp_path, [f"{number:03d}" for number in range(100)])
    source = PairSource(tmp_path, AUGMENT)
    degrade(tmp_path / "blended" / "060.png")
    stream = Stream([(source, 1.0)], epochs=1, seed=4, length=300)
    loader = DataLoader(stream, batch_size=4, num_workers=workers, collate_fn=lambda pairs: [pair.name for pair in pairs])
    names = [name for batch in loader for name in batch]
    expected = []
    for item in range(300):
        draw = generator(4, 0, item, "item")
        draw.choice(1, p=[1.0])
        place = int(draw.integers(100))
        expected.append("061" if place == 60 else f"{place:03d}")
    assert "061" in names
    assert names == expected
    assert source.health.bad == 1  # found by a worker, known here
