import pytest

from limpid.errors import NoRoomError, SettingError
from limpid.files import parse_bytes
from limpid.layers.network import Needs
from limpid.runtime import memory
from limpid.runtime.cost import Cost
from limpid.runtime.memory import Held, plan

COST = Cost(bytes_per_pixel=1000, seconds_per_pixel=1e-6)
NEEDS = Needs(multiple=16, minimum=16)


def choose(working=(3000, 4000), budget=10**9, tile="auto", needs=NEEDS, held=0):
    return plan(working, held=Held(throughout=held), budget=budget, tile=tile, halo=100, needs=needs, cost=COST)


@pytest.mark.parametrize(
    ("text", "bytes_"), [("600MB", 600e6), ("1.5 GB", 1.5e9), ("2g", 2e9), ("1048576", 1048576), ("64 KB", 64e3), ("1GiB", 1e9)]
)
def test_amounts_of_memory(text, bytes_):
    assert parse_bytes(text) == bytes_


@pytest.mark.parametrize("text", ["", "much", "-1GB", "0", "1.5.2GB", "12 parsecs"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(SettingError, match="write it like 600MB"):
        parse_bytes(text)


def test_a_photo_that_fits_runs_whole():
    needed = 1000 * 912 * 1008  # padded to multiples of 16
    chosen = choose(working=(900, 1000), budget=int(1.11 * needed))  # a tenth may come on top
    assert chosen.tile is None
    assert chosen.tiles == 1
    assert (chosen.ram, chosen.most) == (needed, int(1.1 * needed))
    assert choose(working=(900, 1000), budget=int(1.09 * needed)).tile is not None


def test_the_largest_tile_that_fits_is_taken():
    chosen = choose(budget=500_000_000, held=100_000_000)
    assert chosen.tile == 560  # 1.1 · (1e8 + 1.1 · 1000 · 568²) < 5e8 at the next smaller multiple of 16
    assert chosen.most <= 500_000_000
    assert chosen.tiles == 8 * 11 or chosen.tiles > 1


def test_a_budget_too_small_takes_the_least_tile_and_says_what_it_needs():
    chosen = choose(budget=1)
    assert chosen.tile == 352
    assert chosen.ram == pytest.approx(1.1 * 1000 * 352**2)


def test_tiles_are_counted_as_they_are_cut():
    from limpid.image.tile import spans

    for budget in (10**8, 2 * 10**8, 5 * 10**8):
        chosen = choose(budget=budget)
        rows, columns = (len(spans(length, chosen.tile, 100, memory.FADE, 16)) for length in (3008, 4000))
        assert chosen.tiles == rows * columns


def test_tile_off_and_a_given_side():
    assert choose(budget=1, tile="off").tile is None
    assert choose(tile="520").tile == 512
    for wrong in ("300", "-4", "wide", "1.5"):
        with pytest.raises(SettingError, match="auto, off or a side of at least 352 pixels"):
            choose(tile=wrong)


def test_a_network_that_must_not_be_tiled_never_is():
    never = Needs(multiple=16, tiling="never")
    assert choose(working=(500, 500), needs=never).tile is None
    with pytest.raises(NoRoomError, match="raise --max-memory"):
        choose(budget=10**6, needs=never)
    with pytest.raises(SettingError, match="must see a photo whole"):
        choose(tile="512", needs=never)


def test_the_default_budget_is_a_quarter_of_what_is_free(monkeypatch):
    class Free:
        available = 4_000_000_000

    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: Free)
    assert memory.default_budget() == 1_000_000_000
    Free.available = 64_000_000_000
    assert memory.default_budget() == 1_500_000_000


def priced(held, working=(992, 992), tile="auto", **settings):
    return plan(working, held=held, budget=10**10, tile=tile, halo=100, needs=NEEDS, cost=COST, **settings).ram


def test_the_dearest_moment_counts_and_what_is_fixed_always():
    network = 1000 * 992**2
    assert priced(Held(fixed=5, throughout=7)) == 5 + 7 + network
    assert priced(Held(fixed=5, throughout=7, otherwise=9)) == 5 + 7 + network
    assert priced(Held(fixed=5, throughout=7, otherwise=2 * network)) == 5 + 2 * network  # encoding AVIF, say
    assert priced(Held(fixed=5, throughout=7, rebuilding=2 * network)) == 5 + 7 + 2 * network
    assert priced(Held(band=3)) == network + 3 * 992**2


def test_layers_take_room_from_their_first_rows_on():
    network = 1000 * 992**2
    assert priced(Held(layers=network)) == network  # a whole photo: there are none while the network runs
    assert priced(Held(layers=network, rebuilding=9)) == network + 9
    assert priced(Held(layers=network), tile="512") == network + int(1.1 * 1000 * 512**2)


@pytest.mark.parametrize(("seen", "counted"), [(512, 512), (160, 512)])
def test_a_preview_takes_memory_of_its_own(seen, counted):
    assert priced(Held(), working=(seen, seen), preview=512**2) == 1000 * counted**2


def test_what_nobody_knows_is_not_made_up():
    chosen = plan((300, 400), held=Held(), budget=1, tile="auto", halo=100, needs=NEEDS, cost=None)
    assert (chosen.tile, chosen.ram, chosen.seconds) == (None, None, None)
    assert str(chosen) == "400×300, whole, memory and time not known before this network has run"
