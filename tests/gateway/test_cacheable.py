"""Which answers may be kept, and which requests are one and the same."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.access.caller import ANYBODY, Caller
from setu.dialects.registry import DIALECTS
from setu.dialects.routes import classify
from setu.gateway.cacheable import Lookup, When, is_complete, is_whole, lookup, scope_of, targets_of
from setu.http import Headers, Request
from setu.providers.deployment import Deployment
from setu.providers.lookup import find
from setu.routing.plan import Plan, Target
from tests.gateway.wire import AN_STREAM, COMPLETION, GE_STREAM, OA_STREAM
from tests.live import sse

CHAT = "/v1/chat/completions"
HI: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def looked(
    body: Any = HI,
    path: str = CHAT,
    *,
    query: str = "",
    scope: str = "s",
    targets: tuple[str, ...] = ("openai/m",),
    when: When = "always",
    **headers: str,
) -> Lookup | None:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(method="POST", path=path, query=query, headers=Headers.of(fields), body=json.dumps(body).encode())
    route = classify("POST", path, query)
    assert route is not None
    volatile = DIALECTS[route.dialect].volatile
    return lookup(request, route, scope=scope, targets=targets, volatile=volatile, when=when)


def key(*args: Any, **more: Any) -> str:
    found = looked(*args, **more)
    assert found is not None
    return found.key


def test_what_does_not_count_does_not_split_the_cache() -> None:
    again = {"messages": [{"content": "hi", "role": "user"}], "model": "m", "user": "u1", "stream": False}

    assert key(again) == key()
    assert key(query="key=secret") == key()
    assert key(user_agent="other") == key()
    assert key(targets=("b/m", "a/m")) == key(targets=("a/m", "b/m"))


@pytest.mark.parametrize(
    "other",
    [
        lambda: key({**HI, "stream": True}),
        lambda: key({**HI, "model": "n"}),
        lambda: key({**HI, "max_tokens": 5}),
        lambda: key({**HI, "store": False}),
        lambda: key(path="/v1/messages"),
        lambda: key(scope="other"),
        lambda: key(targets=("azure/m",)),
        lambda: key(openai_beta="assistants=v2"),
        lambda: key(query="api-version=2"),
    ],
    ids=["stream (B-HDR-03)", "model", "option", "store", "dialect", "tenant", "target", "beta", "query"],
)
def test_what_changes_the_answer_or_its_form_is_another_key(other: Callable[[], str]) -> None:
    assert other() != key()


def test_the_framing_of_a_gemini_stream_is_part_of_the_key() -> None:
    body = {"contents": [{"parts": [{"text": "hi"}]}]}
    path = "/v1beta/models/g:streamGenerateContent"

    assert key(body, path, query="alt=sse") != key(body, path)


def test_a_scope_is_everything_but_the_conversation() -> None:
    here, there, other = looked(), looked({**HI, "messages": []}), looked({**HI, "stream": True})
    assert here is not None
    assert there is not None
    assert other is not None

    assert here.scope == there.scope
    assert here.key != there.key
    assert here.scope != other.scope


@pytest.mark.parametrize(
    "members",
    [
        {"store": True},
        {"background": True},
        {"previous_response_id": "resp_1"},
        {"conversation": "conv_1"},
        {"web_search_options": {"search_context_size": "low"}},
        {"mcp_servers": [{"url": "u"}]},
        {"tools": [{"type": "web_search"}]},
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
        {"tools": [{"type": "function", "function": {"name": "f"}}, {"type": "code_interpreter"}]},
        {"tools": [{"googleSearch": {}}]},
        {"tools": [{}]},
        {"tools": ["web"]},
        {"toolConfig": {"tools": [{"systemTool": {"name": "nova_grounding"}}]}},
    ],
    ids=lambda members: json.dumps(members)[:40],
)
def test_what_has_effects_elsewhere_is_never_kept(members: dict[str, Any]) -> None:
    assert looked({**HI, **members}) is None


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "function", "function": {"name": "f"}},
        {"type": "custom", "name": "f"},
        {"name": "f", "input_schema": {"type": "object"}},
        {"type": "bash_20250124", "name": "bash"},
        {"functionDeclarations": [{"name": "f"}]},
        {"toolSpec": {"name": "f"}},
    ],
    ids=json.dumps,
)
def test_tools_that_the_client_runs_do_no_harm(tool: dict[str, Any]) -> None:
    assert looked({**HI, "tools": [tool]}) is not None


def test_cache_control_of_the_request_is_heeded() -> None:
    fresh, never, young = looked(cache_control="No-Cache"), looked(cache_control="max-age=5, no-store"), looked(cache_control="max-age=5")  # fmt: skip
    nothing_old = looked(cache_control="max-age=0")
    assert fresh is not None
    assert young is not None
    assert nothing_old is not None

    assert never is None
    assert (fresh.read, young.read, nothing_old.read) == (False, True, False)
    assert young.max_age == 5


@pytest.mark.parametrize(
    ("body", "path", "kept"),
    [
        (HI, CHAT, False),
        ({**HI, "temperature": 0}, CHAT, True),
        ({**HI, "temperature": 0.0}, CHAT, True),
        ({**HI, "temperature": 0.1}, CHAT, False),
        ({**HI, "temperature": False}, CHAT, False),
        ({"contents": [], "generationConfig": {"temperature": 0}}, "/v1beta/models/g:generateContent", True),
        ({"model": "e", "input": "x"}, "/v1/embeddings", True),
    ],
)
def test_deterministic_keeps_only_what_is_not_drawn(body: Any, path: str, kept: bool) -> None:
    found = looked(body, path, when="deterministic")

    assert (found is not None) is kept


def test_only_answers_of_models_are_kept() -> None:
    assert looked(path="/v1/messages/count_tokens") is None
    assert looked([HI]) is None


def test_callers_share_within_their_tenant_and_no_further() -> None:
    """B-HDR-04."""
    request = Request(method="POST", path=CHAT, headers=Headers.of({"authorization": "Bearer a"}))
    stranger = Request(method="POST", path=CHAT, headers=Headers.of({"authorization": "Bearer b"}))

    assert scope_of(Caller(tenant="t", key="k1"), request) == scope_of(Caller(tenant="t", key="k2"), stranger)
    assert scope_of(Caller(tenant="t"), request) != scope_of(Caller(key="t"), request)
    assert scope_of(Caller(key="k1"), request) != scope_of(Caller(key="k2"), request)
    assert scope_of(ANYBODY, request) != scope_of(ANYBODY, stranger)
    own = [scope_of(Caller(tenant="t", forward=text), asked) for text, asked in (("a", request), ("b", stranger))]
    assert own[0] != own[1]
    assert "Bearer" not in scope_of(ANYBODY, request)


def test_targets_count_with_what_they_set_in_any_order() -> None:
    deployment = Deployment(name="openai", provider=find("openai"), base_url="https://api.example")
    plain, cold = (Target(deployment=deployment, model="m", options=o) for o in ({}, {"temperature": 0}))

    assert targets_of(Plan(targets=(plain, cold), reason="")) == targets_of(Plan(targets=(cold, plain), reason=""))
    assert targets_of(Plan(targets=(plain,), reason="")) != targets_of(Plan(targets=(cold,), reason=""))


RESPONSE: dict[str, Any] = {"id": "resp_1", "object": "response", "model": "m", "output": []}
RE_STREAM = sse(
    {"type": "response.created", "response": {**RESPONSE, "status": "in_progress"}},
    {"type": "response.completed", "response": {**RESPONSE, "status": "completed"}},
    named=True,
)
STREAMS = {
    "openai_chat": (CHAT, OA_STREAM),
    "openai_responses": ("/v1/responses", RE_STREAM),
    "anthropic": ("/v1/messages", AN_STREAM),
    "gemini": ("/v1beta/models/g:streamGenerateContent", GE_STREAM),
}


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_complete_with_its_terminal_event_and_not_before(name: str) -> None:
    path, data = STREAMS[name]
    route = classify("POST", path, "alt=sse")
    assert route is not None
    frames = data.split(b"\n\n")

    assert is_complete(DIALECTS[name], route, data)
    assert not is_complete(DIALECTS[name], route, b"\n\n".join(frames[: len(frames) // 2]) + b"\n\n")
    assert not is_complete(DIALECTS[name], route, b"")


def test_a_stream_with_an_error_in_it_is_not_complete() -> None:
    route = classify("POST", CHAT)
    assert route is not None
    error = b'data: {"error": {"message": "m", "type": "server_error"}}\n\n'
    frames = OA_STREAM.split(b"\n\n")

    assert not is_complete(DIALECTS["openai_chat"], route, b"\n\n".join([*frames[:2], error.strip(), *frames[2:]]))


@given(st.binary(max_size=200))
def test_any_bytes_are_judged_without_an_exception(data: bytes) -> None:
    route = classify("POST", CHAT)
    assert route is not None

    assert not is_complete(DIALECTS["openai_chat"], route, data)
    assert not is_whole(b"[" + data)


@pytest.mark.parametrize(
    ("body", "whole"),
    [
        (COMPLETION, True),
        (b'{"status": "completed"}', True),
        (b'{"status": "incomplete"}', True),
        (b'{"status": "failed"}', False),
        (b'{"status": "in_progress"}', False),
        (b'{"error": {"message": "m"}}', False),
        (b'{"error": null}', True),
        (b"{", False),
        (b"[]", False),
    ],
)
def test_a_json_answer_is_kept_when_it_is_finished(body: bytes, whole: bool) -> None:
    assert is_whole(body) is whole
