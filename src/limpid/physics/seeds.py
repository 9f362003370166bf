"""One seed → one generator per item and purpose, never a global one."""

import hashlib

import numpy as np
import torch


def generator(seed: int, *key: int | str) -> np.random.Generator:
    """A NumPy generator that depends on ``seed`` and ``key`` alone, e.g. ``generator(7, epoch, index, "noise")``.

    Equal arguments give equal streams in any process; different keys give independent streams (SeedSequence spawn keys).
    Numbers must not be negative.
    """
    words = tuple(_word(part) for part in key)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=words)))


def torch_generator(seed: int, *key: int | str) -> torch.Generator:
    """The same for torch: a CPU generator seeded from ``generator(seed, *key)``."""
    return torch.Generator().manual_seed(torch_seed(seed, *key))


def torch_seed(seed: int, *key: int | str) -> int:
    """A number to seed torch with that depends on ``seed`` and ``key`` alone."""
    return int(generator(seed, *key).integers(2**62))


def _word(part: int | str) -> int:
    if isinstance(part, int):
        return part
    return int.from_bytes(hashlib.sha256(part.encode()).digest()[:4], "little")
