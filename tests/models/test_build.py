"""The counts of parameters that a list of networks shows without building them."""

import pytest

from limpid import catalogue
from limpid.models._build import count, known_counts

HELD = known_counts()


@pytest.mark.parametrize("name", HELD)
def test_counts_are_those_of_the_networks(name):
    entry = catalogue.find("models", name)
    assert HELD[name] == {size: count(entry, settings) for size, settings in entry.sizes.items()}


def test_a_network_of_somebody_elses_is_counted():
    assert count(catalogue.find("models", "stacked"), {"width": 16}) == HELD["stacked"]["width16"]
