"""Virtual keys on a running gateway: whom they let in, what for, and that they never leave it."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from setu.store.keys import FileShelf, KeyStore
from tests.gateway.whole import Whole, failing, key_of, said, until
from tests.live import asked

STATIC = "sk-of-the-team-0123456789"
HOSTS = {"a": "openai", "b": "anthropic", "g": "gemini"}
PROVIDERS: dict[str, Any] = {
    "a": {"region": "eu"},
    "b": {"region": "us"},
    "g": {"region": "eu", "models": ["m", "big"]},
}
ROUTING = {"models": {"x": ["b/m", "a/m"], "out": ["a/m", "b/m"]}}
ONCE = {"retry": {"max_attempts": 1}}


class Keyed(Whole):
    """A gateway whose keys are in a file."""

    def __init__(self, place: Path, **sections: Any) -> None:
        self.store = KeyStore(FileShelf(place))
        auth = {"mode": "keys", "keys": [STATIC], "key_store": str(place)}
        super().__init__(HOSTS, PROVIDERS, auth=auth, routing=ROUTING, resilience=ONCE, **sections)

    def made(self, **said: object) -> list[tuple[str, str]]:
        """Make a key that is known at once; return the field that shows it."""
        _, secret = self.store.create(**said)
        assert self.rooms.ring is not None
        self.rooms.ring._due = 0.0
        return [("authorization", f"Bearer {secret}")]

    def known(self) -> None:
        """Let the gateway look at its keys again."""
        assert self.rooms.ring is not None
        self.rooms.ring._due = 0.0


@pytest.fixture(scope="module")
def _keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    prices = {"a/m": {"input_per_1m": 2.5, "output_per_1m": 10}}
    with Keyed(tmp_path_factory.mktemp("keys") / "keys.json", prices=prices) as keyed:
        yield keyed


@pytest.fixture
def keyed(_keyed: Keyed) -> Keyed:
    _keyed.clear()
    return _keyed


def test_a_key_for_some_models(keyed: Keyed) -> None:
    fields = keyed.made(models=("big*",))

    assert keyed.ask(said("g/big"), fields=fields).status == 200
    denied = keyed.ask(said("a/m"), fields=fields)
    assert (denied.status, denied.error["code"]) == (403, "policy_denied")
    assert denied.error["message"] == "this API key is not for the model 'm'"
    assert len(keyed["a"].sent) == 0


def test_a_key_for_some_providers_passes_the_others_over(keyed: Keyed) -> None:
    fields = keyed.made(providers=("a",))

    answer = keyed.ask(said("x"), fields=fields)

    assert (answer.status, answer.field("x-setu-provider")) == (200, "a")
    assert keyed.ask(said("b/m"), fields=fields).status == 403
    assert len(keyed["b"].sent) == 0


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_region_is_never_left(keyed: Keyed, stream: bool) -> None:
    fields = keyed.made(require=("region:eu",))

    assert keyed.ask(said("x", stream=stream), fields=fields).field("x-setu-provider") == "a"
    keyed["a"].script.append(failing(500, message="the EU is down"))
    down = keyed.ask(said("out", stream=stream), fields=[*fields, ("x-setu-fallback", "b")])
    outside = keyed.ask(said("b/m", stream=stream), fields=fields)

    assert (down.status, down.error["message"]) == (500, "the EU is down")
    assert (outside.status, outside.error["code"]) == (400, "no_eligible_provider")
    assert len(keyed["b"].sent) == 0


def test_nor_by_what_passes_unread(keyed: Keyed) -> None:
    fields = keyed.made(require=("region:eu",))

    by_path = keyed.ask(b"", "/b/v1/files", fields, "GET")
    by_header = keyed.ask(b"", "/v1/files", [*fields, ("x-setu-provider", "b")], "GET")
    inside = keyed.ask(b"", "/a/v1/files", fields, "GET")

    assert (by_path.status, by_header.status) == (403, 403)
    assert "region:eu" in by_path.json["error"]["message"]
    assert (inside.status, len(keyed["b"].sent), len(keyed["a"].sent)) == (200, 0, 1)


def test_a_key_that_has_ended(keyed: Keyed) -> None:
    fields = keyed.made(expires_at=time.time() + 0.3)

    assert keyed.ask(said(), fields=fields).status == 200
    time.sleep(0.4)
    ended = keyed.ask(said(), fields=fields)
    assert (ended.status, ended.error["message"]) == (401, "the API key has expired")
    assert ended.field("www-authenticate") == "Bearer"


def test_a_key_that_is_revoked_while_the_gateway_runs(keyed: Keyed) -> None:
    key, secret = keyed.store.create()
    keyed.known()
    fields = [("x-api-key", secret)]
    assert keyed.ask(said(), fields=fields).status == 200

    keyed.store.revoke(key.id)
    keyed.known()

    assert keyed.ask(said(), fields=fields).status == 401
    assert keyed.ask(said(), fields=[("x-api-key", STATIC)]).status == 200


def test_a_rotated_key_has_two_secrets_for_a_while(keyed: Keyed) -> None:
    key, old = keyed.store.create()
    _, new = keyed.store.rotate(key.id, 30.0)
    keyed.known()

    answers = [keyed.ask(said(), fields=[("authorization", f"Bearer {secret}")]) for secret in (old, new)]

    assert [answer.status for answer in answers] == [200, 200]
    assert [call.key for call in keyed.reported(2)] == [key.id, key.id]


def test_who_asked_is_in_the_record(keyed: Keyed) -> None:
    key, secret = keyed.store.create(tenant="acme")
    keyed.known()
    fields = [("authorization", f"Bearer {secret}"), ("x-setu-tenant", "somebody-else")]

    keyed.ask(said(metadata={"tenant": "a-third", "use_case": "chat"}), fields=fields)

    call = keyed.call()
    assert (call.tenant, call.key, call.use_case) == ("acme", key.id, "chat")


def test_a_key_brings_limits_of_its_own(keyed: Keyed) -> None:
    fields, other = keyed.made(requests_per_minute=1), keyed.made(requests_per_minute=1)

    assert [keyed.ask(said(), fields=fields).status for _ in range(2)] == [200, 429]
    assert keyed.ask(said(), fields=other).status == 200


SHOWN: dict[str, Callable[[str], tuple[list[tuple[str, str]], str]]] = {
    "bearer": lambda key: ([("authorization", f"Bearer {key}")], ""),
    "x-api-key": lambda key: ([("x-api-key", key)], ""),
    "api-key": lambda key: ([("api-key", key)], ""),
    "x-goog-api-key": lambda key: ([("x-goog-api-key", key)], ""),
    "query": lambda key: ([], f"key={key}"),
}


@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize("provider", HOSTS)
@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "gemini"])
def test_a_key_of_this_gateway_reaches_no_upstream(keyed: Keyed, shown: str, provider: str, dialect: str) -> None:
    _, secret = keyed.store.create()
    keyed.known()
    fields, query = SHOWN[shown](secret)
    body, path = asked(f"{provider}/m", dialect, stream=True)
    raw = f"/{provider}/v1/other"
    with_query = [f"{each}{'&' if '?' in each else '?'}{query}" if query else each for each in (path, raw)]

    statuses = [keyed.ask(body, with_query[0], fields).status, keyed.ask(b"{}", with_query[1], fields).status]

    assert statuses == [200, 200]
    for sent in keyed[provider].sent:
        everything = f"{sent.line} {sent.fields} {sent.body!r}"
        assert secret not in everything
        assert "sk-setu-" not in everything
        assert key_of(provider) in everything


def test_a_key_sees_what_it_is_for(keyed: Keyed) -> None:
    fields = keyed.made(providers=("a", "g"), models=("m",))

    listed = keyed.ask(b"", "/v1/models", fields, "GET").json
    gemini = keyed.ask(b"", "/v1beta/models", fields, "GET").json
    hidden = keyed.ask(b"", "/v1/models/b/m", fields, "GET")

    assert [each["id"] for each in listed["data"]] == ["a/m", "g/m"]
    assert (listed["providers"], listed["total"]) == (["a", "g"], 2)
    assert listed["data"][0]["pricing"] == {
        "input": 0.0025, "output": 0.01, "unit": "USD per 1K tokens", "input_per_1m": 2.5, "output_per_1m": 10.0
    }  # fmt: skip
    assert [each["name"] for each in gemini["models"]] == ["models/a/m", "models/g/m"]
    assert (hidden.status, hidden.error["available_models"]) == (404, ["a/m", "g/m"])


def test_nobody_comes_in_without_a_key(keyed: Keyed) -> None:
    for path, method in (("/v1/models", "GET"), ("/v1/chat/completions", "POST"), ("/a/v1/files", "GET")):
        assert keyed.ask(b"" if method == "GET" else said(), path, method=method).status == 401
    body, path = asked("b/m", "anthropic")
    refused = keyed.ask(body, path, [("x-api-key", "sk-setu-" + "x" * 40)])

    assert (refused.status, refused.error["type"]) == (401, "authentication_error")
    assert all(not host.sent for host in keyed.hosts.values())
    until(lambda: len(keyed.calls) == 4)
    assert {(call.status, call.error, call.attempts) for call in keyed.calls} == {(401, "invalid_api_key", ())}
    assert "x" * 40 not in json.dumps([str(call) for call in keyed.calls])
