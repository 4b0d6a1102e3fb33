"""The judges on real traffic: none raises, and a MUST that the real provider fails is a wrong check."""

import base64
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from setu.conformance.catalogue import load
from setu.conformance.judges.registry import judge
from setu.http import Exchange, Headers, Request
from tests.corpus.reader import NOT_AS_SENT, exchanges, needs_corpus

pytestmark = [pytest.mark.corpus, needs_corpus]

TOLERATED = 0.005
"""Of the exchanges that a check judged; a single one is no evidence against it."""

EDITED = {
    # The head of another recording: its date is months from the body's, its type is that of a plain answer.
    "dd-trace-py-f8c6352982",
    "dd-trace-py-0159e2bba7",
    "dd-trace-py-d92487bccb",
    "dd-trace-py-c277ea9c7d",
    "dd-trace-py-7960d9616f",
    "dd-trace-py-83cd2d6ad9",
    # An event stream whose `alt=sse` the recording lost.
    "genai-ce8a150ae8",
    "genai-eae0b1471d",
}

OWN_HOSTS = {
    "openai.chat": {"api.openai.com"},
    "anthropic.messages": {"api.anthropic.com"},
    "gemini.generate": {"generativelanguage.googleapis.com"},
    "gemini.stream": {"generativelanguage.googleapis.com"},
}


def exchange_of(recorded: dict[str, Any]) -> Exchange:
    body = recorded["request_body"]
    text = recorded["response_body"] or ""
    encoded = recorded.get("response_body_encoding") == "base64"
    return Exchange(
        request=Request(
            method=recorded["method"],
            path=recorded["path"],
            query=_query(recorded.get("query")),
            headers=_headers(recorded["request_headers"]),
            body=b"" if body is None else _bytes(body),
        ),
        status=recorded["status"],
        headers=_headers(recorded["response_headers"]),
        body=base64.b64decode(text) if encoded else text.encode("utf-8", "surrogatepass"),
    )


def is_as_sent(recorded: dict[str, Any]) -> bool:
    """Tell a recording of what went over the wire, its head included."""
    headed = "content-type" in (recorded["response_headers"] or {})
    return headed and recorded["id"] not in EDITED and not NOT_AS_SENT & set(recorded["flags"])


def _bytes(body: Any) -> bytes:
    return (body if isinstance(body, str) else json.dumps(body)).encode("utf-8", "surrogatepass")


def _query(query: Any) -> str:
    return "&".join(f"{key}={value}" for key, value in query.items()) if isinstance(query, dict) else str(query or "")


def _headers(fields: Any) -> Headers:
    pairs = [(name, one) for name, value in (fields or {}).items() for one in _values(value)]
    return Headers([(name.lower().encode(), one.encode("utf-8", "replace")) for name, one in pairs])


def _values(value: Any) -> Iterator[str]:
    yield from (str(one) for one in value) if isinstance(value, list) else (str(value),)


@pytest.mark.parametrize("api", sorted(OWN_HOSTS))
def test_a_providers_own_traffic_passes_every_must(api: str) -> None:
    levels: dict[str, str] = {check.id: check.level for check in load().checks}
    ran: Counter[str] = Counter()
    failing: dict[str, list[str]] = {}
    for recorded in exchanges(api):
        verdicts = judge(exchange_of(recorded))
        own = recorded["host"] in OWN_HOSTS[api] and is_as_sent(recorded)
        if own:
            ran.update(list(verdicts))
            for check, found in verdicts.items():
                if found:
                    failing.setdefault(check, []).append(recorded["id"])

    _print(api, ran, failing, levels)
    wrong = {
        check: failing[check][:3]
        for check in failing
        if levels[check] == "MUST" and len(failing[check]) > max(TOLERATED * ran[check], 1)
    }
    assert wrong == {}


def _print(api: str, ran: Counter[str], failing: dict[str, list[str]], levels: dict[str, str]) -> None:
    print(f"\n{api}: checks that the provider's own traffic fails")
    for check in sorted(ran):
        ids = failing.get(check, [])
        if ids:
            print(f"  {check:9} {levels[check]:6} {len(ids):5} of {ran[check]:5}  {' '.join(ids[:3])}")
    print(f"  {sum(1 for check in ran if check not in failing)} checks without a failure")
