"""OpenAI's Responses API (platform.openai.com/docs/api-reference/responses), as client and as upstream."""

from setu.dialects.openai_errors import parse_error, render_error
from setu.dialects.openai_responses.answer import render_response
from setu.dialects.openai_responses.decoder import ResponsesDecoder
from setu.dialects.openai_responses.encoder import ResponsesEncoder
from setu.dialects.openai_responses.errors import frame_after, frame_error
from setu.dialects.openai_responses.options import PARAMS
from setu.dialects.openai_responses.request import parse_request, render_request
from setu.dialects.openai_responses.response import parse_response
from setu.dialects.openai_responses.words import NAME
from setu.dialects.record import ClientCodec, Dialect, ErrorCodec, UpstreamCodec


def path(_model: str, _stream: bool) -> tuple[str, str]:
    """Return the endpoint below a host's `/v1`-style base; model and stream are in the body."""
    return "/responses", ""


DIALECT = Dialect(
    name=NAME,
    framings=("sse", "json"),
    client={
        "chat": ClientCodec(parse_request=parse_request, render_response=render_response, encoder=ResponsesEncoder),
    },
    upstream={
        "chat": UpstreamCodec(
            render_request=render_request, parse_response=parse_response, decoder=ResponsesDecoder, path=path
        ),
    },
    errors=ErrorCodec(parse=parse_error, render=render_error, frame=frame_error, after=frame_after),
    params={param.field: f"/{param.wire}" for param in PARAMS}
    | {
        "system": "/instructions",
        "tools": "/tools",
        "tool_choice": "/tool_choice",
        "parallel": "/parallel_tool_calls",
        "output": "/text/format",
        "thinking": "/reasoning",
        "thinking/show": "/reasoning/summary",
        "thinking/effort": "/reasoning/effort",
        "verbosity": "/text/verbosity",
        "logprobs": "/include",
        "state": "/store",
    },
    volatile=("/user", "/metadata", "/safety_identifier", "/prompt_cache_key", "/prompt_cache_retention", "/store"),
    tool_names=r"[a-zA-Z0-9_-]{1,64}",
)
