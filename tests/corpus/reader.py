"""The one reader of the corpus of real exchanges; its directory comes from SETU_CORPUS alone."""

import gzip
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

NOT_AS_SENT = frozenset(
    {
        "maybe_synthetic",
        "response_json_reserialized",
        "request_json_reserialized",
        "sse_framing_inferred",
        "framing_lost",
        "response_scrubbed",
        "request_missing",
        "media_truncated",
    }
)
"""Flags of exchanges whose bytes are not what went over the wire."""

needs_corpus = pytest.mark.skipif(not os.environ.get("SETU_CORPUS"), reason="needs corpus: SETU_CORPUS is not set")


def exchanges(api: str) -> Iterator[dict[str, Any]]:
    """Yield every exchange of an API such as `openai.chat`, parsed once a session."""
    yield from _read(api)


@cache
def _read(api: str) -> tuple[dict[str, Any], ...]:
    path = Path(os.environ["SETU_CORPUS"]) / f"{api}.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8", errors="surrogatepass") as lines:
        return tuple(json.loads(line) for line in lines)
