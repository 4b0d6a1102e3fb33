"""Ollama's chat as a dialect. Nobody's client speaks it to Setu: upstream only.

Source: docs.ollama.com/api/chat, read 2026-11-20.
"""

from setu.dialects.ollama import embed
from setu.dialects.ollama.decoder import Decoder
from setu.dialects.ollama.errors import error_frame, parse_error, render_error
from setu.dialects.ollama.options import BESIDE, PARAMS
from setu.dialects.ollama.request import render_request
from setu.dialects.ollama.response import parse_response
from setu.dialects.ollama.words import NAME
from setu.dialects.record import Dialect, ErrorCodec, UpstreamCodec


def path(_model: str, _stream: bool) -> tuple[str, str]:
    """Return the endpoint; model and stream are in the body."""
    return "/api/chat", ""


DIALECT = Dialect(
    name=NAME,
    framings=("ndjson", "json"),
    client={},
    upstream={
        "chat": UpstreamCodec(render_request=render_request, parse_response=parse_response, decoder=Decoder, path=path),
        "embed": UpstreamCodec(
            render_request=embed.render_request, parse_response=embed.parse_response, path=embed.path
        ),
    },
    errors=ErrorCodec(parse=parse_error, render=render_error, frame=error_frame),
    params={param.field: f"/options/{param.wire}" for param in PARAMS}
    | {param.field: f"/{param.wire}" for param in BESIDE}
    | {"tools": "/tools", "output": "/format", "thinking": "/think"},
    volatile=("/keep_alive",),
)
