"""Cohere's chat (API v2) as a dialect. Nobody's client speaks it to Setu: upstream only.

Source: docs.cohere.com/reference/chat and /reference/chat-stream, read 2026-11-20.
"""

from setu.dialects.cohere import embed
from setu.dialects.cohere.decoder import Decoder
from setu.dialects.cohere.errors import error_frame, parse_error, render_error
from setu.dialects.cohere.options import PARAMS
from setu.dialects.cohere.request import render_request
from setu.dialects.cohere.response import parse_response
from setu.dialects.cohere.words import NAME
from setu.dialects.record import Dialect, ErrorCodec, UpstreamCodec


def path(_model: str, _stream: bool) -> tuple[str, str]:
    """Return the endpoint; model and stream are in the body."""
    return "/v2/chat", ""


DIALECT = Dialect(
    name=NAME,
    framings=("sse", "ndjson", "json"),
    client={},
    upstream={
        "chat": UpstreamCodec(render_request=render_request, parse_response=parse_response, decoder=Decoder, path=path),
        "embed": UpstreamCodec(
            render_request=embed.render_request, parse_response=embed.parse_response, path=embed.path
        ),
    },
    errors=ErrorCodec(parse=parse_error, render=render_error, frame=error_frame),
    params={param.field: f"/{param.wire}" for param in PARAMS}
    | {
        "tools": "/tools",
        "tool_choice": "/tool_choice",
        "output": "/response_format",
        "thinking": "/thinking",
    },
    volatile=("/priority",),
    request_id="x-debug-trace-id",
)
