"""The request that goes on to an upstream: its place and its header fields."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from setu.dialects.record import Framing, UpstreamCodec
from setu.http import Headers, Request, end_to_end
from setu.providers.deployment import Deployment, url
from setu.providers.signing import CREDENTIALS, sign

_OURS = ("x-setu-provider", "x-provider", "x-setu-cassette")
_FRAMING = ("host", "content-length", "accept-encoding", "expect")
_KEPT_ACROSS = ("user-agent", "x-request-id", "x-client-request-id")
_OWN_QUERY = frozenset({"key", "provider", "alt"})


def upstream_request(
    client: Request,
    body: bytes,
    deployment: Deployment,
    codec: UpstreamCodec[Any, Any],
    model: str,
    *,
    stream: bool,
    same: bool,
    framing: Framing | None = None,
) -> Request:
    """Build the upstream request; `same` when both sides speak one dialect, `framing` as the client's path says.

    Then every end-to-end field of the client's goes on, but its credentials; else only what any dialect has.
    """
    path, query = codec.path(model, stream)
    origin, path = url(deployment, path)
    headers = _same_dialect(client.headers) if same else _other_dialect(client.headers)
    for name, value in deployment.provider.headers.items():
        if name not in headers:
            headers.set(name, value)
    headers.set("content-type", "application/json")
    # Readable recordings and unbuffered streams: ask for plain bytes.
    headers.set("accept-encoding", "identity")
    sign(headers, deployment.scheme, deployment.key)
    if same:
        # A Gemini client that reads an array reads its upstream's; SSE is asked for by the path's own query.
        query = _joined(client.query, "" if framing == "jsonarray" else query)
    return Request(method="POST", origin=origin, path=path, query=query, headers=headers, body=body)


def _same_dialect(headers: Headers) -> Headers:
    kept = end_to_end(headers)
    kept.remove(*CREDENTIALS, *_OURS, *_FRAMING)
    return kept


def _other_dialect(headers: Headers) -> Headers:
    return Headers.of([(name, value) for name in _KEPT_ACROSS if (value := headers.get(name)) is not None])


def _joined(client: str, own: str) -> str:
    """Keep the client's query but for keys and what the path's own query decides."""
    kept = [(name, value) for name, value in parse_qsl(client, keep_blank_values=True) if name not in _OWN_QUERY]
    text = urlencode(kept)
    return "&".join(piece for piece in (own, text) if piece)
