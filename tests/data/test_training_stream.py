import hashlib

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Subset

from limpid import catalogue
from limpid.data.augment import Augment
from limpid.data.pairs import PairSource
from limpid.data.photo_folders import PhotoFolder
from limpid.data.sources.degraded import DegradedPhotos
from limpid.data.sources.leaves import LeafPairs
from limpid.data.sources.mixture import MixedPairs, Reject
from limpid.data.stream import Stream
from limpid.errors import DataError, SettingError
from limpid.layers.pair import Pair
from limpid.physics.leaves.chart import chart
from limpid.physics.leaves.settings import Chart
from limpid.physics.seeds import generator

AUGMENT = Augment(short_side=(14, 30), crop=12, turn=0.5)
MIXTURES = [(catalogue.find("mixtures", name).build(), 1.0) for name in ("subtractive", "screen", "zhang", "glass")]


def digest(pair):
    content = hashlib.sha256(pair.name.encode())
    for layer in (pair.input, *pair.layers.values()):
        content.update(b"none" if layer is None else layer.numpy().tobytes())
    return content.hexdigest()


def digests(pairs):
    return [digest(pair) for pair in pairs]


@pytest.fixture
def stream(tmp_path, save, paired):
    for number in range(8):
        save(tmp_path / "photos" / f"{number}.png", number, 20, 24)
    blends = MixedPairs(PhotoFolder(tmp_path / "photos"), mixtures=MIXTURES, augment=AUGMENT, seed=5, no_reflection=0.2)
    real = PairSource(paired(tmp_path / "real", ["a", "b", "c"], size=(18, 26)), AUGMENT)
    return Stream([(blends, 0.6), (real, 0.4)], epochs=3, seed=5, length=10)


@pytest.fixture
def windows(save, tmp_path):
    for number in range(5):
        save(tmp_path / "more" / f"{number}.png", number, 20, 24)
    augment = Augment(window=8, stretch=12)
    blends = MixedPairs(
        PhotoFolder(tmp_path / "more"), mixtures=MIXTURES, augment=augment, seed=3, partner="random", no_reflection=0.2
    )
    return Stream([(blends, 1.0)], epochs=2, seed=3, length=12)


@pytest.fixture
def degraded(save, tmp_path):
    for number in range(5):
        save(tmp_path / "more" / f"{number}.png", number, 20, 24)
    degrade = [catalogue.find("degradations", name).build() for name in ("poisson_gaussian", "jpeg")]
    photos = DegradedPhotos(photos=PhotoFolder(tmp_path / "more"), degradations=degrade, augment=Augment(crop=12, upend=0.5))
    return Stream([(photos, 1.0)], epochs=2, seed=3, length=10)


@pytest.fixture
def leaves():
    degrade = [catalogue.find("degradations", name).build() for name in ("gaussian_blur", "gaussian_noise")]
    charts = LeafPairs(settings=Chart(fills={"flat": 1, "noise": 1}, fill_from=3), size=(20, 24), degradations=degrade, length=9)
    return Stream([(charts, 1.0)], epochs=3, seed=4)


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("kind", ["stream", "windows", "degraded", "leaves"])
def test_items_are_the_same_for_any_number_of_workers_and_after_resuming(kind, workers, request):
    pairs = request.getfixturevalue(kind)
    alone = digests(pairs[index] for index in range(len(pairs)))
    assert len(set(alone)) > 0.9 * len(alone)
    loader = DataLoader(pairs, batch_size=3, num_workers=workers, collate_fn=digests)
    assert [item for batch in loader for item in batch] == alone
    rest = DataLoader(Subset(pairs, range(13, len(pairs))), batch_size=2, num_workers=workers, collate_fn=digests)
    assert [item for batch in rest for item in batch] == alone[13:]


def test_global_generators_play_no_part(stream):
    torch.manual_seed(1)
    np.random.seed(1)
    first = digest(stream[4])
    torch.manual_seed(2)
    np.random.seed(2)
    before = (torch.get_rng_state(), np.random.get_state()[1])
    assert digest(stream[4]) == first
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()


@pytest.mark.parametrize("augment", [Augment(crop=256), Augment(window=200, stretch=256)])
def test_the_number_of_threads_plays_no_part(augment, tmp_path, save):
    for number in range(4):
        save(tmp_path / f"{number}.png", number, 300, 400)
    photos, mixtures = PhotoFolder(tmp_path, keep=True), [MIXTURES[0], (catalogue.find("mixtures", "screen").build(share=0), 1.0)]
    blends = MixedPairs(photos, mixtures=mixtures, augment=augment, seed=5)  # large enough for torch to share sums
    stream = Stream([(blends, 1.0)], epochs=1, seed=5, length=12)
    before = torch.get_num_threads()
    try:
        found = []
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            found.append(digests(stream[index] for index in range(12)))
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[1] == found[2]


def test_live_leaves_are_charts_with_their_spoilt_versions(leaves):
    pairs = [leaves[index] for index in range(len(leaves))]
    assert len(pairs) == 27
    assert len({pair.layers["restored"].numpy().tobytes() for pair in pairs}) == 27  # no chart comes twice, in no epoch
    charts = LeafPairs(settings=Chart(), size=(16, 20), degradations=())
    clean = charts.pair(0, 0, generator(3))
    assert torch.equal(clean.input, clean.layers["restored"])
    assert torch.equal(clean.input, chart(Chart(), (16, 20), generator(3)))
    noisy = LeafPairs(
        settings=Chart(), size=(64, 64), degradations=[catalogue.find("degradations", "gaussian_noise").build(sigma=(25, 25))]
    )
    pair = noisy.pair(0, 0, generator(3))
    assert (pair.input - pair.layers["restored"]).std().item() == pytest.approx(25 / 255, rel=0.05)


def test_epochs_seeds_and_places_differ(stream):
    other = Stream(list(zip(stream.sources, stream.weights, strict=True)), epochs=3, seed=6, length=10)
    assert len({digest(stream[3]), digest(stream[13]), digest(stream[4]), digest(other[3])}) == 4


class Tagged:
    """A source that says which of its items was asked for."""

    def __init__(self, tag, length):
        self.tag, self.length = tag, length

    def __len__(self):
        return self.length

    def pair(self, place, epoch, draw):
        assert 0 <= place < self.length
        blank = torch.zeros(3, 1, 1)
        return Pair(input=blank, layers={"restored": blank}, name=f"{self.tag} {place}")


def test_sources_are_mixed_by_the_weights_of_the_epoch():
    stream = Stream([(Tagged("real", 3), {0: 0.3, 2: 0.5}), (Tagged("blend", 997), {0: 0.7, 2: 0.5})], epochs=3, seed=1)
    assert (stream.length, len(stream)) == (1000, 3000)
    shares = [np.mean([stream[1000 * epoch + item].name.startswith("real") for item in range(1000)]) for epoch in range(3)]
    np.testing.assert_allclose(shares, [0.3, 0.3, 0.5], atol=0.05)
    places = {stream[item].name for item in range(3000) if stream[item].name.startswith("real")}
    assert places == {"real 0", "real 1", "real 2"}


def test_sources_that_make_no_sense_are_refused():
    with pytest.raises(DataError, match="at least one source"):
        Stream([], epochs=1, seed=0)
    with pytest.raises(DataError, match="none may be empty"):
        Stream([(Tagged("a", 0), 1.0)], epochs=1, seed=0)
    with pytest.raises(SettingError, match="in epoch 7"):
        Stream([(Tagged("a", 2), {0: 1.0, 7: 0.0})], epochs=9, seed=0)
    with pytest.raises(IndexError):
        Stream([(Tagged("a", 2), 1.0)], epochs=1, seed=0)[2]


def test_all_layers_of_a_pair_are_augmented_alike(tmp_path, save):
    for layer in ("blended", "transmission_layer", "reflection_layer"):
        save(tmp_path / layer / "a.png", 7, 30, 40)
    for index in range(20):
        pair = PairSource(tmp_path, AUGMENT).pair(0, 0, generator(9, index))
        assert pair.input.shape == (3, 12, 12)
        assert torch.equal(pair.input, pair.layers["transmission"])
        assert torch.equal(pair.input, pair.layers["reflection"])


def blank(*levels, size=(16, 16)):
    return [np.full((*size, 3), level, np.uint8) for level in levels]


def partners(blends, epoch):
    """Which photos, told by their level, became which layers."""
    pairs = [blends.pair(place, epoch, generator(1, epoch, place)) for place in range(len(blends))]
    return [tuple(map(int, pair.name.split()[0].split("+"))) for pair in pairs]


def test_halves_are_the_published_split_reshuffled_from_the_second_epoch_on():
    photos = blank(*range(0, 220, 20))  # 11: one is left over
    blends = MixedPairs(photos, mixtures=MIXTURES[:1], augment=Augment(crop=8), seed=2)
    assert len(blends) == 5
    assert partners(blends, 0) == [(0, 5), (1, 6), (2, 7), (3, 8), (4, 9)]
    for epoch in (1, 2):
        used = [photo for pair in partners(blends, epoch) for photo in pair]
        assert len(set(used)) == 10
    assert partners(blends, 1) != partners(blends, 2)
    assert partners(blends, 1) == partners(blends, 1)


def test_partners_of_two_lists_are_the_same_place_or_any():
    behind, mirrored = blank(10, 20, 30), blank(40, 50, 60)
    same = MixedPairs(behind, mirrored, mixtures=MIXTURES[:1], augment=Augment(crop=8), seed=2, partner="same")
    assert partners(same, 4) == [(0, 0), (1, 1), (2, 2)]
    others = MixedPairs(behind, mixtures=MIXTURES[:1], augment=Augment(crop=8), seed=2, partner="random")
    assert {partners(others, epoch)[1] for epoch in range(40)} == {(1, 0), (1, 2)}  # never the photo itself
    anyone = MixedPairs(behind, mirrored, mixtures=MIXTURES[:1], augment=Augment(crop=8), seed=2, partner="random")
    assert {partners(anyone, epoch)[1] for epoch in range(40)} == {(1, 0), (1, 1), (1, 2)}


@pytest.mark.parametrize("augment", [Augment(crop=10), Augment(short_side=(10, 20)), Augment(short_side=(10, 20), turn=1.0)])
def test_photos_of_different_sizes_blend_to_one_size(augment):
    behind, mirrored = blank(100, size=(16, 24)), blank(200, size=(30, 20))
    blends = MixedPairs(behind, mirrored, mixtures=MIXTURES[:1], augment=augment, seed=2, partner="same")
    for index in range(10):
        pair = blends.pair(0, 0, generator(3, index))
        assert pair.input.shape == pair.layers["transmission"].shape == pair.layers["reflection"].shape


def test_a_clean_item_is_its_own_transmission():
    pair = MixedPairs(blank(9, 90), mixtures=MIXTURES, augment=Augment(crop=8), seed=1, no_reflection=1.0).pair(0, 0, generator(1))
    assert torch.equal(pair.input, pair.layers["transmission"])
    assert not pair.layers["reflection"].any()


def test_dim_reflections_are_drawn_again_and_in_the_end_given_up():
    photos = blank(200, 200, 60, 220)  # halves of epoch 0: 200 with 60 (too dim), 200 with 220
    blends = MixedPairs(photos, mixtures=MIXTURES[:1], augment=Augment(crop=8), seed=1, reject=Reject())
    assert {blends.pair(0, 0, generator(1, index)).name for index in range(20)} == {"1+3 subtractive"}
    hopeless = MixedPairs(blank(200, 60), mixtures=MIXTURES[:1], augment=Augment(crop=8), seed=1, reject=Reject())
    with pytest.raises(DataError, match="100 blends in a row were rejected"):
        hopeless.pair(0, 0, generator(1))


def test_a_blend_with_an_almost_black_layer_is_rejected():
    mixture = MIXTURES[0][0].apply(
        torch.full((3, 4, 4), 0.6), torch.full((3, 4, 4), 0.1), MIXTURES[0][0].draw(generator(1), (4, 4))
    )
    assert Reject().blend(mixture)
    assert not Reject(layer=0.01).blend(mixture)


def test_blends_need_photos_and_settings_that_agree():
    with pytest.raises(DataError, match="at least two photos"):
        MixedPairs(blank(1), mixtures=MIXTURES, augment=Augment(crop=8), seed=1)
    with pytest.raises(SettingError, match="two with 'same'"):
        MixedPairs(blank(1, 2), mixtures=MIXTURES, augment=Augment(crop=8), seed=1, partner="same")
    with pytest.raises(DataError, match="got 2 and 1"):
        MixedPairs(blank(1, 2), blank(1), mixtures=MIXTURES, augment=Augment(crop=8), seed=1, partner="same")
