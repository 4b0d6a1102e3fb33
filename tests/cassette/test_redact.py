import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.redact import find_secrets, known_secrets, redact_request, redact_response, redact_text
from setu.http import Headers, Request, Response
from tests.cassette.samples import request

SHAPED = {
    "openai": "sk-proj-Abc123Def456Ghi789Jkl012",
    "openai old": "sk-abcdefghijklmnopqrstuvwx1234",
    "anthropic": "sk-ant-api03-Abc_123-Def456Ghi789",
    "openrouter": "sk-or-v1-0123456789abcdef0123456789abcdef",
    "google": "AIzaSyA-1234567890abcdefghijklmnopqrstu",
    "google new": "AQ.Ab8RN6Jabcdefghijklmnop1234",
    "google token": "ya29.a0AfH6SMBabcdefghijklmnop",
    "groq": "gsk_abcdefghijklmnopqrstuvwx",
    "xai": "xai-abcdefghijklmnopqrstuvwx",
    "hugging face": "hf_abcdefghijklmnopqrstuvwx",
    "perplexity": "pplx-abcdefghijklmnopqrstuvwx",
    "nvidia": "nvapi-abcdefghijklmnopqrstuvwx",
    "cerebras": "csk-abcdefghijklmnopqrstuvwx",
    "replicate": "r8_abcdefghijklmnopqrstuvwx",
    "fireworks": "fw_abcdefghijklmnopqrstuvwx",
    "together": "tgp_v1_abcdefghijklmnopqrstuvwx",
    "github": "ghp_abcdefghijklmnopqrstuvwx",
    "github fine-grained": "github_pat_11ABCDEFG_abcdefghijkl",
    "gitlab": "glpat-abcdefghijklmnopqrst",
    "slack": "xoxb-1234567890-abcdef",
    "stripe": "sk_live_abcdefghijklmnopqrst",
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "aws temporary": "ASIAIOSFODNN7EXAMPLE",
    "aws bearer": "ABSKQmVkcm9ja0FQSUtleS1hYmNkZWZnaGlqa2xtbm9w",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
}
TOKEN = "Zx81-plain-credential-7f3d"


@pytest.mark.parametrize("secret", SHAPED.values(), ids=SHAPED)
@pytest.mark.parametrize(
    "place",
    ["{}", "key={}&x=1", '{{"content":"use {} please"}}', "line\\n{}\\n", "%20{}", "(\\u0022{}\\u0022)", "Bearer {}"],
    ids=["alone", "query", "prose", "after an escape", "after a percent escape", "after a unicode escape", "bearer"],
)
def test_keys_are_known_by_their_shape_wherever_they_stand(secret, place) -> None:
    text = place.format(secret)

    redacted = redact_text(text)

    assert secret not in redacted
    assert secret[8:] not in redacted
    assert find_secrets(text)
    assert find_secrets(redacted) == []


@pytest.mark.parametrize(
    "text",
    [
        "Bearer authentication is required",
        'Bearer token","status":401',
        "Basic authentication",
        "a task-oriented-approach-number-1234567890",
        "sk-container-id-1 sk-estimator-html-representation",
        '{"token": "hello", "key": "value", "max_tokens": 100}',
        "msg_01AbCdEfGhIjKlMnOpQrStUv chatcmpl-AbCdEfGhIjKlMnOpQrStUvWxYz1234 call_AbCdEf0123456789",
        "toolu_01AbCdEfGhIjKlMnOpQrStUv resp_0123456789abcdef0123456789abcdef fp_44709d6fcb",
        "incorrect API key provided: sk-proj-****************abcd",
        'gAAAAABo-encrypted_reasoning-0123456789" "EqQBCkYIBRgCKkAdsomebase64signature+/abcdef==',
        "https://host/v1beta/models/gemini-2.5-flash:generateContent",
        '"password": {"type": "string"}',
        "REDACTED Bearer REDACTED",
    ],
)
def test_ordinary_text_is_left_alone(text) -> None:
    assert redact_text(text) == text
    assert find_secrets(text) == []


# Fifteen places of a request and its answer, each with a secret that has no telling shape where the place tells.
SEEDED = Request(
    method="POST",
    origin="https://user:Zx81-in-userinfo@api.example.com",
    path=f"/v1/{SHAPED['groq']}/messages",
    query="key=Zx81-in-key&api_key=Zx81-in-api-key&access_token=Zx81-in-token&%6bey=Zx81-in-escape"
    "&X-Amz-Signature=Zx81-in-amz&sig=Zx81-in-sig&alt=sse&q=" + SHAPED["google"],
    headers=Headers.of(
        {
            "authorization": "Bearer Zx81-in-authorization",
            "x-api-key": "Zx81-in-x-api-key",
            "x-goog-api-key": "Zx81-in-goog",
            "api-key": "Zx81-in-azure",
            "cookie": "session=Zx81-in-cookie",
            "proxy-authorization": "Basic Zx81-in-proxy",
            "x-custom-credential": "Zx81-in-custom",
            "content-type": "application/json",
            "anthropic-beta": f"b,{SHAPED['hugging face']}",
        }
    ),
    body=json.dumps(
        {
            "model": "m",
            "api_key": "Zx81-in-body",
            "mcp_servers": [{"url": "https://x", "authorization_token": "Zx81-in-mcp"}],
            "tools": [{"type": "mcp", "headers": {"X-Mine": "Zx81-é-in-tool-header"}, "authorization": "Zx81-in-auth"}],
            "messages": [
                {"role": "user", "content": f"my key is {SHAPED['anthropic']}\nand {TOKEN}"},
                {"role": "user", "content": '{"client_secret": "Zx81-in-nested-json"}'},
                {
                    "role": "user",
                    "content": "-----BEGIN RSA PRIVATE KEY-----\nZx81-in-pem\n-----END RSA PRIVATE KEY-----",
                },
            ],
        }
    ).encode(),
)
ANSWER = Response(
    200,
    Headers.of(
        {
            "content-type": "text/event-stream",
            "set-cookie": "session=Zx81-in-set-cookie",
            "openai-organization": "Zx81-org",
            "location": "https://x?token=Zx81-in-location",
            "x-request-id": f"req {SHAPED['jwt']}",
        }
    ),
    f'data: {{"text":"your key {SHAPED["openai"]}, {TOKEN}, \\"password\\": \\"Zx81-in-answer\\""}}\n\n'.encode(),
)


def test_no_seeded_secret_is_left_in_a_request() -> None:
    redacted, what = redact_request(SEEDED, (TOKEN,))

    left = repr((redacted.url, list(redacted.headers.items()), redacted.body))
    assert "Zx81" not in left
    assert [secret for secret in SHAPED.values() if secret in left] == []
    assert {
        "request.headers.authorization",
        "request.headers.cookie",
        "request.query.key",
        "request.query.X-Amz-Signature",
        "request.uri.userinfo",
        "request.path",
        "request.body",
    } <= set(what)
    assert "Zx81" not in repr(what)


def test_no_seeded_secret_is_left_in_a_response() -> None:
    redacted, what = redact_response(ANSWER, (TOKEN,))

    left = repr((list(redacted.headers.items()), redacted.body))
    assert "Zx81" not in left
    assert [secret for secret in SHAPED.values() if secret in left] == []
    assert what == (
        "response.headers.set-cookie",
        "response.headers.openai-organization",
        "response.headers.x-request-id",
        "response.body",
    )


def test_everything_else_stays_byte_for_byte() -> None:
    body = b'{ "a" : 1.0e0, "api_key": "Zx81", "b":"caf\xc3\xa9 \xff", "n":[1 ,2] }\r\n'

    redacted, _ = redact_request(request(body))

    assert redacted.body == body.replace(b"Zx81", b"REDACTED")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"),
        ("Bearer", "a-token-of-more-than-twenty-characters-1"),
        ('"password": "', '"'),
    ],
)
def test_no_edit_swallows_the_boundary_of_two_events(one, other) -> None:
    body = f"data: {one}\n\ndata: {other}\n\n".encode()

    redacted, _ = redact_response(Response(200, body=body))

    assert redacted.body == body


def test_a_request_without_secrets_is_unchanged() -> None:
    found = request(headers={"content-type": "application/json"})

    assert redact_request(found) == (found, ())


def test_redaction_twice_is_redaction_once() -> None:
    once, _ = redact_request(SEEDED, (TOKEN,))

    assert redact_request(once, (TOKEN,)) == (once, ())


def test_known_secrets_are_found_in_any_spelling() -> None:
    secret = 'p@ss "wörd"/+'
    for text in (secret, "p%40ss%20%22w%C3%B6rd%22%2F%2B", json.dumps(secret, ensure_ascii=False), json.dumps(secret)):
        assert secret not in redact_text(text, (secret,))
        assert find_secrets(text, (secret,)) != []


def test_findings_never_hold_the_secret() -> None:
    [finding] = find_secrets(f"a {SHAPED['openai']}")

    assert finding == ("sk- key", 2)


def test_secret_variables_are_known_by_name() -> None:
    environment = {
        "OPENAI_API_KEY": "value-one",
        "HF_TOKEN": "value-longer",
        "PATH": "/usr/bin:/bin",
        "X_SECRET": "true",
    }

    assert known_secrets(environment) == ("value-longer", "value-one")


@given(st.text(max_size=30), st.sampled_from(sorted(SHAPED.values())), st.text(max_size=30), st.booleans())
def test_no_key_survives_in_json_text(before, secret, after, ascii_only) -> None:
    body = json.dumps({"messages": [f"{before} {secret} {after}"]}, ensure_ascii=ascii_only)

    redacted, what = redact_request(request(body.encode("utf-8", "surrogatepass")))

    assert secret.encode() not in redacted.body
    assert what == ("request.body",)
    assert find_secrets(redacted.body.decode("latin-1")) == []


@given(st.binary(max_size=60))
def test_any_body_is_redacted_without_complaint(body) -> None:
    redacted, _ = redact_request(request(body))

    assert redact_request(redacted)[0] == redacted


@pytest.mark.parametrize(
    "name",
    [
        "key",
        "api_key",
        "api-key",
        "apikey",
        "access_token",
        "token",
        "sig",
        "X-Amz-Credential",
        "X-Goog-Signature",
        "X-Amz-Security-Token",
        "client_secret",
        "AWSAccessKeyId",
        "subscription-key",
        "%6bey",
        "KEY",
    ],
)
def test_query_members_that_are_secret_by_name_go(name) -> None:
    redacted, what = redact_request(request(query=f"a=1&{name}=Zx81&alt=sse"))

    assert redacted.query == "a=1&alt=sse"
    assert len(what) == 1


@pytest.mark.parametrize("query", ["page_token=abc", "pageToken=abc", "alt=sse", "beta=true", "signal=1", "a&b=&=c"])
def test_other_query_members_stay(query) -> None:
    assert redact_request(request(query=query))[0].query == query


@given(st.text(max_size=20), st.text(min_size=1, max_size=20), st.text(max_size=20), st.booleans())
def test_a_member_goes_whatever_it_holds_and_its_neighbours_stay(before, secret, after, ascii_only) -> None:
    body = json.dumps({"a": before, "password": secret, "b": after}, ensure_ascii=ascii_only)

    redacted, _ = redact_request(request(body.encode("utf-8", "surrogatepass")))

    assert json.loads(redacted.body) == {"a": before, "password": "REDACTED", "b": after}


@given(st.text('ab"é \n', min_size=1, max_size=20), st.integers(1, 3))
def test_a_member_goes_from_json_within_json(secret, levels) -> None:
    text = json.dumps({"a": "x", "api_key": secret, "b": "y"})
    for _ in range(levels):
        text = json.dumps(text)

    value = json.loads(redact_text(text))

    for _ in range(levels):
        value = json.loads(value)
    assert value == {"a": "x", "api_key": "REDACTED", "b": "y"}


@pytest.mark.parametrize(
    "text", ["\\" * 200_000, '"password":"' * 20_000, '\\"password\\":\\"' * 20_000, "Bearer " * 50_000]
)
def test_hostile_text_is_searched_in_linear_time(text) -> None:
    started = time.process_time()
    find_secrets(text)

    assert time.process_time() - started < 2
