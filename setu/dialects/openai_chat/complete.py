"""Legacy completions, both ways: chat with one user turn, in other words.

Source: platform.openai.com/docs/api-reference/completions, read 2026-11-20. The documented cap of 16 tokens where the
client names none is each host's own affair: a model that thinks would spend it before the first word.
"""

from typing import Any

import msgspec
from msgspec import UNSET

from setu import _json
from setu._json import Json, kind_of
from setu.chat.events import Event
from setu.chat.ids import Mint
from setu.chat.parts import Text
from setu.chat.request import ChatRequest, Message, Options
from setu.chat.response import ChatResponse
from setu.dialects.extras import dump
from setu.dialects.openai_chat.answer import render_response as render_chat
from setu.dialects.openai_chat.decoder import ChatDecoder
from setu.dialects.openai_chat.encoder import ChatEncoder
from setu.dialects.openai_chat.extras import give_back
from setu.dialects.openai_chat.options import PARAMS, TOP_K
from setu.dialects.openai_chat.response import parse_response as parse_chat
from setu.dialects.openai_chat.words import NAME
from setu.dialects.params import Param, read_options, write_options
from setu.dialects.reader import Obj
from setu.dialects.record import Loss, Rendered, Reply, Route, Target, pointer
from setu.errors import LocalDialectError, RemoteDialectError
from setu.framing.frame import Frame

_SHARED = ("temperature", "top_p", "stop", "seed", "n", "frequency_penalty", "presence_penalty", "logit_bias", "user")
_CAP = Param(field="max_tokens", wire="max_tokens", kind="integer", low=0)
_RANKED = Param(field="top_logprobs", wire="logprobs", kind="integer", low=0, high=20)
_PARAMS = (_CAP, _RANKED, TOP_K, *(param for param in PARAMS if param.field in _SHARED))
_NOTHINGS = {
    "logit_bias": frozenset({b"{}"}),
    "suffix": frozenset({b'""'}),
    "echo": frozenset({b"false"}),
    "stop": frozenset({b"[]", b'""'}),
}
"""Values that ask for nothing, by member."""


def path(_model: str, _stream: bool) -> tuple[str, str]:
    """Return the endpoint; model and stream are in the body."""
    return "/completions", ""


def parse_request(body: bytes, route: Route) -> ChatRequest:
    """Read a request strictly, as far as a chat model can answer it: one prompt in words, nothing around it.

    Raises:
        LocalDialectError: a wrong type, several prompts, tokens, `suffix`, `echo`, or `best_of` above 1.
    """
    obj = Obj(body)
    model = obj.text("model") or route.model  # Azure names the model in the path
    if not model:
        raise obj.missing("model")
    _drop_nothings(obj)
    prompt = _prompt(obj)
    _need_nothing_around(obj)
    wanted = obj.obj("stream_options")
    usage = wanted.flag("include_usage") if wanted is not None else None
    stream = obj.flag("stream") or False
    values = read_options(obj, _PARAMS)
    if isinstance(values.get("top_logprobs"), int):
        values["logprobs"] = True
    return ChatRequest(
        model=model,
        messages=(Message(role="user", parts=(Text(text=prompt),)),),
        options=Options(**values, stream_usage=UNSET if usage is None else usage),
        stream=stream,
        extra=obj.extra(NAME),
    )


def _prompt(obj: Obj) -> str:
    raw = obj.raw("prompt")
    if raw is None:
        raise obj.missing("prompt")
    if kind_of(raw) == "array":
        prompts = _json.items(raw, trusted=True)
        if not prompts or kind_of(prompts[0]) in {"number", "array"}:
            raise obj.error("'prompt' must be text: only its own tokenizer reads tokens", param="prompt")
        if len(prompts) > 1:
            raise obj.error("'prompt' must be one prompt: a chat model answers one at a time", param="prompt")
        raw = prompts[0]
    if kind_of(raw) != "string":
        raise obj.wrong("prompt", "a string, or an array of one")
    try:
        return str(_json.decode(raw))
    except _json.JsonError as error:
        raise obj.error(f"'prompt' is not valid JSON: {error}", param="prompt") from None


def _drop_nothings(obj: Obj) -> None:
    """Forget members that ask for nothing: SDKs of those days sent a null or an empty value for each default."""
    for name, raw in list(obj.members.items()):
        if raw == b"null" or raw in _NOTHINGS.get(name, ()):
            del obj.members[name]


def _need_nothing_around(obj: Obj) -> None:
    """Refuse what would change the text and what a chat model has no way to do."""
    for name in ("suffix", "echo"):
        if obj.has(name):
            raise obj.error(f"'{name}' needs a completion model; a chat model cannot do it", param=name)
    best = obj.integer("best_of")
    if best is not None and best > 1:
        raise obj.error("'best_of' above 1 needs a completion model; ask for 'n' answers instead", param="best_of")


def render_request(request: ChatRequest, target: Target) -> Rendered:
    """Write a request whose only message is the prompt.

    Raises:
        LocalDialectError: the conversation is more than one text.
    """
    parts = [part for message in request.messages for part in message.parts]
    if len(parts) != 1 or not isinstance(parts[0], Text) or request.system or request.tools:
        raise LocalDialectError("'messages' must hold one text: that is all a completion model reads", param="messages")
    options = msgspec.structs.replace(request.options, logprobs=UNSET, stream_usage=UNSET)
    members, losses = write_options(options, _PARAMS)
    body: dict[str, Any] = {"model": target.model, "prompt": parts[0].text, **members}
    if request.stream:
        body["stream"] = True
        if isinstance(request.options.stream_usage, bool):
            body["stream_options"] = {"include_usage": request.options.stream_usage}
    give_back(body, request.extra, (), losses)
    return Rendered(body=_json.encode(body), losses=tuple(losses))


def parse_response(body: bytes, mint: Mint) -> ChatResponse:
    """Read an answer.

    Raises:
        ProviderError: the body holds an error instead.
        RemoteDialectError: there is no answer in it.
    """
    try:
        return parse_chat(_as_chat(body.strip(), "message"), mint)
    except _json.JsonError as error:
        raise RemoteDialectError(f"the upstream's answer is not valid JSON: {error}") from None


def _as_chat(body: bytes, envelope: str) -> bytes:
    """Put each choice's `text` into the envelope where chat has it (`message`, `delta`)."""
    document = _json.decode(body)
    choices = document.get("choices") if isinstance(document, dict) else None
    if not isinstance(choices, list):
        return body
    for choice in choices:
        if not isinstance(choice, dict):
            continue
        text = choice.pop("text", None)
        # Together says every word twice: as text, and as a chat delta (openllmetry-js-252d6d0a4c).
        if isinstance(text, str):
            choice[envelope] = {"content": text}
        choice["logprobs"] = _chat_logprobs(choice.get("logprobs"))
    return dump(document)


def _chat_logprobs(legacy: Any) -> Any:
    """Turn the parallel lists of legacy log probabilities into chat's entries."""
    if not isinstance(legacy, dict) or not isinstance(legacy.get("tokens"), list):
        return None
    tokens, scores, ranked = (legacy.get(name) or [] for name in ("tokens", "token_logprobs", "top_logprobs"))
    return {
        "content": [
            {
                "token": token,
                "logprob": _at(scores, index, 0.0),
                "bytes": None,
                "top_logprobs": [
                    {"token": name, "logprob": score, "bytes": None}
                    for name, score in (_at(ranked, index, None) or {}).items()
                ],
            }
            for index, token in enumerate(tokens)
        ]
    }


def _at(items: Any, index: int, missing: Any) -> Any:
    found = items[index] if isinstance(items, list) and index < len(items) else None
    return missing if found is None else found


class CompletionDecoder:
    """Frames of a completion stream to events, by way of the chat frames they amount to."""

    def __init__(self, mint: Mint) -> None:
        self._chat = ChatDecoder(mint)

    def feed(self, frame: Frame) -> list[Event]:
        if frame.data is None or b'"text"' not in frame.data:
            return self._chat.feed(frame)
        try:
            data = _as_chat(frame.data, "delta")
        except _json.JsonError:
            data = frame.data  # the chat decoder says what is wrong with it
        return self._chat.feed(msgspec.structs.replace(frame, data=data))

    def close(self) -> list[Event]:
        return self._chat.close()


def render_response(response: ChatResponse, reply: Reply) -> Rendered:
    """Write a `text_completion`; calls and thinking, which it has no place for, are losses."""
    rendered = render_chat(response, reply)
    losses = list(rendered.losses)
    document = _json.decode(rendered.body)
    document["object"] = "text_completion"
    writers = {choice["index"]: _Writer(losses) for choice in document["choices"]}
    document["choices"] = [writers[choice["index"]].choice(choice, choice["message"]) for choice in document["choices"]]
    return Rendered(body=dump(document), losses=tuple(losses))


class _Writer:
    """Writes the choices of one index; log probabilities say where in the whole text their token starts."""

    def __init__(self, losses: list[Loss]) -> None:
        self._losses = losses
        self._offset = 0

    def choice(self, choice: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
        index, word = choice["index"], choice["finish_reason"]
        for name in said.keys() - {"role", "content", "refusal", "annotations"}:
            self._lose(index, name)
        text = (said.get("content") or "") + (said.get("refusal") or "")
        return {
            "text": text,
            "index": index,
            "logprobs": self._logprobs(choice.get("logprobs")),
            "finish_reason": "stop" if word in {"tool_calls", "function_call"} else word,
        }

    def _lose(self, index: int, name: str) -> None:
        where = pointer("choices", index, name)
        if all(loss.pointer != where for loss in self._losses):
            self._losses.append(Loss(phase="response", pointer=where, reason="a completion is text alone"))

    def _logprobs(self, chat: Any) -> Any:
        entries = (chat or {}).get("content")
        if not entries:
            return None
        offsets: list[int] = []
        for entry in entries:
            offsets.append(self._offset)
            self._offset += len(entry["token"])
        return {
            "tokens": [entry["token"] for entry in entries],
            "token_logprobs": [entry["logprob"] for entry in entries],
            "top_logprobs": [{top["token"]: top["logprob"] for top in entry["top_logprobs"]} for entry in entries],
            "text_offset": offsets,
        }


class CompletionEncoder:
    """Events to completion frames, by way of the chat frames they amount to; `[DONE]` and errors are chat's own."""

    def __init__(self, reply: Reply) -> None:
        self._chat = ChatEncoder(reply)
        self._choices: dict[int, _Writer] = {}

    @property
    def losses(self) -> list[Loss]:
        return self._chat.losses

    @losses.setter
    def losses(self, value: list[Loss]) -> None:
        self._chat.losses = value

    def feed(self, event: Event) -> list[Frame]:
        """Return the frames of one event."""
        written = (self._written(frame) for frame in self._chat.feed(event))
        return [frame for frame in written if frame is not None]

    def _written(self, frame: Frame) -> Frame | None:
        if frame.data is None or kind_of(frame.data) != "object":
            return frame
        chunk: dict[str, Json] = _json.split(frame.data)
        if chunk.get("object") != b'"chat.completion.chunk"':
            return frame
        document = _json.decode(frame.data)
        choices = [self._choice(choice) for choice in document["choices"]]
        kept = [choice for choice in choices if choice["text"] or choice["finish_reason"] is not None]
        if choices and not kept:
            return None  # a role, a call: nothing that a completion says
        return Frame(data=dump(document | {"object": "text_completion", "choices": kept}))

    def _choice(self, choice: dict[str, Any]) -> dict[str, Any]:
        writer = self._choices.setdefault(choice["index"], _Writer(self._chat.losses))
        return writer.choice(choice, choice["delta"])
