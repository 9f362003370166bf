import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from limpid.errors import SettingError
from limpid.image.tile import blend, spans


@settings(deadline=None, derandomize=True)
@given(length=st.integers(1, 700), tile=st.integers(100, 300), halo=st.integers(0, 30), fade=st.integers(0, 20))
def test_spans_cover_every_pixel_with_weights_that_add_up_to_one(length, tile, halo, fade):
    total = torch.zeros(length)
    for span in spans(length, tile, halo, fade, multiple=8):
        total[span.first : span.last] += span.weights()
    assert torch.allclose(total, torch.ones(length), atol=1e-6)


@settings(deadline=None, derandomize=True)
@given(length=st.integers(1, 700), tile=st.integers(100, 300), halo=st.integers(0, 30))
def test_every_tile_starts_in_phase_and_sees_its_halo(length, tile, halo):
    for span in spans(length, tile, halo, 8, multiple=8):
        assert span.start % 8 == 0
        assert span.stop - span.start <= tile
        assert span.first - span.start >= halo or span.first == 0
        assert span.stop - span.last >= halo or span.last == length


def test_a_tile_without_room_names_the_least_side():
    with pytest.raises(SettingError, match="the least is 88 px"):
        spans(500, 64, 32, 16, multiple=8)


def test_blending_the_photo_itself_gives_the_photo():
    photo = torch.rand(3, 211, 307)
    rows, columns = spans(211, 96, 8, 8, 8), spans(307, 96, 8, 8, 8)

    def separate(row, column):
        return {"same": photo[:, row.start : row.stop, column.start : column.stop]}

    bands = list(blend(rows, columns, separate))
    assert [top for top, _, _ in bands] == [0, *[bottom for _, bottom, _ in bands[:-1]]]
    assert torch.allclose(torch.cat([layers["same"] for _, _, layers in bands], dim=1), photo, atol=1e-6)
