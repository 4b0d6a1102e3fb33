"""A client's own key: it goes to the one provider that the request means, and to nobody else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from setu.store.keys import FileShelf, KeyStore
from tests.gateway.whole import Whole, failing, key_of, said
from tests.live import asked

GATEWAYS = "sk-of-the-gateway-0123456789"
OWN = "sk-own-0123456789abcdef"
HOSTS = {"a": "openai", "b": "anthropic", "o": "openai"}
ROUTING = {"models": {"x": ["a/m", "b/m"]}}


@pytest.fixture(scope="module", params=["passthrough", "hybrid"])
def _whole(request: pytest.FixtureRequest) -> Iterator[Whole]:
    auth = {"mode": request.param, "keys": [GATEWAYS] if request.param == "hybrid" else []}
    once = {"retry": {"max_attempts": 1}}
    with Whole(HOSTS, auth=auth, routing=ROUTING, resilience=once) as whole:
        yield whole


@pytest.fixture
def whole(_whole: Whole) -> Whole:
    _whole.clear()
    return _whole


def own(shown: str = "authorization") -> list[tuple[str, str]]:
    return [(shown, f"Bearer {OWN}" if shown == "authorization" else OWN)]


def reached(whole: Whole) -> list[str]:
    return [name for name, host in whole.hosts.items() if host.sent]


@pytest.mark.parametrize(
    ("model", "path", "fields"),
    [
        ("a/m", "", []),
        ("m", "", [("x-setu-provider", "a")]),
        ("m", "", [("x-provider", "a")]),
        ("m", "?provider=a", []),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_it_goes_to_the_provider_that_is_named(
    whole: Whole, model: str, path: str, fields: list[tuple[str, str]], stream: bool
) -> None:
    answer = whole.ask(said(model, stream=stream), f"/v1/chat/completions{path}", [*own(), *fields])

    assert (answer.status, reached(whole)) == (200, ["a"])
    sent = whole["a"].sent[0]
    assert sent.field("authorization") == f"Bearer {OWN}"
    assert key_of("a") not in str(sent)
    assert whole.call().key.startswith("own-")
    assert OWN not in str(whole.calls)


def test_it_is_shown_as_the_provider_wants_it(whole: Whole) -> None:
    whole.ask(said("b/m"), fields=own())
    whole.ask(*asked("b/m", "anthropic"), own("x-api-key"))

    assert [sent.field("x-api-key") for sent in whole["b"].sent] == [OWN, OWN]
    assert [sent.field("authorization") for sent in whole["b"].sent] == [None, None]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_it_goes_to_no_fallback(whole: Whole, stream: bool) -> None:
    whole["a"].script.append(failing(500, message="down"))

    answer = whole.ask(said("a/m", stream=stream), fields=[*own(), ("x-setu-fallback", "b,o")])

    assert (answer.status, answer.error["message"], reached(whole)) == (500, "down", ["a"])


def test_a_request_that_could_mean_several_is_told_so(whole: Whole) -> None:
    answer = whole.ask(said("x"), fields=own())

    assert (answer.status, answer.error["code"], reached(whole)) == (403, "credential_not_forwarded", [])
    assert "X-Setu-Provider" in answer.error["message"]


def test_the_endpoint_may_mean_one(whole: Whole) -> None:
    body, path = asked("m", "anthropic")

    answer = whole.ask(body, path, [*own("x-api-key"), ("anthropic-version", "2023-06-01")])

    assert (answer.status, reached(whole)) in [(200, ["b"]), (403, [])]
    for host in ("a", "o"):
        assert not whole[host].sent


def test_what_passes_unread_has_it_too(whole: Whole) -> None:
    answer = whole.ask(b"{}", "/a/v1/fine_tuning/jobs", own())

    assert (answer.status, reached(whole)) == (200, ["a"])
    assert whole["a"].sent[0].field("authorization") == f"Bearer {OWN}"


def test_a_key_that_looks_like_the_gateways_is_never_sent(whole: Whole) -> None:
    fields = [("authorization", "Bearer sk-setu-" + "a" * 40)]
    answers = [whole.ask(said("a/m"), fields=fields), whole.ask(b"{}", "/a/v1/other", fields)]

    assert [answer.status for answer in answers] == [401, 401]
    assert reached(whole) == []


def test_in_hybrid_mode_the_gateways_key_asks_with_the_gateways_credential() -> None:
    with Whole(HOSTS, auth={"mode": "hybrid", "keys": [GATEWAYS]}, routing=ROUTING) as whole:
        fields = [("authorization", f"Bearer {GATEWAYS}")]
        answers = [whole.ask(said("x"), fields=fields), whole.ask(b"{}", f"/a/v1/other?key={GATEWAYS}", fields)]

        assert [answer.status for answer in answers] == [200, 200]
        assert [sent.field("authorization") for sent in whole["a"].sent] == [f"Bearer {key_of('a')}"] * 2
        assert GATEWAYS not in str(whole["a"].sent)


def test_in_passthrough_mode_a_virtual_key_is_not_asked_for(tmp_path: Path) -> None:
    """A key of ours is refused there: it is not a provider's, and it must not leave."""
    store = KeyStore(FileShelf(tmp_path / "keys.json"))
    _, secret = store.create()
    with Whole(HOSTS, auth={"mode": "passthrough", "key_store": str(tmp_path / "keys.json")}) as whole:
        answer = whole.ask(said("a/m"), fields=[("authorization", f"Bearer {secret}")])

        assert (answer.status, reached(whole)) == (401, [])
