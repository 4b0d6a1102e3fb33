"""The exchange that a test is about, where the corpus is there."""

import os
from typing import Any

import pytest

from tests.corpus.odd import find


@pytest.fixture
def recorded(request: pytest.FixtureRequest) -> dict[str, Any]:
    if not os.environ.get("SETU_CORPUS"):
        pytest.skip("needs corpus: SETU_CORPUS is not set")
    return find(*request.param)
