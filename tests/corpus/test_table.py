"""The page about real traffic is up to date, and the run behind it can fail."""

from collections import Counter
from typing import Any

import pytest

from setu.dialects.registry import DIALECTS
from tests.corpus.reader import needs_corpus
from tests.corpus.table import PAGE, _answer, _request, page

CHAT = DIALECTS["openai_chat"]
GOOD = {"model": "m", "messages": [{"role": "user", "content": "Hi."}]}


def exchange(**members: Any) -> dict[str, Any]:
    made = {"id": "x", "request_body": GOOD, "response_body": "{}", "response_headers": {}, "status": 200}
    return {**made, "is_stream": False, "framing": None, **members}


@needs_corpus
def test_the_page_is_up_to_date_and_nothing_is_left_unhandled(capsys: pytest.CaptureFixture[str]) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.corpus.table"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        (GOOD, 200, None),
        ({**GOOD, "temperature": "hot"}, 400, None),
        ({**GOOD, "temperature": "hot"}, 200, "refused: 'temperature' must be a number"),
    ],
)
def test_a_request_that_its_own_host_took_may_not_be_refused(
    body: dict[str, Any], status: int, problem: str | None
) -> None:
    tried: Counter[str] = Counter()

    assert _request(CHAT, "chat", exchange(request_body=body, status=status), tried) == problem
    assert tried["requests"] == 1


def test_answers_streams_and_errors_are_told_apart() -> None:
    tried: Counter[str] = Counter()
    chunk = 'data: {"choices":[{"index":0,"delta":{"content":"Hi."},"finish_reason":"stop"}]}\n\n'
    for sent in ({}, {"framing": "sse", "response_body": chunk}, {"status": 500, "response_body": "oops"}):
        assert _answer(CHAT, "chat", exchange(**sent), tried) is None

    assert (tried["answers"], tried["streams"], tried["errors"]) == (1, 1, 1)
