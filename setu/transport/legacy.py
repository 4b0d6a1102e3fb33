"""The key `mock` of predecessor 003: a provider whose key it is is never asked, and answers the same words for ever.

Under its profile such a provider is at an origin of its own (`setu.config.profiles.SIMULATED`), which is answered here.

Texts, token counts and the 50 ms between words are those of that gateway; see docs/reference/predecessors.md.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from setu import _json
from setu.cassette.script import Bytes, End, Head, Script, Wait
from setu.http import Headers, Request, Response
from setu.ports import Clock, Transport
from setu.transport.play import play
from setu.transport.simulate.simulator import Simulator

_NAMELESS = "mock"
WORD_SECONDS = 0.05
_STREAM, _JSON = "text/event-stream", "application/json"


class MockKeys:
    """A Transport that answers what goes to `origin` itself, and passes everything else on.

    Chat completions and messages get 003's words, any other endpoint the simulator's.
    """

    def __init__(self, inner: Transport, origin: str, clock: Clock) -> None:
        self._inner = inner
        self._origin = origin
        self._clock = clock
        self._simulator = Simulator(clock)

    async def send(self, request: Request) -> Response:
        if request.origin != self._origin:
            return await self._inner.send(request)
        asked = _asked(await request.read())
        answer = next((made for end, made in _ANSWERS.items() if request.path.endswith(end)), None)
        if answer is None or asked is None:
            return await self._simulator.send(request)
        return await play(answer(asked, int(self._clock.now())), self._clock)

    async def aclose(self) -> None:
        await self._simulator.aclose()
        await self._inner.aclose()


def _asked(body: bytes) -> dict[str, Any] | None:
    """Return a request with messages; None for what the simulator may refuse."""
    try:
        asked = _json.decode(body)
    except _json.JsonError:
        return None
    messages = asked.get("messages") if isinstance(asked, dict) else None
    proper = isinstance(messages, list) and messages and all(isinstance(one, dict) for one in messages)
    return asked if proper else None


def _last_content(asked: Mapping[str, Any]) -> str:
    content = asked["messages"][-1].get("content")
    if not isinstance(content, list):
        return str(content or "")
    return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))


def _words(text: str) -> Iterator[str]:
    """Yield the words of a text, each with the space before it: together they are the text."""
    head, *rest = text.split(" ")
    yield head
    for word in rest:
        yield f" {word}"


def _openai(asked: Mapping[str, Any], created: int) -> Script:
    text = f"OpenAI Mock: {_last_content(asked)}"
    usage = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}
    common = {"id": "chatcmpl-mock", "created": created, "model": asked.get("model") or _NAMELESS}

    def choice(**members: Any) -> dict[str, Any]:
        return {"index": 0, **members, "logprobs": None}

    if not asked.get("stream"):
        message = choice(message={"role": "assistant", "content": text, "refusal": None}, finish_reason="stop")
        return _whole({**common, "object": "chat.completion", "choices": [message], "usage": usage})

    def chunk(delta: Mapping[str, Any], finish: str | None = None) -> bytes:
        body = {**common, "object": "chat.completion.chunk", "choices": [choice(delta=delta, finish_reason=finish)]}
        return _data(body)

    options = asked.get("stream_options")
    told = isinstance(options, dict) and options.get("include_usage")
    last = [_data({**common, "object": "chat.completion.chunk", "choices": [], "usage": usage})] if told else []
    return _streamed(
        [chunk({"role": "assistant", "content": ""})],
        [chunk({"content": word}) for word in _words(text)],
        [chunk({}, "stop"), *last, b"data: [DONE]\n\n"],
    )


def _anthropic(asked: Mapping[str, Any], _created: int) -> Script:
    text = f"Anthropic Mock: {_last_content(asked)}"
    message: dict[str, Any] = {
        "id": "msg_mock",
        "type": "message",
        "role": "assistant",
        "model": asked.get("model") or _NAMELESS,
        "stop_sequence": None,
    }
    if not asked.get("stream"):
        content = [{"type": "text", "text": text}]
        usage = {"input_tokens": 15, "output_tokens": 25}
        return _whole({**message, "content": content, "stop_reason": "end_turn", "usage": usage})
    begun = {**message, "content": [], "stop_reason": None, "usage": {"input_tokens": 15, "output_tokens": 1}}
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    return _streamed(
        [
            _event("message_start", message=begun),
            _event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        ],
        [_event("content_block_delta", index=0, delta={"type": "text_delta", "text": word}) for word in _words(text)],
        [
            _event("content_block_stop", index=0),
            _event("message_delta", delta=ended, usage={"output_tokens": 25}),
            _event("message_stop"),
        ],
    )


_ANSWERS = {"/chat/completions": _openai, "/messages": _anthropic}


def _whole(body: Mapping[str, Any]) -> Script:
    return (Head(200, Headers.of({"content-type": _JSON})), Bytes(_json.encode(body)), End())


def _streamed(before: list[bytes], words: list[bytes], after: list[bytes]) -> Script:
    paced = [step for word in words for step in (Wait(WORD_SECONDS), Bytes(word))]
    return (Head(200, Headers.of({"content-type": _STREAM})), *map(Bytes, before), *paced, *map(Bytes, after), End())


def _data(body: Mapping[str, Any]) -> bytes:
    return b"data: " + _json.encode(body) + b"\n\n"


def _event(kind: str, **members: Any) -> bytes:
    return f"event: {kind}\n".encode() + _data({"type": kind, **members})
