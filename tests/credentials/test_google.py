"""Access tokens, from a token server of our own and a key made for the test."""

import asyncio
import base64
import json
import sys
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import crypt, jwt

from setu import build
from setu.config.model import Config, ProviderConfig
from setu.credentials import google
from setu.errors import ConfigError, NoDeploymentError
from setu.http import Headers, Request, Response

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLIC = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
ACCOUNT = {
    "type": "service_account",
    "client_email": "robot@p-1.iam.gserviceaccount.com",
    "private_key": PRIVATE,
    "private_key_id": "k1",
    "token_uri": "http://tokens.test/token",
}
USER = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 1_790_000_000.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


class TokenServer:
    """A transport that gives tokens t1, t2, … that live an hour."""

    def __init__(self, status: int = 200, body: bytes | None = None) -> None:
        self.asked: list[Request] = []
        self.closed = 0
        self._status, self._body = status, body

    async def send(self, request: Request) -> Response:
        await asyncio.sleep(0)  # let the others queue
        self.asked.append(request)
        given = {"access_token": f"t{len(self.asked)}", "expires_in": 3600, "token_type": "Bearer"}
        return Response(self._status, Headers(), json.dumps(given).encode() if self._body is None else self._body)

    async def aclose(self) -> None:
        self.closed += 1


def written(tmp_path, info) -> str:
    path = tmp_path / "credentials.json"
    path.write_text(info if isinstance(info, str) else json.dumps(info))
    return str(path)


def signed(tokens, times: int = 1) -> list[str]:
    """The authorization of that many requests at once."""

    async def all_of_them() -> list[Request]:
        asking = [Request(method="POST", path="/", headers=Headers(), body=b"{}") for _ in range(times)]
        done: list[Request] = await asyncio.gather(*(tokens.sign(one) for one in asking))
        return done

    return [request.headers.get("authorization") or "" for request in asyncio.run(all_of_them())]


def test_a_service_account_trades_a_signed_assertion_for_a_token(tmp_path) -> None:
    server, clock = TokenServer(), Clock()

    (authorization,) = signed(google.load(written(tmp_path, ACCOUNT), clock, lambda: server))

    (request,) = server.asked
    assert authorization == "Bearer t1"
    assert request.url == "http://tokens.test/token"
    form = parse_qs(request.body.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    claims = jwt.decode(form["assertion"][0], PUBLIC, verify=False)
    assert jwt.decode_header(form["assertion"][0])["kid"] == "k1"
    assert (claims["iss"], claims["aud"], claims["scope"]) == (
        ACCOUNT["client_email"],
        ACCOUNT["token_uri"],
        google.SCOPE,
    )
    assert (claims["iat"], claims["exp"] - claims["iat"]) == (int(clock.at), 3600)
    assert server.closed == 1


def test_the_assertion_s_signature_is_the_key_s(tmp_path) -> None:
    server = TokenServer()

    signed(google.load(written(tmp_path, ACCOUNT), Clock(), lambda: server))

    assertion = parse_qs(server.asked[0].body.decode())["assertion"][0].encode()
    head, _, signature = assertion.rpartition(b".")
    raw = base64.urlsafe_b64decode(signature + b"=" * (-len(signature) % 4))
    assert crypt.verify_signature(head, raw, PUBLIC)
    assert not crypt.verify_signature(head + b"x", raw, PUBLIC)


def test_a_token_is_kept_and_renewed_two_minutes_before_its_end(tmp_path) -> None:
    server, clock = TokenServer(), Clock()
    tokens = google.load(written(tmp_path, ACCOUNT), clock, lambda: server)
    seen = []
    for passed in (0, 3479, 1):
        clock.at += passed
        seen += signed(tokens)

    assert seen == ["Bearer t1", "Bearer t1", "Bearer t2"]


def test_many_requests_wait_for_one_renewal(tmp_path) -> None:
    server = TokenServer()

    assert signed(google.load(written(tmp_path, ACCOUNT), Clock(), lambda: server), 20) == ["Bearer t1"] * 20
    assert len(server.asked) == 1


def test_a_user_s_own_file_needs_no_signature(tmp_path) -> None:
    server = TokenServer()

    assert signed(google.load(written(tmp_path, USER), Clock(), lambda: server)) == ["Bearer t1"]
    (request,) = server.asked
    assert request.url == "https://oauth2.googleapis.com/token"
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["refresh_token"], "client_id": ["c"], "client_secret": ["s"], "refresh_token": ["r"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (400, b'{"error":"invalid_grant","error_description":"Invalid JWT Signature."}', "400 invalid_grant"),
        (502, b"<html>", "502"),
        (200, b"[]", "200"),
        (200, b'{"id_token":"x"}', "200"),
    ],
)
def test_no_token_is_a_clear_error_and_the_next_request_tries_again(tmp_path, status, body, said) -> None:
    server = TokenServer(status, body)
    tokens = google.load(written(tmp_path, ACCOUNT), Clock(), lambda: server)

    for _ in range(2):
        with pytest.raises(NoDeploymentError, match=f"Google gave no token: {said}$"):
            signed(tokens)
    assert (len(server.asked), server.closed) == (2, 2)


@pytest.mark.parametrize(
    ("info", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "must be a service_account or authorized_user file"),
        ({"type": "external_account"}, "must be a service_account or authorized_user file, not 'external_account'"),
        ({"type": "service_account", "client_email": "e"}, "lacks private_key"),
    ],
)
def test_a_file_that_is_no_credential_is_a_clear_error(tmp_path, info, said) -> None:
    with pytest.raises(ConfigError, match=said):
        google.load(written(tmp_path, info), Clock(), TokenServer)


def test_a_file_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(ConfigError, match=r"/nowhere/x\.json cannot be read: No such file"):
        google.load("/nowhere/x.json", Clock(), TokenServer)


def test_a_broken_key_is_a_clear_error_that_does_not_show_it(tmp_path) -> None:
    tokens = google.load(written(tmp_path, ACCOUNT | {"private_key": "SECRET"}), Clock(), TokenServer)

    with pytest.raises(NoDeploymentError, match="private key cannot be read") as raised:
        signed(tokens)
    assert "SECRET" not in str(raised.value)


def test_without_the_extra_the_error_names_it(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.auth.crypt", None)
    tokens = google.load(written(tmp_path, ACCOUNT), Clock(), TokenServer)

    with pytest.raises(NoDeploymentError, match="pip install 'setu-llm\\[google\\]'"):
        signed(tokens)


def test_vertex_signs_with_the_account_unless_there_is_a_token(tmp_path) -> None:
    environ = {"GOOGLE_APPLICATION_CREDENTIALS": written(tmp_path, ACCOUNT), "GOOGLE_CLOUD_PROJECT": "p-1"}
    token = {"GOOGLE_OAUTH_ACCESS_TOKEN": "ya29"}
    configured = Config(providers={"vertex": ProviderConfig()})

    signing = build.deployments(configured, environ)["vertex"]
    given = build.deployments(configured, environ | token)["vertex"]

    assert (signing.key, isinstance(signing.signer, google.GoogleTokens), signing.callable) == (None, True, True)
    assert (given.key, given.signer) == ("ya29", None)
    assert list(build.deployments(Config(), environ)) == ["vertex"]
    assert build.deployments(configured, {"GOOGLE_CLOUD_PROJECT": "p"})["vertex"].callable is False
