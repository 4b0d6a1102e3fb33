"""Google's Gemini API (`generateContent`, `streamGenerateContent`) as a dialect.

Source: ai.google.dev/api/generate-content, v1beta, read 2026-11-20.
"""

from urllib.parse import quote

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
    },
    upstream={
        "chat": UpstreamCodec(render_request=render_request, parse_response=parse_response, decoder=Decoder, path=path),
    },
    errors=ErrorCodec(parse=parse_error, render=render_error, frame=error_frame),
    params=POINTERS,
    volatile=("/labels",),
    request_id="x-request-id",
    inline_media=True,
    seals_calls=True,
)
