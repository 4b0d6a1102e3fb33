"""Mutants for the laws of requests: what is understood of a client, and what goes upstream."""

from collections.abc import Callable
from itertools import groupby
from typing import Any

import msgspec

from setu import _json
from setu.chat.parts import Media, Text, ToolCall
from setu.conformance.mutants.codecs import (
    Change,
    Json,
    asked,
    client,
    in_parts,
    lost,
    of,
    of_parts,
    parsed,
    sent,
    text_changed,
    upstream,
    without,
    written,
)
from setu.conformance.mutants.mutant import Mutants
from setu.dialects.record import Dialect, Rendered
from setu.errors import RemoteDialectError

MUTANTS = Mutants()
CHAT, ANTHROPIC, GEMINI = "openai_chat", "anthropic", "gemini"


def _law(check: str, name: str, about: str, broken: str, change: Change, **more: Any) -> None:
    """Note a mutant of one dialect, to be found between a chat client and Anthropic unless `pair` says otherwise."""
    MUTANTS.law(check, name, about, dialects=of(broken, change), **more)


# Whole, legal and in order -------------------------------------------------------------------------------------------


def _crashes(dialect: Dialect) -> Dialect:
    real = dialect.upstream["chat"].parse_response

    def parse(body: bytes, mint: Any) -> Any:
        try:
            return real(body, mint)
        except RemoteDialectError:
            raise KeyError("content") from None

    return upstream(dialect, parse_response=parse)


def _thinking(member: str, made: Json) -> Json:
    """Add a member to a request that asks for thinking."""
    return {**made, member: "low"} if "thinking" in made else made


def _in_messages(change: Callable[[list[Json]], list[Json]]) -> Change:
    """Change the blocks of each Anthropic message that has blocks."""

    def of_message(message: Json) -> Json:
        content = message["content"]
        return message if isinstance(content, str) else {**message, "content": change(content)}

    return sent(lambda made: {**made, "messages": [of_message(message) for message in made["messages"]]})


def _has_results(blocks: list[Json]) -> bool:
    return any(block["type"] == "tool_result" for block in blocks)


def _wordless(blocks: list[Json]) -> list[Json]:
    return [block for block in blocks if block["type"] != "text"] if _has_results(blocks) else blocks


def _words_first(blocks: list[Json]) -> list[Json]:
    return sorted(blocks, key=lambda block: block["type"] != "text") if _has_results(blocks) else blocks


def _system_backwards(request: Any) -> Any:
    last_first = [message for message in request.messages if message.role == "system"][::-1]
    rest = [message for message in request.messages if message.role != "system"]
    return msgspec.structs.replace(request, messages=(*last_first, *rest))


def _unmerged(dialect: Dialect) -> Dialect:
    """Neighbouring turns of the user go out as they came."""
    real = dialect.upstream["chat"].render_request

    def render(request: Any, target: Any) -> Rendered:
        rendered = real(request, target)
        roles = [message.role for message in request.messages]
        if all(len(list(group)) == 1 for role, group in groupby(roles) if role == "user"):
            return rendered
        body = _json.decode(rendered.body)
        messages = [one for message in body["messages"] for one in _apart_again(message)]
        return Rendered(body=_json.encode({**body, "messages": messages}), losses=rendered.losses)

    return upstream(dialect, render_request=render)


def _apart_again(message: Json) -> list[Json]:
    content = message["content"]
    if message["role"] != "user" or isinstance(content, str):
        return [message]
    return [{**message, "content": [block]} for block in content]


_law("XLT-01", "crash_on_nonsense", "An answer that is none ends in a KeyError.", ANTHROPIC, _crashes)
_law(
    "XLT-02",
    "unknown_member",
    "A request that asks for thinking has a member that its API does not know.",
    ANTHROPIC,
    sent(lambda made: _thinking("brand_new", made)),
)
_law(
    "XLT-03",
    "foreign_member",
    "The member by which a chat client asks for thinking goes on to Anthropic.",
    ANTHROPIC,
    sent(lambda made: _thinking("reasoning_effort", made)),
)
_law(
    "XLT-04", "words_after_results", "What a user says after tool results is lost.", ANTHROPIC, _in_messages(_wordless)
)
_law("XLT-05", "system_backwards", "The last system text comes first.", CHAT, asked(_system_backwards))
_law("XLT-06", "unmerged", "Neighbouring turns of the user stay apart.", ANTHROPIC, _unmerged)

# Calls and results ---------------------------------------------------------------------------------------------------


def _low_id(part: Any) -> Any:
    return msgspec.structs.replace(part, call_id=part.call_id.lower()) if isinstance(part, ToolCall) else part


def _short_name(part: Any) -> Any:
    return msgspec.structs.replace(part, name=part.name[:60]) if isinstance(part, ToolCall) else part


def _shorter_number(part: Any) -> Any:
    if not isinstance(part, ToolCall):
        return part
    return msgspec.structs.replace(part, arguments=part.arguments.replace("1.10", "1.1"))


def _nameless(made: Json) -> Json:
    def of_part(part: Json) -> Json:
        response = part.get("functionResponse")
        return part if response is None else {**part, "functionResponse": {**response, "name": "function"}}

    contents = [{**content, "parts": [of_part(part) for part in content["parts"]]} for content in made["contents"]]
    return {**made, "contents": contents}


_law(
    "XLT-07",
    "words_before_results",
    "What a user says after tool results goes out before them.",
    ANTHROPIC,
    _in_messages(_words_first),
    implies="XLT-01",
)
_law(
    "XLT-08",
    "nameless_results",
    "Every function response is called function.",
    GEMINI,
    sent(_nameless),
    pair=(CHAT, GEMINI),
    implies="XLT-01",
)
_law(
    "XLT-09",
    "low_ids",
    "A call's id is heard in lower case.",
    ANTHROPIC,
    parsed(in_parts(_low_id)),
)
_law("XLT-10", "short_names", "A tool's name is heard up to its 60th letter.", ANTHROPIC, parsed(in_parts(_short_name)))
_law(
    "XLT-11",
    "silent_arguments",
    "Arguments that are no JSON become an empty object, and nobody is told.",
    ANTHROPIC,
    lost(lambda loss: "arguments" in loss.reason),
)
_law("XLT-12", "numbers_as_floats", "1.10 goes out as 1.1.", CHAT, of_parts(_shorter_number))

# Nothing lost, changed or invented -----------------------------------------------------------------------------------


def _blank_kept(dialect: Dialect) -> Dialect:
    """A client's blank text goes out."""
    real = dialect.upstream["chat"].render_request

    def render(request: Any, target: Any) -> Rendered:
        rendered = real(request, target)
        parts = [part for message in request.messages for part in message.parts]
        if all(part.text.strip() for part in parts if isinstance(part, Text)):
            return rendered
        body = _json.decode(rendered.body)
        *before, last = body["messages"]
        content = last["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        blank = {**last, "content": [*blocks, {"type": "text", "text": " "}]}
        return Rendered(body=_json.encode({**body, "messages": [*before, blank]}), losses=rendered.losses)

    return upstream(dialect, render_request=render)


def _chat_messages(change: Callable[[Json], Json]) -> Change:
    """Change each message of a chat request before it is read."""

    def of_request(made: Json) -> Json:
        messages = made.get("messages")
        if not isinstance(messages, list):
            return made
        changed = [change(message) if isinstance(message, dict) else message for message in messages]
        return {**made, "messages": changed}

    return written(of_request)


def _silent(message: Json) -> Json:
    return {**message, "content": None} if message.get("tool_calls") == [] else message


def _role_too_late(message: Json) -> Json:
    return {**message, "role": "user"} if next(iter(message), None) == "content" else message


def _null_as_text(made: Json) -> Json:
    return {**made, "stop": ["null"]} if made.get("stop", "") is None else made


def _apart(message: Json) -> Json:
    parts = [{"type": "text", "text": message["content"]}]
    return {**message, "content": parts} if isinstance(message["content"], str) else message


def _by_what_follows(made: Json) -> Json:
    """An assistant's text is a list of parts, but for the last one's."""
    spoken = [number for number, message in enumerate(made["messages"]) if message["role"] == "assistant"]
    messages = [
        _apart(message) if number in spoken[:-1] else message for number, message in enumerate(made["messages"])
    ]
    return {**made, "messages": messages}


def _damaged(part: Any) -> Any:
    if part.seal is None:
        return part
    return msgspec.structs.replace(part, seal=msgspec.structs.replace(part.seal, data=part.seal.data.rstrip("=") + "!"))


def _pictures_first(request: Any) -> Any:
    messages = [
        msgspec.structs.replace(
            message, parts=tuple(sorted(message.parts, key=lambda part: not isinstance(part, Media)))
        )
        for message in request.messages
    ]
    return msgspec.structs.replace(request, messages=tuple(messages))


def _stopless(request: Any) -> Any:
    options = msgspec.structs.replace(request.options, stop=msgspec.UNSET)
    return msgspec.structs.replace(request, options=options)


def _unlimited(made: Json) -> Json:
    return without("max_tokens")(made) if "thinking" in made else made


def _respelled(dialect: Dialect) -> Dialect:
    return client(dialect, tidy=lambda body: _json.encode(_json.decode(body)))


_law("XLT-13", "blank_kept", "A client's blank text goes out as a block.", ANTHROPIC, _blank_kept)
_law("XLT-14", "empty_calls", "An empty list of calls takes the text beside it away.", CHAT, _chat_messages(_silent))
_law(
    "XLT-15",
    "silent_seed",
    "That the seed is not sent is no secret to the server alone.",
    ANTHROPIC,
    lost(lambda loss: "seed" in loss.pointer),
)
_law(
    "XLT-16",
    "silent_clamp",
    "A temperature is lowered, and nobody is told.",
    ANTHROPIC,
    lost(lambda loss: "temperature" in loss.pointer),
    implies="XLT-15",
)
_law(
    "XLT-17",
    "unlimited",
    "A request that asks for thinking has no max_tokens.",
    ANTHROPIC,
    sent(_unlimited),
    implies="XLT-24",
)
_law(
    "XLT-18", "role_too_late", "A message's role counts only before its content.", CHAT, _chat_messages(_role_too_late)
)
_law(
    "XLT-19",
    "by_what_follows",
    "How a turn is written depends on what follows.",
    CHAT,
    sent(_by_what_follows),
    pair=(ANTHROPIC, CHAT),
)
_law("XLT-20", "null_as_text", "A stop that is null stops at the word null.", CHAT, written(_null_as_text))
_law("XLT-21", "damaged_seal", "A signature loses its padding.", ANTHROPIC, parsed(in_parts(_damaged)))
_law(
    "XLT-22",
    "ligatures",
    "Ligatures are taken apart.",
    CHAT,
    text_changed(lambda text: text.replace("\ufb01", "fi").replace("\u212b", "\u00c5")),
)
_law("XLT-23", "pictures_first", "Pictures come before all text.", CHAT, asked(_pictures_first))
_law("XLT-24", "stop_not_read", "Stop sequences are written, and not read.", ANTHROPIC, asked(_stopless))
_law(
    "XLT-43",
    "respelled",
    "The identity path reads and writes the JSON it should pass.",
    CHAT,
    _respelled,
    pair=(CHAT, CHAT),
)
