"""Amazon Bedrock's Converse API, and InvokeModel for embeddings; as upstream only.

docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and …_ConverseStream.html (2026-11).
"""

from urllib.parse import quote

from setu.dialects.bedrock import embed, errors
from setu.dialects.bedrock.decoder import Decoder
from setu.dialects.bedrock.options import WIRE
from setu.dialects.bedrock.request import render_request
from setu.dialects.bedrock.response import parse_response
from setu.dialects.bedrock.words import NAME
from setu.dialects.record import Dialect, ErrorCodec, UpstreamCodec


def path(model: str, stream: bool) -> tuple[str, str]:
    """Return path and query; a model id may hold colons and, as an ARN, slashes."""
    return f"/model/{quote(model, safe='')}/{'converse-stream' if stream else 'converse'}", ""


DIALECT = Dialect(
    name=NAME,
    framings=("eventstream", "json"),
    client={},
    upstream={
        "chat": UpstreamCodec(render_request=render_request, parse_response=parse_response, decoder=Decoder, path=path),
        "embed": UpstreamCodec(
            render_request=embed.render_request,
            parse_response=embed.parse_response,
            path=embed.path,
            counted=embed.counted,
        ),
    },
    errors=ErrorCodec(parse=errors.parse, render=errors.render, frame=errors.frame),
    params=WIRE,
    volatile=("/requestMetadata",),
    request_id="x-amzn-requestid",
    inline_media=True,
)
