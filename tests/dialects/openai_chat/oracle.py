"""What OpenAI's own SDK thinks of a chat request: its types, closed."""

import json
from functools import cache

from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)

from tests.dialects.closed import Closed


@cache
def _requests(stream: bool) -> Closed:
    return Closed(CompletionCreateParamsStreaming if stream else CompletionCreateParamsNonStreaming)


def request_problems(body: bytes) -> list[str]:
    """Return what is wrong with a request, nothing if the SDK could have sent it."""
    return _requests(bool(json.loads(body).get("stream"))).problems(body)
