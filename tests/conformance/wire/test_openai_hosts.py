"""What one chat host has added is a mistake at the next, and none at its own."""

from typing import Any

import pytest

from setu import _json
from setu.conformance.judges.registry import judge
from setu.conformance.wire.openai_hosts import HOSTS, NOTHING, UNKNOWN, additions
from setu.http import Exchange, Headers, Request
from setu.providers import lookup

JSON = Headers.of({"content-type": "application/json"})
OPENAI = "https://api.openai.com"
USER = {"role": "user", "content": "hi"}
ASSISTANT = {"role": "assistant", "content": "ok"}


def found(origin: str, **members: Any) -> list[str | None]:
    """Return the paths at which a request to a host breaks XLT-02 or XLT-03."""
    body = _json.encode({"model": "m", "messages": [USER]} | members)
    request = Request(method="POST", path="/v1/chat/completions", headers=JSON, body=body, origin=origin)
    upstream = Exchange(request=request, status=200, headers=JSON, body=b"{}")
    client = Request(method="POST", path="/", body=b"{}")
    verdicts = judge(Exchange(request=client, status=200, headers=JSON, body=b"{}", upstream=(upstream,)))
    return [finding.path for check in ("XLT-02", "XLT-03") for finding in verdicts[check]]


ADDED: list[tuple[str, dict[str, Any], str]] = [
    ("https://api.mistral.ai", {"random_seed": 7}, "$.random_seed"),
    (
        "https://api.mistral.ai",
        {"messages": [{"role": "user", "content": [{"type": "document_url", "document_url": "https://x.test/a"}]}]},
        "$.messages[0].content[0]",
    ),
    (
        "https://api.mistral.ai",
        {"messages": [USER, ASSISTANT | {"content": [{"type": "thinking", "thinking": []}]}]},
        "$.messages[1].content[0]",
    ),
    ("https://openrouter.ai", {"provider": {}}, "$.provider"),
    ("https://openrouter.ai", {"messages": [USER | {"cache_control": {}}]}, "$.messages[0].cache_control"),
    ("https://api.deepseek.com", {"thinking": {"type": "enabled"}}, "$.thinking"),
    (
        "https://api.deepseek.com",
        {"messages": [USER, ASSISTANT | {"reasoning_content": "hm"}]},
        "$.messages[1].reasoning_content",
    ),
    ("https://dashscope-intl.aliyuncs.com", {"enable_thinking": True}, "$.enable_thinking"),
]


@pytest.mark.parametrize(("origin", "members", "path"), ADDED, ids=lambda value: str(value)[:40])
def test_an_addition_is_legal_at_its_host_alone(origin: str, members: dict[str, Any], path: str) -> None:
    assert found(origin, **members) == []
    assert found(OPENAI, **members) == [path]


def test_openai_and_azure_have_added_nothing() -> None:
    assert additions(OPENAI) == additions("https://mine.openai.azure.com:443") == NOTHING


def test_an_unknown_host_may_have_added_what_others_have_but_not_marks() -> None:
    assert additions("http://localhost:8080") == UNKNOWN
    assert found("http://localhost:8080", random_seed=7) == []
    assert found("http://localhost:8080", messages=[USER | {"cache_control": {}}]) == ["$.messages[0].cache_control"]


def test_every_host_is_one_of_a_provider() -> None:
    urls = " ".join(lookup.find(name).base_url for name in lookup.BUILT_IN)

    assert all(host in urls for host in HOSTS if host != "openai.azure.com")
