"""What may not cross: credentials, cookies, one connection's own fields."""

import logging

import pytest

from setu.telemetry.logs import log_call
from tests.gateway.wire import HOME, PLAIN
from tests.live import CHAT, KEY, Live, Upstream, asked, reply

SECRET = "client-secret-42"
CREDENTIALS = [
    ("authorization", f"Bearer {SECRET}"), ("x-api-key", SECRET), ("api-key", SECRET), ("x-goog-api-key", SECRET),
    ("cookie", f"sid={SECRET}"), ("proxy-authorization", f"Basic {SECRET}"),
]  # fmt: skip


@pytest.mark.parametrize("provider", ["oa", "an", "ge", "local"])
@pytest.mark.parametrize("dialect", ["openai_chat", "anthropic", "gemini"])
def test_the_clients_key_never_goes_upstream(live: Live, upstream: Upstream, provider: str, dialect: str) -> None:
    upstream.answer = reply(PLAIN.get(provider, PLAIN["oa"]))
    body, path = asked(f"{provider}/m", dialect)

    answer = live.ask(body, f"{path}?key={SECRET}", CREDENTIALS)

    assert answer.status == 200
    assert SECRET not in repr(upstream.sent)


@pytest.mark.parametrize(
    ("provider", "field", "value"),
    [("oa", "authorization", f"Bearer {KEY}"), ("an", "x-api-key", KEY), ("ge", "x-goog-api-key", KEY), ("local", "authorization", None)],
)  # fmt: skip
def test_each_host_gets_its_own_key_its_own_way(
    live: Live, upstream: Upstream, provider: str, field: str, value: str | None
) -> None:
    upstream.answer = reply(PLAIN.get(provider, PLAIN["oa"]))

    live.ask(asked(f"{provider}/m")[0], CHAT, CREDENTIALS)

    assert upstream.sent[0].field(field) == value
    assert [name for name, _ in upstream.sent[0].fields if name in {"cookie", "api-key", "proxy-authorization"}] == []


@pytest.mark.parametrize("provider", ["oa", "an", "ge"])
@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized", "500 Oops", "302 Found"])
def test_the_upstreams_key_reaches_neither_client_nor_log(
    live: Live, upstream: Upstream, caplog: pytest.LogCaptureFixture, provider: str, status: str
) -> None:
    upstream.answer = reply(
        b'{"error":{"message":"no"}}', status, "application/json", "x-request-id: r", "location: https://x.test/"
    )
    for dialect in HOME.values():
        answer = live.ask(*asked(f"{provider}/m", dialect))
        assert KEY not in repr(answer)
    with caplog.at_level(logging.INFO):
        for call in live.calls:
            log_call(call)

    assert len(live.calls) == 3
    assert KEY not in caplog.text
    assert KEY not in repr(live.calls)


def test_one_connections_fields_stay_on_it(live: Live, upstream: Upstream) -> None:
    own = ("connection: close, X-Hop", "x-hop: 1", "set-cookie: __cf_bm=1; path=/", "alt-svc: h3", "proxy-authenticate: Basic", "keep-alive: timeout=5", "x-up: 1")  # fmt: skip
    upstream.answer = reply(PLAIN["oa"], "200 OK", "application/json", *own)
    fields = [("connection", "keep-alive, x-mine"), ("x-mine", "1"), ("te", "trailers"), ("keep-alive", "5"), ("upgrade", "h2c"), ("expect", "100-continue"), ("x-setu-provider", "oa"), ("accept-encoding", "br"), ("x-kept", "1")]  # fmt: skip

    answer = live.ask(asked("m")[0], CHAT, fields)

    there = {name for name, _ in upstream.sent[0].fields}
    back = {name for name, _ in answer.fields}
    assert there == {"host", "x-kept", "content-type", "accept-encoding", "authorization", "content-length"}
    assert upstream.sent[0].field("accept-encoding") == "identity"
    assert back == {
        "date",
        "content-type",
        "content-length",
        "x-up",
        "x-request-id",
        "x-setu-request-id",
        "x-setu-provider",
        "x-setu-model",
        "x-setu-route",
    }


def test_a_date_is_said_once(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(
        PLAIN["oa"], "200 OK", "application/json", "date: Tue, 01 Jan 2030 00:00:00 GMT", "server: up"
    )

    assert [name for name, _ in live.ask(*asked("oa/m")).fields].count("date") == 1


def test_another_dialects_fields_do_not_cross(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(PLAIN["an"])
    fields = [
        ("openai-organization", "org"),
        ("x-stainless-lang", "python"),
        ("user-agent", "app/1"),
        ("anthropic-version", "bogus"),
    ]

    live.ask(asked("an/m")[0], CHAT, fields)

    sent = upstream.sent[0]
    assert (sent.field("user-agent"), sent.field("anthropic-version")) == ("app/1", "2023-06-01")
    assert {name for name, _ in sent.fields} == {
        "host", "user-agent", "anthropic-version", "content-type", "accept-encoding", "x-api-key", "content-length",
    }  # fmt: skip


def test_an_anthropic_clients_version_and_betas_pass_to_anthropic(live: Live, upstream: Upstream) -> None:
    upstream.answer = reply(PLAIN["an"])

    body, path = asked("an/m", "anthropic")
    live.ask(
        body,
        path + "?beta=true",
        [("anthropic-version", "2099-01-01"), ("anthropic-beta", "a"), ("anthropic-beta", "b")],
    )

    sent = upstream.sent[0]
    assert sent.line == "POST /v1/messages?beta=true HTTP/1.1"
    assert [value for name, value in sent.fields if name.startswith("anthropic-")] == ["2099-01-01", "a", "b"]


@pytest.mark.parametrize(
    ("dialect", "field"), [("openai_chat", "x-request-id"), ("anthropic", "request-id"), ("gemini", "x-request-id")]
)
@pytest.mark.parametrize("provider", ["oa", "an", "ge"])
def test_every_answer_has_its_dialects_request_id(
    live: Live, upstream: Upstream, provider: str, dialect: str, field: str
) -> None:
    upstream.answer = reply(PLAIN[provider])
    body, path = asked(f"{provider}/m", dialect)

    first = live.ask(body, path)
    second = live.ask(body, path, [("x-request-id", "mine-7")])
    refused = live.ask(b"{", path, [("x-request-id", "mine-8")])

    assert (first.field(field) or "").startswith("req_")
    assert first.field("x-setu-request-id") == first.field(field) != second.field(field)
    assert (second.field(field), second.field("x-setu-request-id"), refused.field(field)) == (
        "mine-7",
        "mine-7",
        "mine-8",
    )
    assert [call.request_id for call in live.calls] == [first.field(field), "mine-7", "mine-8"]
    assert upstream.sent[1].field("x-request-id") == "mine-7"
