"""Ollama's stream to events; a whole answer is a stream of one line.

Each line has the next piece of thinking and text; calls come whole, several in a line or one a line, each numbered 0
by some versions (B-STR-07): every one is a call of its own. The stream is complete with the line that says `done`.
"""

from datetime import datetime

from setu import _json
from setu._json import Json, JsonError
from setu.chat.events import (
    ArgumentsDelta,
    Ended,
    Event,
    Failed,
    Finished,
    PartEnded,
    PartStarted,
    ReasoningDelta,
    Started,
    TextDelta,
    UsageSeen,
)
from setu.chat.ids import Mint
from setu.chat.parts import Reasoning, Text, ToolCall
from setu.chat.response import Usage
from setu.dialects.ollama.errors import error_info, is_error
from setu.dialects.ollama.words import finish_of
from setu.dialects.outward import entries_of
from setu.dialects.reader import Obj
from setu.errors import DialectError, ErrorInfo, ErrorKind
from setu.framing.frame import Frame

_COUNTS = (
    "total_duration",
    "load_duration",
    "prompt_eval_count",
    "prompt_eval_duration",
    "eval_count",
    "eval_duration",
)


class Decoder:
    """Eats lines; any oddity costs at most the part it stands in."""

    def __init__(self, mint: Mint) -> None:
        self._mint = mint
        self._parts = 0
        self._open: tuple[int, bool] | None = None
        """The part that may still grow: its handle, and whether it is thinking."""
        self._ids: set[str] = set()
        self._started = False
        self._over = False
        self._word: str | None = None
        self._done = False

    def feed(self, frame: Frame) -> list[Event]:
        """Return the events of one line."""
        data = (frame.data or b"").strip()
        if self._over or not data:
            return []
        try:
            return self.read(data)
        except (DialectError, JsonError, RecursionError) as error:
            if not frame.terminated:
                return []  # cut off: `close` reports it
            message = f"The upstream sent a line that cannot be read: {error}"
            return self._fail(ErrorInfo(kind=ErrorKind.BAD_GATEWAY, status=502, message=message))

    def read(self, data: Json) -> list[Event]:
        """Return the events of one object.

        Raises:
            DialectError, JsonError: not a JSON object.
        """
        obj = Obj(data, lenient=True)
        if is_error(obj):
            return self._fail(error_info(data))
        events = self._start(obj)
        message = obj.obj("message")
        if message is not None:
            events += self._message(message, obj)
        usage = parse_usage(obj)
        if usage is not None:
            events.append(UsageSeen(usage=usage))
        if obj.flag("done"):
            self._done = True
            self._word = obj.text("done_reason")
        return events

    def close(self) -> list[Event]:
        """Close what is open; complete only if a line said `done`."""
        if self._over:
            return [Ended(complete=False)]
        events = self._end()
        if not self._done:
            return [*events, Ended(complete=False)]
        finish = finish_of(self._word, calls=bool(self._ids))
        return [*events, Finished(candidate=0, finish=finish), Ended(complete=True)]

    def _start(self, obj: Obj) -> list[Event]:
        if self._started:
            return []
        self._started = True
        return [Started(model=obj.text("model"), created=_seconds(obj.text("created_at")))]

    def _message(self, message: Obj, line: Obj) -> list[Event]:
        thought, text = message.text("thinking") or "", message.text("content") or ""
        events = self._grow(thought, thinking=True)
        events += self._grow(text, thinking=False, logprobs=_logprobs(line, text))
        for call in message.objects("tool_calls") or ():
            events += self._call(call)
        return events

    def _grow(self, text: str, *, thinking: bool, logprobs: tuple[Json, ...] | None = None) -> list[Event]:
        """Extend the open text or thought, or open one with its first word."""
        if not text:
            return []
        events: list[Event] = []
        if self._open is None or self._open[1] != thinking:
            events = self._end()
            self._open = (self._handle(), thinking)
            events.append(PartStarted(part=self._open[0], value=Reasoning() if thinking else Text(text="")))
        handle = self._open[0]
        if thinking:
            return [*events, ReasoningDelta(part=handle, text=text)]
        return [*events, TextDelta(part=handle, text=text, logprobs=logprobs)]

    def _call(self, call: Obj) -> list[Event]:
        function = call.obj("function")
        if function is None:
            return []
        identity = call.text("id") or ""
        while not identity or identity in self._ids:  # older versions give none (B-STR-06)
            identity = self._mint("call_")
        self._ids.add(identity)
        handle = self._handle()
        events = self._end()
        value = ToolCall(call_id=identity, name=function.text("name") or "", arguments="")
        said = ArgumentsDelta(part=handle, text=_arguments(function))
        return [*events, PartStarted(part=handle, value=value), said, PartEnded(part=handle)]

    def _end(self) -> list[Event]:
        if self._open is None:
            return []
        handle, self._open = self._open[0], None
        return [PartEnded(part=handle)]

    def _fail(self, info: ErrorInfo) -> list[Event]:
        self._over = True
        return [*self._end(), Failed(error=info)]

    def _handle(self) -> int:
        self._parts += 1
        return self._parts - 1


def parse_usage(obj: Obj) -> Usage | None:
    """Take the counts; None before the last line. A prompt that was cached whole may have no count (B-USG-11)."""
    raw = {name: obj.members[name] for name in _COUNTS if name in obj.members}
    given, taken = obj.integer("prompt_eval_count"), obj.integer("eval_count")
    if given is None and taken is None:
        return None
    whole = _json.encode({name: _json.Raw(value) for name, value in raw.items()})
    return Usage(input=given, output=taken, raw=whole)


def _arguments(function: Obj) -> str:
    """Take the arguments, an object, as its exact text; some models' templates give text instead."""
    if _json.kind_of(function.members.get("arguments", b"")) == "string":
        return function.text("arguments") or ""
    raw = function.raw("arguments")
    return "{}" if raw is None else raw.decode("utf-8", "replace")


def _logprobs(line: Obj, text: str) -> tuple[Json, ...] | None:
    """Take the log probabilities of a line's text; those of thinking and of the template are nobody's."""
    entries = [_json.decode(raw) for raw in line.array("logprobs") or () if text]
    fit = [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("token"), str)]
    return entries_of([_entry(entry) for entry in fit], text)


def _entry(entry: dict[str, object]) -> dict[str, object]:
    """Return an entry with the members that OpenAI's always has."""
    token = str(entry["token"])
    return {
        "token": token,
        "logprob": entry.get("logprob", 0.0),
        "bytes": entry.get("bytes", list(token.encode("utf-8", "replace"))),
        "top_logprobs": entry.get("top_logprobs") or [],
    }


def _seconds(text: str | None) -> int | None:
    """Return a timestamp (RFC 3339, to the nanosecond) in seconds since the epoch."""
    try:
        return None if text is None else int(datetime.fromisoformat(text).timestamp())
    except (ValueError, OverflowError):
        return None
