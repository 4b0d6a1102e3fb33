"""Signing for AWS: the same signature as botocore's own client, checked by a server that computes it again."""

import asyncio
import hashlib
import hmac
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from setu import build
from setu.config.model import Config, ProviderConfig
from setu.credentials import aws
from setu.errors import NoDeploymentError
from setu.http import Headers, Request, Response
from setu.transport.httpx_ import HttpxTransport
from tests.servers import RawServer, read_request

KEYS = ReadOnlyCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "token-1")
PATH = "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"


def _request(body: bytes = b'{"messages":[]}', path: str = PATH) -> Request:
    headers = Headers.of({"content-type": "application/json", "user-agent": "u", "x-request-id": "r"})
    return Request(
        method="POST", origin="https://bedrock-runtime.eu-west-1.amazonaws.com", path=path, headers=headers, body=body
    )


def _expected(secret: str, headers: Headers, method: str, host: str, path: str, body: bytes) -> str:
    """Compute a signature by the recipe of AWS's documentation, from what arrived alone."""
    given = headers.get("authorization") or ""
    credential, signed = (given.partition(f"{name}=")[2].partition(",")[0] for name in ("Credential", "SignedHeaders"))
    _, day, region, service, _ = credential.split("/")
    values = {"host": host} | dict(headers.items())
    lines = "".join(f"{name}:{values[name].strip()}\n" for name in signed.split(";"))
    # The path is encoded once more: %3A on the wire is %253A in what is signed.
    canonical = "\n".join([method, path.replace("%", "%25"), "", lines, signed, hashlib.sha256(body).hexdigest()])
    scope = f"{day}/{region}/{service}/aws4_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join(["AWS4-HMAC-SHA256", headers.get("x-amz-date") or "", scope, hashed])
    key = f"AWS4{secret}".encode()
    for step in (day, region, service, "aws4_request"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    return hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()


def _signature_of(headers: Headers) -> str:
    return (headers.get("authorization") or "").partition("Signature=")[2]


def _sign(request: Request, signer: aws.SigV4) -> Request:
    return asyncio.run(signer.sign(request))


@given(st.binary(max_size=200))
def test_a_signature_covers_the_exact_bytes_and_follows_the_documented_recipe(body: bytes) -> None:
    signed = _sign(_request(body), aws.SigV4("eu-west-1", lambda: Credentials(*KEYS)))

    expected = _expected(KEYS.secret_key, signed.headers, "POST", "bedrock-runtime.eu-west-1.amazonaws.com", PATH, body)
    assert _signature_of(signed.headers) == expected
    assert signed.body == body
    assert signed.headers.get("x-amz-security-token") == "token-1"
    assert signed.headers.get("x-request-id") == "r"


def test_it_is_botocore_s_own_signature() -> None:
    signed = _sign(_request(), aws.SigV4("eu-west-1", lambda: Credentials(*KEYS)))
    own = AWSRequest("POST", _request().url, data=_request().body, headers={"content-type": "application/json"})
    signer = SigV4Auth(KEYS, "bedrock", "eu-west-1")
    own.context["timestamp"] = signed.headers.get("x-amz-date")
    signer._modify_request_before_signing(own)
    own.headers.replace_header("X-Amz-Date", signed.headers.get("x-amz-date"))

    canonical = signer.canonical_request(own)

    assert "%253A0/converse" in canonical
    assert signer.signature(signer.string_to_sign(own, canonical), own) == _signature_of(signed.headers)


ANSWER = (
    b'{"metrics":{"latencyMs":1},"output":{"message":{"content":[{"text":"Ok."}],"role":"assistant"}},'
    b'"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}}'
)


def test_a_server_that_verifies_accepts_what_the_gateway_sends_over_a_socket() -> None:
    async def verify(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, fields, body = await read_request(reader)
        method, path, _ = line.split(" ")
        headers = Headers.of(fields)
        sound = _expected(KEYS.secret_key, headers, method, fields["host"], path, body) == _signature_of(headers)
        seen.append((path, sound, "authorization" in fields and "Bearer" not in fields["authorization"]))
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        writer.write(head % len(ANSWER) + ANSWER)
        await writer.drain()

    async def ask(url: str) -> Response:
        section = ProviderConfig(type="bedrock", base_url=url)
        deployed = build.deployments(Config(providers={"bedrock": section}), {"AWS_ACCESS_KEY_ID": "a"})
        signer = aws.SigV4("eu-west-1", lambda: Credentials(*KEYS))
        signed = msgspec.structs.replace(deployed["bedrock"], signer=signer)
        gateway = build.gateway({"bedrock": signed}, HttpxTransport())
        body = b'{"model":"bedrock/us.amazon.nova-lite-v1:0","messages":[{"role":"user","content":"Hi."}]}'
        response = await gateway.send(Request(method="POST", path="/v1/chat/completions", body=body))
        await response.read()
        await gateway.aclose()
        return response

    seen: list[tuple[str, bool, bool]] = []
    with RawServer(verify) as server:
        response = asyncio.run(ask(server.url))

    assert response.status == 200
    assert seen == [("/model/us.amazon.nova-lite-v1%3A0/converse", True, True)]


def test_credentials_are_found_once_off_the_event_loop_and_renewed_by_themselves() -> None:
    threads: list[int] = []
    frozen = iter((ReadOnlyCredentials("AKID1", "s1", "t1"), ReadOnlyCredentials("AKID2", "s2", "t2")))

    class Renewing:
        def get_frozen_credentials(self) -> ReadOnlyCredentials:
            threads.append(threading.get_ident())
            return next(frozen)

    found: list[int] = []

    def find() -> Renewing:
        found.append(threading.get_ident())
        return Renewing()

    async def twice() -> tuple[Request, Request]:
        signer = aws.SigV4("eu-west-1", find)
        return await signer.sign(_request()), await signer.sign(_request())

    first, second = asyncio.run(twice())

    assert len(found) == 1
    assert threading.get_ident() not in {*found, *threads}
    assert "AKID1/" in first.headers.get("authorization", "")
    assert "AKID2/" in second.headers.get("authorization", "")
    assert second.headers.get("x-amz-security-token") == "t2"


def test_a_streamed_body_is_read_before_it_is_signed() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"{"
        yield b"}"

    request = _request()
    request.body = pieces()

    signed = _sign(request, aws.SigV4("eu-west-1", lambda: Credentials(*KEYS)))

    assert signed.body == b"{}"


def test_no_credentials_is_one_clear_sentence() -> None:
    with pytest.raises(NoDeploymentError, match="no AWS credentials were found"):
        _sign(_request(), aws.SigV4("eu-west-1", lambda: None))


def test_a_missing_extra_is_one_clear_sentence_with_the_line_to_install_it() -> None:
    code = """
import asyncio, sys
sys.modules["botocore"] = None
from setu.credentials import aws
from setu.http import Request
try:
    asyncio.run(aws.SigV4("eu-west-1").sign(Request(method="POST", path="/", origin="https://h")))
except Exception as error:
    print(type(error).__name__, error)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert said.startswith("NoDeploymentError")
    assert "pip install 'setu-llm[bedrock]'" in said
    assert said.count("\n") == 1


def _bedrock(environ: dict[str, str], **section: Any) -> Any:
    return build.deployments(Config(providers={"bedrock": ProviderConfig(**section)}), environ)["bedrock"]


def test_a_bedrock_key_is_a_bearer_token_and_nothing_is_signed(tmp_path) -> None:
    deployment = _bedrock({"AWS_BEARER_TOKEN_BEDROCK": "b", "AWS_ACCESS_KEY_ID": "a", "AWS_REGION": "eu-west-1"})

    assert (deployment.key, deployment.scheme, deployment.signer) == ("b", "bearer", None)
    assert deployment.base_url == "https://bedrock-runtime.eu-west-1.amazonaws.com"


def test_without_a_key_aws_credentials_sign(tmp_path) -> None:
    deployment = _bedrock({"AWS_ACCESS_KEY_ID": "a", "HOME": str(tmp_path)}, variables={"region": "ap-south-1"})

    assert isinstance(deployment.signer, aws.SigV4)
    assert deployment.signer._region == "ap-south-1"
    assert deployment.callable


def test_offline_nothing_is_signed() -> None:
    config = Config(providers={"bedrock": ProviderConfig()})

    deployment = build.deployments(config, {"AWS_ACCESS_KEY_ID": "a"}, offline_key="k")["bedrock"]

    assert (deployment.key, deployment.signer) == ("k", None)


@pytest.mark.parametrize("name", ["AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ACCESS_KEY_ID"])
def test_what_points_to_credentials_is_seen_without_reading_them(name, tmp_path) -> None:
    assert aws.likely({name: "x", "HOME": str(tmp_path)})


def test_the_region_is_the_configured_one_then_the_environment_s() -> None:
    assert aws.region_of({"region": "a"}, {"AWS_REGION": "b"}) == "a"
    assert aws.region_of({}, {"AWS_DEFAULT_REGION": "c"}) == "c"
    assert aws.region_of({}, {}) == "us-east-1"
