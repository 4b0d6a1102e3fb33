"""One gateway process for all tests of a module that ask it the plain things."""

from collections.abc import Iterator

import pytest

from tests.e2e.predecessors.serving import THREE, Started


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """A gateway to OpenAI, Anthropic and Gemini."""
    with Started(tmp_path_factory.mktemp("three"), THREE) as started:
        yield started


@pytest.fixture
def gateway(three: Started) -> Started:
    """The same gateway, with nothing planned and nothing in memory of the test before."""
    three.play()
    return three
