"""One thread while an item is made: sums that torch splits between threads round differently, by one unit in the last place."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """Run the block, or the decorated function, in one torch thread, as worker processes do; then restore the number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
