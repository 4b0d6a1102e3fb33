"""The request that goes on to an upstream: its place and its header fields."""

from urllib.parse import parse_qsl, urlencode

from setu.access.said import METADATA
from setu.dialects.record import Framing
from setu.http import Headers, Request, end_to_end
from setu.providers.deployment import Deployment, Endpoint
from setu.providers.signing import CREDENTIALS, sign

_OURS = "x-setu-"
_FRAMING = ("host", "content-length", "accept-encoding", "expect")
_KEPT_ACROSS = ("user-agent", "x-request-id", "x-client-request-id")
_OWN_QUERY = frozenset({"key", "provider", "model", "alt"})


def upstream_request(
    client: Request,
    body: bytes,
    deployment: Deployment,
    place: Endpoint,
    *,
    same: bool,
    framing: Framing | None = None,
) -> Request:
    """Build the upstream request; `same` when both sides speak one dialect, `framing` as the client's path says.

    Then every end-to-end field of the client's goes on, but its credentials; else only what any dialect has.
    """
    query = place.query
    headers = end_to_end_headers(client.headers) if same else _other_dialect(client.headers)
    headers.set("content-type", "application/json")
    signed(headers, deployment)
    if same:
        # A Gemini client that reads an array reads its upstream's; SSE is asked for by the path's own query.
        query = _joined(client.query, "" if framing == "jsonarray" else query)
    return Request(method="POST", origin=place.origin, path=place.path, query=query, headers=headers, body=body)


def signed(headers: Headers, deployment: Deployment) -> Headers:
    """Add what every request to a provider carries, its credential last; return the same headers."""
    for name, value in deployment.provider.headers.items():
        if name not in headers:
            headers.set(name, value)
    # Readable recordings and unbuffered streams: ask for plain bytes.
    headers.set("accept-encoding", "identity")
    _filter_betas(headers, deployment.provider.betas)
    sign(headers, deployment.scheme, deployment.key)
    return headers


def _filter_betas(headers: Headers, known: frozenset[str] | None) -> None:
    """Keep only the `anthropic-beta` flags that the host knows: any other is a 400 there (B-HDR-01)."""
    if known is None:
        return
    given = (flag.strip() for value in headers.getall("anthropic-beta") for flag in value.split(","))
    kept = [flag for flag in given if flag in known]
    headers.remove("anthropic-beta")
    if kept:
        headers.set("anthropic-beta", ",".join(kept))


def end_to_end_headers(headers: Headers) -> Headers:
    """Return a client's fields that may travel on: neither credentials nor fields for the gateway."""
    kept = end_to_end(headers)
    ours = {name for name, _ in kept.items() if name.startswith(_OURS)}
    kept.remove(*CREDENTIALS, *ours, *METADATA, "x-provider", *_FRAMING)
    return kept


def _other_dialect(headers: Headers) -> Headers:
    return Headers.of([(name, value) for name in _KEPT_ACROSS if (value := headers.get(name)) is not None])


def _joined(client: str, own: str) -> str:
    """Keep the client's query but for keys and what the path's own query decides."""
    kept = [(name, value) for name, value in parse_qsl(client, keep_blank_values=True) if name not in _OWN_QUERY]
    text = urlencode(kept)
    return "&".join(piece for piece in (own, text) if piece)
