"""Secrets, and the places of a call where they are hidden."""

import base64
import gzip
import json
from typing import Any, NamedTuple
from urllib.parse import quote

from setu.framing.eventstream import EventStreamEncoder
from setu.framing.frame import Frame
from setu.http import Headers, Request

PLAIN = "Zq7-plain-credential-7f3d2b"
"""Looks like nothing: only its place tells."""
RANDOM = "k7Jp2Qx9Vt4Lm8Rz3Nw6Yb1Hc5Gd0Fs2Ta7Ue"
KNOWN = 'kn0wn "vàlue"/of+the=environment'
SK = "sk-proj-Abc123Def456Ghi789Jkl012"
GOOGLE = "AIzaSyA-1234567890abcdefghijklmnopqrstu"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"
YA29 = "ya29.a0AfH6SMBabcdefghijklmnop"
AWS = "AKIAIOSFODNN7EXAMPLE"
SIGNATURE = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\n-----END PRIVATE KEY-----"
PEM_BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEF"
BASIC = base64.b64encode(f"user:{PLAIN}".encode()).decode()
SAS = "Zm9vYmFyMTIzNDU2Nzg5MGFiY2RlZg%3D%3D"

ANSWER = (
    b'{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],'
    b'"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}'
)
JSON = {"content-type": "application/json"}
SSE = {"content-type": "text/event-stream"}
NDJSON = {"content-type": "application/x-ndjson"}
AMAZON = {"content-type": "application/vnd.amazon.eventstream"}


class Seed(NamedTuple):
    """A request and its answer, and what of them must be nowhere."""

    secrets: tuple[str, ...]
    request: Request
    headers: dict[str, str]
    answer: bytes


def asked(
    *,
    text: str = "hello",
    path: str = "/v1/messages",
    query: str = "",
    headers: Any = (),
    body: Any = None,
    **more: Any,
) -> Request:
    """Return a call; `more` are members of its body."""
    value = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": text}]} | more
    data = body if isinstance(body, bytes) else json.dumps(value, ensure_ascii=False).encode()
    fields = Headers.of([*JSON.items()])
    for name, held in dict(headers).items():
        fields.set(name, held)
    return Request(method="POST", path=path, query=query, headers=fields, body=data)


def seed(secrets: str | tuple[str, ...], request: Request | None = None, answer: bytes = ANSWER, **kind: Any) -> Seed:
    held = (secrets,) if isinstance(secrets, str) else secrets
    return Seed(held, request or asked(), kind.get("headers", JSON), answer)


def says(text: str) -> bytes:
    return json.dumps({"type": "message", "content": [{"type": "text", "text": text}]}, ensure_ascii=False).encode()


def events(*texts: str) -> bytes:
    """Return a stream of deltas."""
    deltas = [json.dumps({"type": "content_block_delta", "index": 0, "delta": {"text": text}}) for text in texts]
    return "".join(f"event: content_block_delta\ndata: {delta}\n\n" for delta in deltas).encode()


def amazon(*payloads: bytes) -> bytes:
    encoder = EventStreamEncoder()
    return b"".join(encoder.encode(Frame(data=payload, event="contentBlockDelta")) for payload in payloads)


def wrapped_delta(text: str) -> bytes:
    event = base64.b64encode(json.dumps({"type": "content_block_delta", "delta": {"text": text}}).encode()).decode()
    return json.dumps({"bytes": event, "p": "abcd"}).encode()


def cut(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


_FIELDS = {
    "authorization": f"Bearer {PLAIN}",
    "Authorization": f"Basic {BASIC}",
    "x-api-key": PLAIN,
    "X-API-KEY": PLAIN,
    "api-key": PLAIN,
    "x-goog-api-key": PLAIN,
    "cookie": f"session={PLAIN}; theme=dark",
    "proxy-authorization": f"Basic {BASIC}",
    "x-amz-security-token": PLAIN,
    "x-custom-credential": PLAIN,
    "user-agent": f"agent/1 {PLAIN}",
    "anthropic-beta": f"one,{SK}",
}
_QUERIES = {
    "key": PLAIN, "api_key": PLAIN, "access_token": YA29, "X-Amz-Signature": SIGNATURE, "sig": SAS, "%6bey": PLAIN,
    "q": GOOGLE, "code": RANDOM,
}  # fmt: skip
_MEMBERS: dict[str, Any] = {
    "api_key": PLAIN,
    "extra_headers": {"X-Mine": PLAIN},
    "mcp_servers": [{"type": "url", "url": "https://mcp.example.com", "name": "a", "authorization_token": PLAIN}],
    "tools": [{"type": "mcp", "server_url": "https://mcp.example.com", "headers": {"X-Any": PLAIN}}],
    "data_sources": [{"type": "azure_search", "parameters": {"authentication": {"type": "api_key", "key": PLAIN}}}],
    "tool_choice": {"deep": [{"deeper": {"deepest": [{"db_password": PLAIN}]}}]},
    "container": {"environment": [{"name": "STRIPE_API_KEY", "value": PLAIN}]},
    "webhook": {"url": "https://example.com", "signingSecret": PLAIN},
    "service_account": {"type": "service_account", "private_key_id": "a1", "private_key": PEM},
    "oauth": {"grant_type": "refresh_token", "refresh_token": PLAIN, "client_secret": PLAIN},
    "storage": {"connectionString": f"AccountName=a;AccountKey={PLAIN}"},
}
_TEXTS = {
    "a key in prose": f"my key is {SK}, use it",
    "a jwt": f"token {JWT}",
    "a bearer token": f"curl -H 'Authorization: Bearer {PLAIN}'",
    "an assignment": f"export DB_PASSWORD={PLAIN}",
    "a yaml secret": f"client_secret: {PLAIN}\nregion: eu",
    "a random word": f"log in with {RANDOM} please",
    "a pem": f"here:\n{PEM}\nthanks",
    "json once escaped": json.dumps({"api_key": PLAIN, "n": 1}),
    "json twice escaped": json.dumps(json.dumps({"api_key": PLAIN, "n": 1})),
    "json with unicode escapes": json.dumps({"a": SK}).replace("sk-", "sk\\u002d"),
    "a database url": f"postgres://admin:{PLAIN}@db.example.com/main",
    "percent-encoded": quote(f"token={SK}&x=1", safe=""),
    "aws credentials": f"AWS4-HMAC-SHA256 Credential={AWS}/20261120/us-east-1/s3/aws4_request, Signature={SIGNATURE}",
    "an image url": f"https://x.blob.core.windows.net/a.png?sv=1&sig={SAS}",
    "a presigned url": f"https://b.s3.amazonaws.com/a.png?X-Amz-Expires=9&X-Amz-Signature={SIGNATURE}",
    "a webhook": "post to https://hooks.slack.com/services/T00000000/B00000000/XXXXabcdef1234567890abcd",
    "known": f"the value is {KNOWN}",
    "known percent": f"the value is {quote(KNOWN, safe='')}",
    "known base64": "the value is " + base64.b64encode(f"xy{KNOWN}z".encode()).decode(),
    "known hex": "the value is " + KNOWN.encode().hex(),
    "base64 of a file": base64.b64encode(f"[default]\naws_secret_access_key = {PLAIN}\nkey={SK}\n".encode()).decode(),
}
_HELD = {
    "a jwt": (JWT,), "a random word": (RANDOM,), "a pem": (PEM_BODY,), "aws credentials": (AWS, SIGNATURE),
    "an image url": (SAS,), "a presigned url": (SIGNATURE,), "a webhook": ("XXXXabcdef1234567890abcd",),
    "base64 of a file": (SK, PLAIN),
}  # fmt: skip
_FORM = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n--b--\r\n'
_MULTIPART = {"content-type": "multipart/form-data; boundary=b"}
_URLENCODED = {"content-type": "application/x-www-form-urlencoded"}
_COMPRESSED = gzip.compress(json.dumps({"model": "m", "messages": [{"content": SK}]}).encode(), mtime=0)


def _texts() -> dict[str, Seed]:
    return {
        f"text: {name}": seed(_HELD.get(name, (KNOWN,) if "known" in name else (SK, PLAIN)), asked(text=text))
        for name, text in _TEXTS.items()
    }


def _answers() -> dict[str, Seed]:
    by_header = asked(headers={"x-api-key": PLAIN})
    called = json.dumps({"command": f"curl -u me:x -H 'X-Api-Key: {PLAIN}'"})
    inner = base64.b64encode(json.dumps({"delta": {"text": f"key {SK}"}}).encode())
    return {
        "answer: repeats the request's key": seed(PLAIN, by_header, says(f"you sent {PLAIN}")),
        "answer: error with the key": seed(
            PLAIN, by_header, json.dumps({"error": {"message": f"Incorrect API key provided: {PLAIN}."}}).encode()
        ),
        "answer: set-cookie": seed(PLAIN, headers=JSON | {"set-cookie": f"session={PLAIN}"}),
        "answer: location": seed(PLAIN, headers=JSON | {"location": f"https://x.example.com/?token={PLAIN}"}),
        "answer: request id": seed(SK, headers=JSON | {"x-request-id": SK}),
        "answer: one event": seed(SK, answer=events(f"key {SK}"), headers=SSE),
        "answer: split over events": seed(SK, answer=events("key ", *cut(SK, 3), " ok"), headers=SSE),
        "answer: letter by letter": seed(SK, answer=events("key ", *SK, " ok"), headers=SSE),
        "answer: known, split": seed(KNOWN, answer=events(*cut(KNOWN, 5)), headers=SSE),
        "answer: arguments split": seed(PLAIN, answer=events(*cut(json.dumps({"api_key": PLAIN}), 7)), headers=SSE),
        "answer: ndjson": seed(SK, answer=says(SK) + b"\n" + says("b") + b"\n", headers=NDJSON),
        "answer: ndjson split": seed(SK, answer=says(SK[:9]) + b"\n" + says(SK[9:]) + b"\n", headers=NDJSON),
        "answer: amazon": seed(SK, answer=amazon(says(SK), says("b")), headers=AMAZON),
        "answer: amazon split": seed(SK, answer=amazon(says(SK[:9]), says(SK[9:])), headers=AMAZON),
        "answer: amazon base64": seed(SK, answer=amazon(b'{"bytes":"' + inner + b'"}'), headers=AMAZON),
        "answer: amazon base64 split": seed(
            SK, answer=amazon(*(wrapped_delta(part) for part in ("key ", *cut(SK, 4)))), headers=AMAZON
        ),
        "answer: gzip": seed(SK, answer=gzip.compress(says(SK)), headers=JSON | {"content-encoding": "gzip"}),
        "answer: tool call": seed(PLAIN, answer=json.dumps({"input": called}).encode()),
        "answer: session token": seed(PLAIN, answer=json.dumps({"client_secret": {"value": PLAIN}}).encode()),
        "answer: html": seed(SK, answer=f"<p>Invalid key {SK}</p>".encode(), headers={"content-type": "text/html"}),
        "answer: binary": seed(SK, answer=b"\x00\xff" + SK.encode(), headers={"content-type": "audio/mpeg"}),
        "answer: signed url": seed(SIGNATURE, answer=says(f"https://s.example.com/a?X-Goog-Signature={SIGNATURE}")),
    }


def seeds() -> dict[str, Seed]:
    """Return every place by its name."""
    fields = {
        f"header: {name}": seed((PLAIN, BASIC, SK), asked(headers={name: held})) for name, held in _FIELDS.items()
    }
    queries = {f"query: {name}": seed(held, asked(query=f"a=1&{name}={held}")) for name, held in _QUERIES.items()}
    members = {f"member: {name}": seed((PLAIN, PEM_BODY), asked(**{name: held})) for name, held in _MEMBERS.items()}
    others = {
        "path": seed(SK, asked(path=f"/proxy/https/api.example.com/v1/{SK}/messages")),
        "userinfo": seed(PLAIN, asked(container={"url": f"https://user:{PLAIN}@mcp.example.com/sse"})),
        "system prompt": seed(SK, asked(system=f"Never tell that the key is {SK}")),
        "tool call arguments": seed(PLAIN, asked(input=json.dumps({"headers": {"X-Api-Key": PLAIN}}))),
        "name and value": seed(PLAIN, asked(env=[{"name": "GH_TOKEN", "value": PLAIN}])),
        "form": seed(PLAIN, asked(headers=_URLENCODED, body=f"grant_type=x&client_secret={PLAIN}&a=1".encode())),
        "assertion": seed(JWT, asked(headers=_URLENCODED, body=f"grant_type=x&assertion={JWT}".encode())),
        "multipart": seed(PLAIN, asked(headers=_MULTIPART, body=_FORM % (b"api_key", PLAIN.encode()))),
        "multipart file": seed(SK, asked(headers=_MULTIPART, body=_FORM % (b"file", f"KEY={SK}".encode()))),
        "gzip request": seed(SK, asked(headers={"content-encoding": "gzip"}, body=_COMPRESSED)),
    }
    return fields | queries | members | _texts() | others | _answers()
