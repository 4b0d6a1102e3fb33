"""Redaction leaves real traffic as it is: what only looks random survives, guesses are next to none."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from setu.cassette.edits import Rules, edits_of
from tests.corpus.reader import exchanges, needs_corpus
from tests.corpus.test_cassettes import _response_body

pytestmark = [pytest.mark.corpus, needs_corpus]

MOST = 0.001
"""The share of answers that a guess may change."""


def test_guesses_change_hardly_any_answer() -> None:
    apis = sorted(path.name.removesuffix(".jsonl.gz") for path in Path(os.environ["SETU_CORPUS"]).glob("*.jsonl.gz"))
    total = 0
    changed: Counter[str] = Counter()
    for api in apis:
        for exchange in exchanges(api):
            total += 1
            changed[_guessed(exchange)] += 1
    touched = total - changed.pop("")

    print(f"{total} answers, {touched} changed by a guess: {dict(changed)}")
    assert total > 12_000
    assert touched <= MOST * total


def _guessed(exchange: dict[str, Any]) -> str:
    text = _response_body(exchange).decode("latin-1")
    return next((edit.what for edit in edits_of(text, Rules(), guess=True, as_bytes=True) if edit.guess), "")
