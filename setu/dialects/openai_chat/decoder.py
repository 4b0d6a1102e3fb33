"""Chat chunks to events. Liberal: what compatible hosts send is wider than what OpenAI documents."""

from typing import Any

import msgspec

from setu import _json
from setu.chat.events import Ended, Event, Failed, Finished, Noted, Ping, Started, UsageSeen
from setu.chat.ids import Mint
from setu.chat.response import Finish
from setu.chat.seals import Extra
from setu.dialects.openai_chat.choice import ChoiceDecoder
from setu.dialects.openai_chat.usage import parse_usage
from setu.dialects.openai_chat.words import FINISH_RANK, NAME, finish_of
from setu.dialects.openai_errors import error_of
from setu.errors import ErrorInfo, ErrorKind
from setu.framing.frame import Frame

_HEAD = frozenset({"id", "object", "created", "model", "choices", "usage", "service_tier"})
_PLAIN = frozenset({"id", "object", "created", "model", "choices"})
_PLAIN_CHOICE = frozenset({"index", "delta", "finish_reason", "logprobs"})
"""Members that need no second look: by far the most chunks have no others."""
_NOISE = frozenset({"obfuscation", "p", "error", "x_groq"})
"""Padding against traffic analysis, and members that are read elsewhere."""
_CHOICE = frozenset(
    {"index", "delta", "finish_reason", "native_finish_reason", "logprobs", "message", "text", "usage", "error",
     "tool_calls", "role"}
)  # fmt: skip


class ChatDecoder:
    """One stream. Terminal condition: `[DONE]`, or a finish reason for every candidate that began."""

    def __init__(self, mint: Mint) -> None:
        self._mint = mint
        self._parts = 0
        self._choices: dict[int, ChoiceDecoder] = {}
        self._finishes: dict[int, Finish] = {}
        self._extras: dict[int, dict[str, bytes]] = {}
        self._finished: set[int] = set()
        self._started = False
        self._head: dict[str, Any] = {}
        self._seen: dict[str, Any] = {}
        self._usage: Any = None
        self._over = False
        self._done = False

    def feed(self, frame: Frame) -> list[Event]:
        """Return the events of one frame."""
        if self._over:
            return []
        data = frame.data
        if data is None:
            return [Ping()] if frame.comment is not None else []
        data = data.strip()
        if not data or data[:1] == b":":  # B-SSE-01, B-SSE-03
            return []
        if data == b"[DONE]":
            self._done = True
            return self._finish()
        try:
            chunks = [_json.decode(data)]
        except _json.JsonError as error:
            if not frame.terminated:
                return []  # cut off: `close` reports it
            chunks = _bundled(data)
            if not chunks:
                return self._fail(_broken(f"the upstream's stream is not valid JSON: {error}"))
        events: list[Event] = []
        for chunk in chunks:
            events += self._chunk(chunk, frame.event)
        return events

    def close(self) -> list[Event]:
        """End the stream; complete only if it said so itself (B-SSE-14, B-SSE-18)."""
        events: list[Event] = []
        complete = False
        if not self._over:
            complete = bool(self._choices) and (self._done or self._choices.keys() == self._finishes.keys())
            events = self._start({}) if self._head else []
            for choice in self._choices.values():
                events += choice.close()
            events += self._finish() if complete or self._finishes else []
        self._over = True
        return [*events, Ended(complete=complete)]

    def _fail(self, info: ErrorInfo) -> list[Event]:
        self._over = True
        events: list[Event] = []
        for choice in self._choices.values():
            events += choice.close()
        return [*events, Failed(error=info)]

    def _chunk(self, chunk: Any, event: str | None) -> list[Event]:
        if self._over:
            return []
        if not isinstance(chunk, dict):
            return self._fail(error_of(chunk) if isinstance(chunk, list) else _broken("the upstream sent no chunk"))
        if chunk.get("error") or chunk.get("object") == "error" or event == "error":
            return self._fail(msgspec.structs.replace(error_of(chunk), raw=_json_or_none(chunk)))
        choices = chunk.get("choices")
        events = [] if self._started else self._start(chunk, bare=not choices)
        if not chunk.keys() <= _PLAIN:
            self._beside(chunk, events)
        if isinstance(choices, list):
            for position, choice in enumerate(choices):
                if isinstance(choice, dict):
                    self._choice(choice, position, events)
                    if events and isinstance(events[-1], Failed):
                        return events
        if not choices and self._usage is not None and self._finishes:
            events += self._finish()
        return events

    def _start(self, chunk: dict[str, Any], *, bare: bool = False) -> list[Event]:
        """Yield `Started` once, from the first chunk that has a choice; Azure's first has no id (B-STR-22)."""
        if self._started:
            return []
        for key in ("id", "model", "created", "service_tier"):
            value = chunk.get(key)
            if value and isinstance(value, int if key == "created" else str):
                self._head.setdefault(key, value)
        extra = {key: value for key, value in chunk.items() if _is_extra(key, value)}
        self._seen.update(extra)
        self._head.setdefault("extra", {}).update(extra)
        if bare and chunk:
            return []
        self._started = True
        said = self._head.pop("extra")
        return [Started(**self._head, extra=_extra(said))]

    def _beside(self, chunk: dict[str, Any], events: list[Event]) -> None:
        """Yield what stands beside the choices: usage, and members that are new since the last chunk."""
        usage = chunk.get("usage")
        if usage is None and "x_groq" in chunk:
            groq = chunk["x_groq"]
            usage = groq.get("usage") if isinstance(groq, dict) else None
        if usage is not None:
            self._use(usage, events)
        if not self._started:
            return
        news = {
            key: value
            for key, value in chunk.items()
            if key not in _HEAD and _is_extra(key, value) and self._seen.get(key) != value
        }
        if news:
            self._seen.update(news)
            events.append(Noted(extra=_extra(news)))

    def _use(self, usage: Any, events: list[Event]) -> None:
        if usage == self._usage:
            return
        parsed = parse_usage(usage, _json_or_none(usage))
        if parsed is not None:
            self._usage = usage
            if not self._started:
                events += self._start({})
            events.append(UsageSeen(usage=parsed))

    def _choice(self, choice: dict[str, Any], position: int, events: list[Event]) -> None:
        index = choice.get("index")
        if type(index) is not int:
            index = position
        decoder = self._choices.get(index)
        if decoder is None:
            decoder = self._choices[index] = ChoiceDecoder(index, self._next_part, self._mint)
        delta = choice.get("delta")
        if not isinstance(delta, dict):  # Azure leaves it out; a host may send the whole message instead
            message = choice.get("message")
            delta = message if isinstance(message, dict) else {}
        decoder.feed(delta, choice.get("logprobs"), events)
        if not choice.keys() <= _PLAIN_CHOICE:
            self._aside(index, choice, events)
        word = choice.get("finish_reason")
        if word:
            self._end(index, word, choice, events)

    def _aside(self, index: int, choice: dict[str, Any], events: list[Event]) -> None:
        usage = choice.get("usage")  # Moonshot (B-STR-18)
        if usage is not None:
            self._use(usage, events)
        for key, value in choice.items():
            if key not in _CHOICE and value is not None and (raw := _json_or_none(value)) is not None:
                self._extras.setdefault(index, {})[key] = raw

    def _end(self, index: int, word: Any, choice: dict[str, Any], events: list[Event]) -> None:
        """Hold a finish reason: calls may still come, and another reason may win."""
        if choice.get("error") and word == "error":  # Together, OpenRouter
            events += self._fail(error_of({"error": choice["error"]}))
            return
        native = choice.get("native_finish_reason")
        reason = finish_of(word, calls=self._choices[index].has_calls)
        finish = Finish(reason=reason, native=native if isinstance(native, str) and native else _word(word))
        before = self._finishes.get(index)
        if before is None or FINISH_RANK[finish.reason] > FINISH_RANK[before.reason]:
            self._finishes[index] = finish

    def _finish(self) -> list[Event]:
        """Release what was held: nothing can change it now."""
        events: list[Event] = []
        for index, choice in self._choices.items():
            if index in self._finished:
                continue
            finish = self._finishes.get(index)
            if finish is None and not self._done:
                continue
            self._finished.add(index)
            events += choice.close()
            reason = finish.reason if finish is not None else "stop"
            if reason == "stop" and choice.has_calls:  # B-STR-14
                reason = "tool_calls"
            native = finish.native if finish is not None else None
            extras = self._extras.get(index)
            extra = Extra(dialect=NAME, members=extras) if extras else None
            events.append(Finished(candidate=index, finish=Finish(reason=reason, native=native), extra=extra))
        return events

    def _next_part(self) -> int:
        self._parts += 1
        return self._parts - 1


def _word(word: Any) -> str | None:
    return word if isinstance(word, str) else None


def _is_extra(key: str, value: Any) -> bool:
    return key not in _HEAD and key not in _NOISE and value is not None and value not in ([], {})


def _extra(members: dict[str, Any]) -> Extra | None:
    raws = {key: raw for key, value in members.items() if (raw := _json_or_none(value)) is not None}
    return Extra(dialect=NAME, members=raws) if raws else None


def _json_or_none(value: Any) -> bytes | None:
    """Return JSON text; None for text with a lone surrogate, which nobody could read."""
    try:
        return _json.encode(value)
    except _json.JsonError:
        return None


def _bundled(data: bytes) -> list[Any]:
    """Read several chunks under one `data:` field (B-SSE-10); none if any is broken."""
    try:
        return [_json.decode(line) for line in data.split(b"\n") if line.strip()] if b"\n" in data else []
    except _json.JsonError:
        return []


def _broken(message: str) -> ErrorInfo:
    return ErrorInfo(kind=ErrorKind.BAD_GATEWAY, status=502, message=message, code="bad_upstream_response")
