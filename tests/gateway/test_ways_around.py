"""Ways around a rule that were open once: other spellings, paths that pass unread, fallbacks, pages of other sites."""

from pathlib import Path
from typing import Any

import pytest

from setu.gateway.intake import sayable, unreserved
from setu.store.keys import KeyStore, shelf_at
from tests.gateway.whole import Whole, failing, said
from tests.live import CHAT, asked

HOSTS = {"a": "openai", "b": "openai"}
JSON = [("content-type", "application/json")]
FILES = "/a/v1/files"
ALIASES = {"models": {"fast": ["a/m"]}}


def deny(**fits: Any) -> dict[str, Any]:
    return {"effect": "deny", "reason": "no", **fits}


def keyed(folder: Path, **scope: Any) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return the section of a gateway with one virtual key, and the field that shows it."""
    place = str(folder / "keys.json")
    _, secret = KeyStore(shelf_at(place)).create(name="k", **scope)
    return {"mode": "keys", "key_store": place}, [*JSON, ("authorization", f"Bearer {secret}")]


def test_a_key_for_an_alias_does_not_reach_what_a_client_adds_to_it(tmp_path: Path) -> None:
    auth, shown = keyed(tmp_path, models=("fast",))
    with Whole(HOSTS, {"b": {"models": ["pro"]}}, auth=auth, routing=ALIASES) as whole:
        whole["a"].script += [failing(500)] * 3
        refused = whole.ask(said("fast"), fields=[*shown, ("x-setu-fallback", "b/pro")])
        served = whole.ask(said("fast"), fields=shown)

        assert (refused.status, len(whole["b"].sent), served.status) == (500, 0, 200)


@pytest.mark.parametrize("model", ["fast", "fast?temperature=1"])
def test_a_denied_alias_is_denied_with_settings_too(model: str) -> None:
    with Whole(HOSTS, policy=[deny(model="fast")], routing=ALIASES) as whole:
        assert whole.ask(said(model)).status == 403


@pytest.mark.parametrize("model", ["a/../b", "a/x/../m", "..", "a/./m", "x" * 600, "a/m\u0085"])
def test_a_models_name_cannot_step_through_a_path(model: str) -> None:
    with Whole(HOSTS) as whole:
        refused = whole.ask(said(model))

        assert (refused.status, refused.error["param"]) == (400, "model")


def test_gemini_clients_spelling_of_a_model_is_the_same_model() -> None:
    with Whole({"g": "gemini"}, {"g": {"models": ["big"]}}, policy=[deny(model="big")]) as whole:
        body, path = asked("g/models/big", "gemini")

        assert whole.ask(body, path).status == 403


def test_what_passes_unread_may_be_any_model() -> None:
    with Whole(HOSTS, policy=[deny(model="gpt-4*")]) as whole:
        assert whole.ask(b"{}", FILES, JSON).status == 403
        assert whole["a"].sent == []


def test_a_rule_about_models_holds_for_what_passes_unread() -> None:
    rule = {"model": "gpt-*", "require": ["region:eu"]}
    with Whole(HOSTS, {"a": {"region": "us"}, "b": {"region": "eu"}}, routing={"rule": [rule]}) as whole:
        assert whole.ask(b"{}", FILES, JSON).status == 403
        assert whole.ask(b"{}", "/b/v1/files", JSON).status == 200


def test_an_endpoint_in_another_spelling_is_that_endpoint() -> None:
    with Whole(HOSTS, policy=[deny(model="m")]) as whole:
        assert whole.ask(said("a/m"), "/v1/%63hat/completions").status == 403


def test_what_must_not_be_seen_does_not_pass_unread() -> None:
    with Whole(HOSTS, privacy={"enabled": True, "providers": ["a"]}) as whole:
        assert whole.ask(b"ada@example.com", FILES, JSON).status == 403
        assert whole.ask(b"{}", "/b/v1/files", JSON).status == 200


def test_a_mirror_that_must_not_see_it_gets_masks() -> None:
    routing = {"rule": [{"model": "m", "mirror": ["b"]}]}
    with Whole(HOSTS, routing=routing, privacy={"enabled": True, "providers": ["b"]}) as whole:
        whole.ask(said("a/m", "write to ada@example.com"))
        whole.reported(2)

        assert b"ada@example.com" not in whole["b"].sent[0].body


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", ""])
def test_a_page_of_another_site_cannot_spend_the_keys(kind: str) -> None:
    fields = [("content-type", kind)] if kind else []
    with Whole(HOSTS) as whole:
        assert whole.ask(b"x", FILES, [*fields, ("origin", "https://evil.example")]).status == 403
        assert whole["a"].sent == []
        assert whole.ask(b"x", FILES, fields).status == 200


def test_an_upload_of_the_gateways_own_page_passes() -> None:
    with Whole(HOSTS) as whole:
        own = whole.url.removeprefix("http://")

        assert whole.ask(b"x", FILES, [("content-type", "text/plain"), ("origin", f"http://{own}")]).status == 200


def test_counting_tokens_costs_none() -> None:
    limits = {"default_tenant": {"tokens_per_minute": 5000}}
    body, _ = asked("c/m", "anthropic")
    with Whole({"c": "anthropic"}, limits=limits) as whole:
        whole["c"].script.append(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 18\r\nconnection: close\r\n\r\n" + b'{"input_tokens": 3}')  # fmt: skip
        for _ in range(2):
            counted = whole.ask(body, "/v1/messages/count_tokens", JSON)

        assert int(counted.field("anthropic-ratelimit-tokens-remaining") or 0) > 3000


def test_a_clients_id_cannot_forge_a_log_line() -> None:
    with Whole(HOSTS) as whole:
        answer = whole.ask(said("a/m"), CHAT, [*JSON, ("x-request-id", "x\x85status=200")])

        assert (answer.field("x-setu-request-id") or "").startswith("req_")


def test_a_tenant_that_is_only_claimed_must_be_a_name() -> None:
    with Whole(HOSTS) as whole:
        assert whole.ask(said("a/m", metadata={"tenant": "t" * 500})).status == 400
        assert whole.ask(said("a/m"), CHAT, [*JSON, ("x-project-id", "p" * 500)]).status == 400


@pytest.mark.parametrize(
    ("written", "meant"),
    [("/v1/%63hat", "/v1/chat"), ("/v1/a%2Fb", "/v1/a%2Fb"), ("/%7e%41%2D", "/~A-"), ("/%zz%", "/%zz%"), ("/x", "/x")],
)
def test_only_needless_encodings_are_taken_back(written: str, meant: str) -> None:
    assert unreserved(written) == meant


def test_an_id_is_taken_as_it_is_or_not_at_all() -> None:
    assert [sayable(each) for each in ("req-1", "", None, "a\nb", "é", "x" * 129)] == ["req-1"] + [None] * 5
