"""OpenAI's chat completions, as OpenAI and every compatible host speak them."""

from setu.dialects.openai_chat import complete, embed
from setu.dialects.openai_chat.answer import render_response
from setu.dialects.openai_chat.decoder import ChatDecoder
from setu.dialects.openai_chat.encoder import ChatEncoder
from setu.dialects.openai_chat.errors import frame_error
from setu.dialects.openai_chat.options import PARAMS
from setu.dialects.openai_chat.request import parse_request, render_request
from setu.dialects.openai_chat.response import parse_response
from setu.dialects.openai_chat.words import NAME
from setu.dialects.openai_errors import parse_error, render_error
from setu.dialects.record import ClientCodec, Dialect, ErrorCodec, UpstreamCodec


def path(_model: str, _stream: bool) -> tuple[str, str]:
    """Return the endpoint below a host's `/v1`-style base; model and stream are in the body."""
    return "/chat/completions", ""


DIALECT = Dialect(
    name=NAME,
    framings=("sse", "json"),
    client={
        "chat": ClientCodec(parse_request=parse_request, render_response=render_response, encoder=ChatEncoder),
        "complete": ClientCodec(
            parse_request=complete.parse_request,
            render_response=complete.render_response,
            encoder=complete.CompletionEncoder,
        ),
        "embed": ClientCodec(
            parse_request=embed.parse_request,
            render_response=embed.render_response,
            tidy=embed.tidy,
            settle=embed.settle,
        ),
    },
    upstream={
        "chat": UpstreamCodec(
            render_request=render_request, parse_response=parse_response, decoder=ChatDecoder, path=path
        ),
        "complete": UpstreamCodec(
            render_request=complete.render_request,
            parse_response=complete.parse_response,
            decoder=complete.CompletionDecoder,
            path=complete.path,
        ),
        "embed": UpstreamCodec(
            render_request=embed.render_request, parse_response=embed.parse_response, path=embed.path
        ),
    },
    errors=ErrorCodec(parse=parse_error, render=render_error, frame=frame_error),
    params={param.field: f"/{param.wire}" for param in PARAMS}
    | {
        "tools": "/tools",
        "tool_choice": "/tool_choice",
        "parallel": "/parallel_tool_calls",
        "output": "/response_format",
        "thinking": "/reasoning_effort",
        "state": "/store",
        "stream_usage": "/stream_options/include_usage",
    },
    volatile=("/user", "/metadata", "/safety_identifier", "/prompt_cache_key", "/prompt_cache_retention", "/store"),
    tool_names=r"[a-zA-Z0-9_-]{1,64}",
)
