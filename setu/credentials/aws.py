"""AWS Signature Version 4, with the credentials that botocore finds.

docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html (2026-11). botocore looks where every AWS tool looks
(environment, shared files, SSO, container and instance roles) and renews what expires. All of that blocks, on disk or
on the network, so it runs in a thread. It is an optional dependency, imported when the first request is signed.
"""

import asyncio
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from setu.errors import NoDeploymentError
from setu.http import Request

SERVICE = "bedrock"
MISSING = (
    "signing for AWS is not installed: pip install 'setu-llm[bedrock]', or set AWS_BEARER_TOKEN_BEDROCK to a Bedrock "
    "API key"
)

_TELLTALES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
_FILES = {"AWS_SHARED_CREDENTIALS_FILE": "credentials", "AWS_CONFIG_FILE": "config"}
_SIGNED = ("content-type",)
"""What is signed beside host and date; AWS asks for no more, and proxies may change the rest."""

Find = Callable[[], Any]
"""Returns botocore's credentials, or None when there are none. Blocks."""


def likely(environ: Mapping[str, str]) -> bool:
    """Tell whether AWS credentials may be had here: something points to them, or botocore can ask for the host's role.

    Reads no credential and asks nobody.
    """
    if any(environ.get(name) for name in _TELLTALES):
        return True
    home = Path(environ.get("HOME") or "~").expanduser() / ".aws"
    if any(Path(environ.get(name) or home / file).is_file() for name, file in _FILES.items()):
        return True
    return find_spec("botocore") is not None


def region_of(variables: Mapping[str, str], environ: Mapping[str, str]) -> str:
    """Return the region to sign for: the configured one, else the environment's, else the provider's default."""
    return variables.get("region") or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"


class SigV4:
    """Signs requests for one region; the exact bytes that will be sent."""

    def __init__(self, region: str, find: Find | None = None) -> None:
        self._region = region
        self._find = find or _default_find
        self._credentials: Any = None
        self._lock = asyncio.Lock()

    async def sign(self, request: Request) -> Request:
        """Return the request with its signature.

        Raises:
            NoDeploymentError: botocore is not installed, or there are no credentials.
        """
        await request.read()
        async with self._lock:  # one look-up or renewal at a time
            frozen = await asyncio.to_thread(self._frozen)
        fields = await asyncio.to_thread(signature, request, frozen, self._region)
        signed = request.headers.copy()
        for name, value in fields.items():
            signed.set(name, value)
        return Request(
            method=request.method,
            path=request.path,
            origin=request.origin,
            query=request.query,
            headers=signed,
            body=request.body,
        )

    def _frozen(self) -> Any:
        """Return the keys of this moment, renewed when they are about to expire. Blocks."""
        if self._credentials is None:
            self._credentials = self._find()
        if self._credentials is None:
            raise NoDeploymentError("no AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        return self._credentials.get_frozen_credentials()


def _default_find() -> Any:
    try:
        from botocore.session import Session
    except ImportError:
        raise NoDeploymentError(MISSING) from None
    return Session().get_credentials()


def signature(request: Request, credentials: Any, region: str) -> dict[str, str]:
    """Return the fields that sign a request: authorization, date, and the token of temporary credentials.

    Raises:
        NoDeploymentError: botocore is not installed.
    """
    try:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
    except ImportError:
        raise NoDeploymentError(MISSING) from None
    named = {name: value for name in _SIGNED if (value := request.headers.get(name)) is not None}
    signed = AWSRequest(method=request.method, url=request.url, data=request.body, headers=named)
    SigV4Auth(credentials, SERVICE, region).add_auth(signed)
    return {name.lower(): value for name, value in signed.headers.items() if name.lower() not in _SIGNED}
