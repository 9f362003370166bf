"""Options of the test run."""

import os
from collections.abc import Iterator

# One thread for each test process (make test starts one per core): two teams of threads on the same cores spin against each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--exhaustive", action="store_true", help="also run tests that take minutes each")
    parser.addoption("--fuzz-examples", type=int, default=500, help="damaged files per photo format (default 500)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--exhaustive"):
        for item in items:
            if item.get_closest_marker("exhaustive"):
                item.add_marker(pytest.mark.skip(reason="takes minutes; --exhaustive runs it"))


@pytest.fixture(autouse=True, scope="session")
def cache_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What networks cost is remembered beside downloads; a test run neither reads nor changes what its user keeps there."""
    with pytest.MonkeyPatch.context() as patch:
        if "LIMPID_CACHE" not in os.environ:
            patch.setenv("LIMPID_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def fuzz_examples(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--fuzz-examples"))
