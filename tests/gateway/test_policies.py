"""Policies over real sockets: a denied request is told why in its own dialect, a denied provider is passed over."""

from typing import Any

import pytest

from tests.gateway.whole import Whole, failing, said
from tests.live import asked

HOSTS = {"a": "openai", "b": "anthropic"}
ROUTING = {"models": {"x": ["a/m", "b/m"]}}
SHELL: dict[str, Any] = {
    "openai_chat": {
        "tools": [{"type": "function", "function": {"name": "shell_run", "parameters": {"type": "object"}}}]
    },
    "anthropic": {"tools": [{"name": "shell_run", "input_schema": {"type": "object"}}]},
    "gemini": {"tools": [{"functionDeclarations": [{"name": "shell_run"}]}]},
}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
IMAGE = {"content": [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}], "role": "user"}
ENVELOPES: dict[str, dict[str, Any]] = {
    "openai_chat": {"type": "invalid_request_error", "code": "policy_denied"},
    "anthropic": {"type": "permission_error"},
    "gemini": {"status": "PERMISSION_DENIED", "code": 403},
}


def deny(reason: str = "not here", **fits: Any) -> dict[str, Any]:
    return {"effect": "deny", "reason": reason, **fits}


@pytest.mark.parametrize("dialect", ENVELOPES)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_tool_is_denied_with_its_reason(dialect: str, stream: bool) -> None:
    with Whole(HOSTS, policy=[deny("no shells", tool="shell*")]) as whole:
        refused = whole.ask(*asked("a/m", dialect, stream=stream, **SHELL[dialect]))
        harmless = whole.ask(*asked("a/m", dialect, stream=stream))

        assert (refused.status, harmless.status, len(whole["a"].sent)) == (403, 200, 1)
        assert refused.error["message"] == "a/m is denied by policy 1: no shells"
        assert ENVELOPES[dialect].items() <= refused.error.items()
        call = whole.reported(2)[0]
        assert (call.status, call.error, call.attempts) == (403, "policy_denied", ())


def test_a_modality_is_denied() -> None:
    with Whole(HOSTS, policy=[deny("text only", modality="image")]) as whole:
        refused = whole.ask({**said("a/m"), "messages": [IMAGE]})

        assert (refused.status, refused.error["message"]) == (403, "a/m is denied by policy 1: text only")
        assert whole.ask(said("a/m")).status == 200


@pytest.mark.parametrize(
    "fits", [{"model": "m"}, {"model": "a/*"}, {"provider": "a"}, {"region": "us"}], ids=lambda each: next(iter(each))
)
def test_a_denied_target_is_passed_over(fits: dict[str, str]) -> None:
    providers = {"a": {"region": "us"}, "b": {"region": "eu", "models": ["n"]}}
    routing = {"models": {"x": ["a/m", "b/n"]}}
    with Whole(HOSTS, providers, policy=[deny(**fits)], routing=routing) as whole:
        answer = whole.ask(said("x"))

        assert (answer.status, answer.field("x-setu-provider"), len(whole["a"].sent)) == (200, "b", 0)
        assert whole.ask(said("a/m")).status == 403


def test_an_alias_is_denied() -> None:
    with Whole(HOSTS, policy=[deny(model="x")], routing=ROUTING) as whole:
        assert (whole.ask(said("x")).status, whole.ask(said("a/m")).status) == (403, 200)


def test_a_denied_provider_is_no_fallback_either() -> None:
    once = {"retry": {"max_attempts": 1}}
    with Whole(HOSTS, policy=[deny(provider="b")], routing=ROUTING, resilience=once) as whole:
        whole["a"].script.append(failing(500, message="down"))
        answer = whole.ask(said("x"), fields=[("x-setu-fallback", "b")])

        assert (answer.status, answer.error["message"], len(whole["b"].sent)) == (500, "down", 0)


def test_tenants_have_rules_of_their_own() -> None:
    rules = [{"effect": "allow", "tenant": "acme", "region": "eu"}, deny("acme's data stays in the EU", tenant="acme")]
    with Whole(HOSTS, {"b": {"region": "eu"}}, policy=rules, routing=ROUTING) as whole:
        acme = [("x-setu-tenant", "acme")]

        assert whole.ask(said("x"), fields=acme).field("x-setu-provider") == "b"
        assert whole.ask(said("x")).field("x-setu-provider") == "a"
        assert whole.ask(said("a/m"), fields=acme).error["message"].endswith("acme's data stays in the EU")


@pytest.mark.parametrize("named", ["path", "header"])
def test_what_nobody_reads_is_taken_for_the_worst(named: str) -> None:
    with Whole(HOSTS, policy=[deny("no shells", tool="shell*", provider="a")]) as whole:
        path, fields = ("/a/v1/other", []) if named == "path" else ("/v1/other", [("x-setu-provider", "a")])

        assert whole.ask(b"{}", path, fields).status == 403
        assert whole.ask(b"{}", "/b/v1/other").status == 200
        assert len(whole["a"].sent) == 0


@pytest.mark.parametrize("named", ["path", "header"])
def test_a_rules_region_holds_for_what_passes_unread(named: str) -> None:
    """Data residency: also where the tenant is only claimed."""
    rule = {"name": "eu", "tenant": "acme", "require": ["region:eu"]}
    with Whole(HOSTS, {"b": {"region": "eu"}}, routing={"rule": [rule]}) as whole:
        acme = [("x-setu-tenant", "acme")]

        def raw(provider: str) -> int:
            if named == "path":
                return whole.ask(b"{}", f"/{provider}/v1/other", acme).status
            return whole.ask(b"{}", "/v1/other", [*acme, ("x-setu-provider", provider)]).status

        assert (raw("a"), raw("b"), len(whole["a"].sent)) == (403, 200, 0)
        assert [call.tenant for call in whole.reported(2)] == ["acme", "acme"]
