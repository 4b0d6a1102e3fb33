"""What counts as required in an answer is what the official SDKs require."""

from typing import Any

from anthropic import types as anthropic
from openai.types import chat as openai
from openai.types.responses import Response

from setu.cassette.drift import REQUIRED


def test_the_official_sdks_require_what_the_table_says() -> None:
    events = {
        "message_start": anthropic.RawMessageStartEvent,
        "message_delta": anthropic.RawMessageDeltaEvent,
        "content_block_start": anthropic.RawContentBlockStartEvent,
        "content_block_delta": anthropic.RawContentBlockDeltaEvent,
    }
    models: dict[tuple[str, str], Any] = {
        ("openai_chat", ""): openai.ChatCompletion,
        ("openai_chat", "data"): openai.ChatCompletionChunk,
        ("openai_responses", ""): Response,
        ("anthropic", ""): anthropic.Message,
        **{("anthropic", kind): model for kind, model in events.items()},
    }
    for dialect, pointers in REQUIRED.items():
        for pointer in pointers:
            kind, _, name = pointer.rpartition("/")
            fields = models[dialect, kind.rstrip(":")].model_fields

            assert fields[name].is_required(), (dialect, pointer)
