"""Google's Gemini API (`generateContent`, `streamGenerateContent`) as a dialect.

Source: ai.google.dev/api/generate-content, v1beta, read 2026-11-20.
"""

from urllib.parse import quote

from setu.dialects.gemini import count, embed
from setu.dialects.gemini.decoder import Decoder
from setu.dialects.gemini.encoder import Encoder
from setu.dialects.gemini.errors import error_frame, parse_error, render_error
from setu.dialects.gemini.options import POINTERS
from setu.dialects.gemini.proto import NAME
from setu.dialects.gemini.request import parse_request, render_request
from setu.dialects.gemini.response import parse_response, render_response
from setu.dialects.record import ClientCodec, Dialect, ErrorCodec, UpstreamCodec


def path(model: str, stream: bool) -> tuple[str, str]:
    """Return path and query; a model may be named with its collection (`tunedModels/mine`)."""
    name = model if model.startswith(("models/", "tunedModels/")) else f"models/{model}"
    method = "streamGenerateContent" if stream else "generateContent"
    return f"/v1beta/{quote(name, safe='/')}:{method}", "alt=sse" if stream else ""


DIALECT = Dialect(
    name=NAME,
    framings=("sse", "jsonarray"),
    client={
        "chat": ClientCodec(parse_request=parse_request, render_response=render_response, encoder=Encoder),
        "embed": ClientCodec(parse_request=embed.parse_request, render_response=embed.render_response),
        "count_tokens": ClientCodec(parse_request=count.parse_request, render_response=count.render_response),
    },
    upstream={
        "chat": UpstreamCodec(render_request=render_request, parse_response=parse_response, decoder=Decoder, path=path),
        "embed": UpstreamCodec(
            render_request=embed.render_request,
            parse_response=embed.parse_response,
            path=embed.path,
            place=embed.place,
        ),
        "count_tokens": UpstreamCodec(
            render_request=count.render_request, parse_response=count.parse_response, path=count.path
        ),
    },
    errors=ErrorCodec(parse=parse_error, render=render_error, frame=error_frame),
    params={**POINTERS, **embed.POINTERS},
    volatile=("/labels",),
    request_id="x-request-id",
    inline_media=True,
    seals_calls=True,
    tool_names=r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}",
)
