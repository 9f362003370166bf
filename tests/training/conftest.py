"""Photos that training tests share."""

from pathlib import Path

import pytest

from training_samples import photos


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of photos to train on and to hold out."""
    folder = tmp_path_factory.mktemp("places")
    return {"PHOTOS": photos(folder / "train", 6), "HELD": photos(folder / "held", 4, seed=1)}


@pytest.fixture
def given(places: dict[str, Path]) -> list[str]:
    """The overrides that name them."""
    return [f"{name}={path}" for name, path in places.items()]
