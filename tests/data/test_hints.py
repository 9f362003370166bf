"""A hint lies where the reflection shows, misses some of it and is often not given."""

import numpy as np
import pytest
import torch

from limpid.data.hints import draw_hint


def scene(strength=0.4):
    photo = torch.full((3, 96, 128), 0.3)
    mixed = photo.clone()
    mixed[:, 20:60, 30:80] += strength
    return mixed, photo


@pytest.mark.parametrize("seed", range(8))
def test_it_covers_the_reflection_roughly_and_little_else(seed):
    mixed, photo = scene()
    hint = draw_hint(mixed, photo, np.random.default_rng(seed))
    assert hint.shape == (1, 96, 128)
    assert set(hint.unique().tolist()) <= {0.0, 1.0}
    beyond = hint.clone()
    beyond[:, : 60 + 32, : 80 + 32] = 0  # as far as the widest brush reaches
    assert beyond.sum() == 0


def test_strokes_are_missed_at_random_and_most_are_there():
    mixed, photo = scene()
    covered = [float(draw_hint(mixed, photo, np.random.default_rng(seed))[:, 20:60, 30:80].mean()) for seed in range(40)]
    assert 0.4 < np.mean(covered) < 0.98
    assert np.std(covered) > 0.05


def test_nothing_visible_gives_no_hint():
    mixed, photo = scene(strength=0.02)
    assert draw_hint(mixed, photo, np.random.default_rng(1)).sum() == 0
