"""The strict request models on what real providers accepted: too strict a model is a wrong check."""

import pytest

from setu.conformance.judges.native import XLT
from setu.conformance.judges.registry import JUDGES
from setu.http import Exchange, Headers, Request
from tests.corpus.reader import exchanges, needs_corpus
from tests.corpus.test_judges import exchange_of

pytestmark = [pytest.mark.corpus, needs_corpus]

TOLERATED = 0.005
UNREADABLE = frozenset({"request_missing", "media_truncated", "maybe_synthetic"})
BEDROCK = {"bedrock-runtime.us-east-1.amazonaws.com", "bedrock-runtime.us-west-2.amazonaws.com"}
HOSTS = {
    "openai.chat": {"api.openai.com", "openrouter.ai"},
    "anthropic.messages": {"api.anthropic.com"},
    "gemini.generate": {"generativelanguage.googleapis.com"},
    "gemini.stream": {"generativelanguage.googleapis.com"},
    "bedrock.converse": BEDROCK,
    "bedrock.converse_stream": BEDROCK,
}
ACCEPTED = {
    # Google and Anthropic merge neighbouring turns themselves: a SHOULD.
    "XLT-06": "",
    # One client names function responses by call id. Google takes it, and may give the model swapped results.
    "XLT-08": "cagent-",
}
"""Checks that providers do not enforce, and whose recordings show it (by id prefix)."""


@pytest.mark.parametrize("api", sorted(HOSTS))
def test_requests_that_a_provider_accepted_are_valid(api: str) -> None:
    judged = dict.fromkeys(XLT, 0)
    refused: dict[str, list[str]] = {}
    for recorded in exchanges(api):
        body = recorded["request_body"]
        flagged = UNREADABLE & set(recorded["flags"])
        if recorded["host"] not in HOSTS[api] or recorded["status"] != 200 or flagged or not isinstance(body, dict):
            continue
        for check in XLT:
            found = JUDGES[check](as_upstream(exchange_of(recorded)))
            judged[check] += found is not None
            if found and not (check in ACCEPTED and recorded["id"].startswith(ACCEPTED[check])):
                refused.setdefault(check, []).append(recorded["id"])

    print(
        f"\n{api}: { ({check: f'{len(refused.get(check, []))} of {count}' for check, count in judged.items() if count}) }"
    )
    assert {check: ids[:3] for check, ids in refused.items() if len(ids) > max(TOLERATED * judged[check], 1)} == {}


def as_upstream(exchange: Exchange) -> Exchange:
    """Return an exchange whose upstream side is a real one; its client side is none that the judges know."""
    request = Request(method="POST", path="/")
    return Exchange(request=request, status=200, headers=Headers(), body=b"", upstream=(exchange,))
