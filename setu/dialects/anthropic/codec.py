"""Anthropic's Messages API (docs.anthropic.com/en/api/messages), as client and as upstream."""

from setu.dialects.anthropic import count, errors
from setu.dialects.anthropic.decoder import Decoder
from setu.dialects.anthropic.encoder import Encoder
from setu.dialects.anthropic.options import WIRE
from setu.dialects.anthropic.request import parse_request, render_request
from setu.dialects.anthropic.response import parse_response, render_response
from setu.dialects.anthropic.words import NAME
from setu.dialects.record import ClientCodec, Dialect, ErrorCodec, UpstreamCodec


def path(_model: str, _stream: bool) -> tuple[str, str]:
    """Return path and query; model and stream are in the body."""
    return "/v1/messages", ""


DIALECT = Dialect(
    name=NAME,
    framings=("sse", "json"),
    client={
        "chat": ClientCodec(parse_request=parse_request, render_response=render_response, encoder=Encoder),
        "count_tokens": ClientCodec(parse_request=count.parse_request, render_response=count.render_response),
    },
    upstream={
        "chat": UpstreamCodec(render_request=render_request, parse_response=parse_response, decoder=Decoder, path=path),
        "count_tokens": UpstreamCodec(
            render_request=count.render_request, parse_response=count.parse_response, path=count.path
        ),
    },
    errors=ErrorCodec(parse=errors.parse, render=errors.render, frame=errors.frame),
    params=WIRE,
    volatile=("/metadata/user_id",),
    request_id="request-id",
    tool_names=r"[a-zA-Z0-9_-]{1,64}",
)
