"""Anthropic's Messages API (docs.anthropic.com/en/api/messages), as client and as upstream."""

from setu.dialects.anthropic import errors
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
    client={"chat": ClientCodec(parse_request=parse_request, render_response=render_response, encoder=Encoder)},
    upstream={
        "chat": UpstreamCodec(render_request=render_request, parse_response=parse_response, decoder=Decoder, path=path)
    },
    errors=ErrorCodec(parse=errors.parse, render=errors.render, frame=errors.frame),
    params=WIRE,
    volatile=("/metadata/user_id",),
    request_id="request-id",
)
