from collections.abc import Iterator

import pytest

from tests.live import Live, Upstream


@pytest.fixture(scope="module")
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture(scope="module")
def _gateway(upstream: Upstream) -> Iterator[Live]:
    with Live(upstream) as gateway:
        yield gateway


@pytest.fixture
def live(_gateway: Live, upstream: Upstream) -> Live:
    """One gateway for a module; each test starts with a clean record."""
    _gateway.calls.clear()
    upstream.sent.clear()
    return _gateway
