"""Looking for what a request said in the body that was rendered for another host.

A leaf is found where its words stand in the body's own JSON, on the side of who speaks, in order, and calls and results
belong together as they did; or where the body says the same in its own way, by one rule a member. What is a host's
default needs no saying.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from setu import _json
from setu.chat.parts import HostedCall, Inline, Text, ToolCall, ToolResult
from setu.chat.request import ChatRequest, FunctionTool, Output, ToolChoice
from setu.chat.seals import CacheMark, Cite, Seal
from setu.conformance.natives.record import get
from setu.conformance.natives.registry import native_of
from tests.corpus.evidence import Evidence, Result, bare, blob, parsed, texts
from tests.corpus.leaves import Leaf, Place

_DEFAULTS: Mapping[str, tuple[Any, ...]] = {
    "ChatRequest.parallel": (True,),
    "Options.n": (1,),
    "Options.frequency_penalty": (0,),
    "Options.presence_penalty": (0,),
    "Options.service_tier": ("auto", "default"),
    "Options.modalities": (["text"],),
    "Thinking.effort": ("default",),
    "Thinking.mode": ("adaptive",),
    "Thinking.budget": (-1,),
    "Media.detail": ("auto",),
    "Output.description": ("",),
}
"""What every host does unasked."""

_TIERS: Mapping[Any, str] = {"priority": "auto", "standard_only": "default"}
"""Anthropic's words for: priority where there is some, and for: none."""

_FORCED = frozenset({"required", "any", "ANY", "REQUIRED"})
_MARKS = frozenset({"cache_control", "cachePoint", "prompt_cache_breakpoint"})
_THINKING = frozenset({"reasoning_effort", "reasoning", "thinking", "thinkingConfig", "think", "effort"})
_SHOWING = frozenset({"includeThoughts", "summary", "display"})
_OFF = frozenset({"none", "disabled", 0})
_THINK_UNASKED = frozenset({"gemini", "openai_responses"})
_SHOW_UNASKED = frozenset({"anthropic", "bedrock", "ollama", "cohere"})
_NOBODY = "\0"
"""The id of a call that the source itself does not hold: whose answer a result is, it does not say."""


class Search:
    """Looks for the leaves of one request, in their order, in one body.

    `renamed` are the new names of tools, `media` the bytes that were fetched for URLs.
    """

    def __init__(
        self, asked: ChatRequest, body: bytes, host: str, renamed: Mapping[str, str], media: Mapping[str, Inline]
    ) -> None:
        self._body = Evidence(body)
        self._asked = asked
        self._host = host
        self._renamed = renamed
        self._media = media
        self._options = native_of(host).options
        self._said = _scalars(self._body.whole)
        self._set = {_json.encode(value) for value in _values(self._body.settings)}
        self._keys = {key for key, _ in _pairs(self._body.whole)}
        self._barred = set(_barred(asked))
        self._made = set(_made(asked))
        self._cursors: dict[tuple[str, str], int] = {}
        self._calls = 0
        self._ids: dict[str, str] = {}
        self._marks = 0
        self._sealed: Place = ()
        self._answer: Result | None = None

    def finds(self, leaf: Leaf) -> bool:
        """Tell whether a leaf is in the body."""
        if leaf.place[:2] in self._barred or leaf.value in _DEFAULTS.get(leaf.kind, ()):
            return True
        rule = _RULES.get(leaf.kind)
        if rule is not None:
            return rule(self, leaf)
        return self._option(leaf) if leaf.kind.startswith("Options.") else self.setting(leaf)

    # Words ---------------------------------------------------------------------------------------------------------

    def word(self, leaf: Leaf) -> bool:
        """Words stand on their speaker's side, in order; a blank says nothing."""
        word = str(leaf.value).strip()
        hay = self._body.by if leaf.role == "assistant" else self._body.to
        start = self._cursors.get((leaf.kind, leaf.role), 0)
        at = hay.find(word, start)
        if at >= 0:
            self._cursors[leaf.kind, leaf.role] = at + len(word)
        return at >= 0

    def document(self, leaf: Leaf) -> bool:
        encoded = base64.b64encode(leaf.value.encode("utf-8", "replace")).decode()
        return self.word(leaf) or bool({encoded, blob(encoded)} & self._body.strings)

    def data(self, leaf: Leaf) -> bool:
        return bool({leaf.value, blob(leaf.value)} & self._body.strings) or _text_behind(leaf.value) in self._body.to

    def url(self, leaf: Leaf) -> bool:
        fetched = self._media.get(leaf.value)
        strings = self._body.strings
        return bare(leaf.value) in strings or (fetched is not None and blob(fetched.b64) in strings)

    def name(self, leaf: Leaf) -> bool:
        """A file's name, without what hosts do not take in names and without its type."""
        stem = _letters(leaf.value.rpartition(".")[0] or leaf.value)
        return any(stem in _letters(text) for text in self._body.strings if len(text) < 300)

    def seal(self, leaf: Leaf) -> bool:
        value: Seal = leaf.value
        self._sealed = leaf.place
        return blob(value.data) in self._body.strings

    def cite(self, leaf: Leaf) -> bool:
        value: Cite = leaf.value
        return value.raw is not None and _json.decode(value.raw) in list(_values(self._body.whole))

    def mark(self, leaf: Leaf) -> bool:
        value: CacheMark = leaf.value
        self._marks += 1
        words = list(_words(self._body.whole))
        placed = sum(word in _MARKS for word in words)
        return placed >= self._marks and (value.ttl in (None, "5m") or value.ttl in words)

    # Calls and their results -----------------------------------------------------------------------------------------

    def call(self, leaf: Leaf) -> bool:
        call: ToolCall = leaf.value
        name = self._renamed.get(call.name, call.name)
        wanted = call.arguments if call.kind == "custom" else parsed(call.arguments.strip() or "{}")
        for at in range(self._calls, len(self._body.calls)):
            found = self._body.calls[at]
            if found.name == name:
                self._calls = at + 1
                self._ids[call.call_id] = found.id
                return bool(found.arguments in (wanted, {"input": call.arguments}))
        return False

    def result(self, leaf: Leaf) -> bool:
        """A result answers the call it answered; one whose call the source does not hold has to be there."""
        result: ToolResult = leaf.value
        identity = self._ids.get(result.call_id) if result.call_id in self._made else _NOBODY
        name = self._renamed.get(result.name or "", result.name or "")
        words = [part.text for part in result.content if isinstance(part, Text)]

        def answers(found: Result) -> bool:
            linked = found.id == identity if found.id else found.name == name
            return (linked or identity == _NOBODY) and _says(found.content, words)

        self._answer = next(filter(answers, self._body.results), None)
        return self._answer is not None

    def failed(self, leaf: Leaf) -> bool:
        """A failure is that of the result before it."""
        return leaf.value is True and self._answer is not None and self._answer.failed

    def named(self, leaf: Leaf) -> bool:
        """The name beside a tool's message is the name of the call."""
        called = leaf.role == "tool" and leaf.value in {call.name for call in self._body.calls}
        return called or self.setting(leaf)

    def extra(self, leaf: Leaf) -> bool:
        """The format of a detail of reasoning tells whose seal it carries."""
        seals = leaf.place[-1] == "format" and leaf.place[:-1] == self._sealed
        return seals or self.setting(leaf)

    # Tools and settings ----------------------------------------------------------------------------------------------

    def tool(self, leaf: Leaf) -> bool:
        tool: FunctionTool = leaf.value
        wanted = _scalars(_json.decode(tool.schema)) if tool.schema else set()
        return any(
            found["name"] == self._renamed.get(tool.name, tool.name)
            and (not tool.description or found["description"] == tool.description)
            and wanted <= _scalars(found["schema"])
            for found in self._body.tools
        )

    def choice(self, leaf: Leaf) -> bool:
        """A choice is a word beside the tools, or what is left of them."""
        choice: ToolChoice = leaf.value
        beside = set(_words({key: item for key, item in self._body.settings.items() if key != "tools"}))
        offered = {tool["name"] for tool in self._body.tools}
        match choice.mode:
            case "auto":
                return True
            case "none":
                return bool(beside & {"none", "NONE"}) or not offered
            case "required":
                return bool(beside & _FORCED)
            case "named" | "allowed":
                names = {self._renamed.get(name, name) for name in choice.names}
                return names <= beside or (offered <= names and (not choice.must or bool(beside & _FORCED)))

    def form(self, leaf: Leaf) -> bool:
        """The form of the answer; a schema's label is OpenAI's alone, and a schema is kept to wherever one is taken."""
        output: Output = leaf.value
        beside = {key: item for key, item in self._body.settings.items() if key != "tools"}
        match output.kind:
            case "text":
                return True
            case "json":
                return bool(set(_words(beside)) & {"json_object", "json", "application/json"})
            case _:
                return output.schema is not None and _scalars(_json.decode(output.schema)) <= _scalars(beside)

    def thinks(self, leaf: Leaf) -> bool:
        """Whether thinking is asked for; how a word of one scale becomes another's is the parameter tables' to say."""
        asked = [item for key, item in _pairs(self._body.whole) if key in _THINKING]
        words = {word for item in asked for word in _words(item)}
        if leaf.value == "on" and self._host in _THINK_UNASKED:
            return not words & {"none", 0}
        off = not asked or bool(words & _OFF)
        return off if leaf.value in ("off", "none", 0) else not off

    def _silent(self) -> bool:
        asked = [item for key, item in _pairs(self._body.whole) if key in _THINKING]
        return not asked or bool({word for item in asked for word in _words(item)} & _OFF)

    def shows(self, leaf: Leaf) -> bool:
        """Anthropic and its like show their thinking unless they are told not to; who does not think shows none."""
        if self._keys & _SHOWING:
            return True
        if leaf.value == "none":
            return self._host == "openai_responses" or self._silent()
        return self._host in _SHOW_UNASKED

    def _option(self, leaf: Leaf) -> bool:
        if leaf.kind == "Options.logprobs" and "message.output_text.logprobs" in self._body.strings:
            return True
        if leaf.kind == "Options.modalities":
            return {word.upper() for word in leaf.value} <= {str(word).upper() for word in _words(self._body.settings)}
        if leaf.kind == "Options.service_tier" and _TIERS.get(leaf.value) in self._body.strings:
            return True
        path = self._options.get(str(leaf.place[-1]))
        if path is not None and (found := get(self._body.whole, path)) is not None:
            return bool(found == leaf.value)
        return self.setting(leaf)

    def setting(self, leaf: Leaf) -> bool:
        """Any other member: its value stands in the body, an object's by what is in it."""
        if isinstance(leaf.value, str):
            return bare(leaf.value) in self._body.strings
        if isinstance(leaf.value, (dict, list)):
            return _scalars(leaf.value) <= self._said
        return _json.encode(leaf.value) in self._set


_RULES: Mapping[str, Callable[[Search, Leaf], bool]] = {
    "Text.text": Search.word,
    "Refusal.text": Search.word,
    "Reasoning.text": Search.word,
    "Media.transcript": Search.word,
    "Media.context": Search.word,
    "Plain.text": Search.document,
    "Inline.b64": Search.data,
    "Url.url": Search.url,
    "Media.name": Search.name,
    "Seal": Search.seal,
    "Cite": Search.cite,
    "CacheMark": Search.mark,
    "call": Search.call,
    "result": Search.result,
    "ToolResult.is_error": Search.failed,
    "Message.name": Search.named,
    "Extra": Search.extra,
    "tool": Search.tool,
    "ToolChoice": Search.choice,
    "Output": Search.form,
    "Thinking.mode": Search.thinks,
    "Thinking.effort": Search.thinks,
    "Thinking.budget": Search.thinks,
    "Thinking.show": Search.shows,
}


def _barred(request: ChatRequest) -> Iterator[Place]:
    """Yield the tools that may not be called: they need not be offered."""
    choice = request.tool_choice
    if choice is not None and choice.mode in ("none", "named", "allowed"):
        for index, tool in enumerate(request.tools):
            if tool.name not in choice.names:
                yield ("tools", index)


def _made(request: ChatRequest) -> Iterator[str]:
    for message in request.messages:
        yield from (part.call_id for part in message.parts if isinstance(part, (ToolCall, HostedCall)))


def _says(content: Any, words: list[str]) -> bool:
    """Tell whether a result's content holds the words, as text or as the JSON they are."""
    whole = "\n".join(texts(content))
    values = [_json.encode(value) for value in _values(content)]
    return all(word.strip() in whole or _json.encode(parsed(word)) in values for word in words)


def _values(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _values(item)


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    for item in _values(value):
        if isinstance(item, dict):
            yield from item.items()


def _words(value: Any) -> Iterator[Any]:
    """Yield every key and every scalar."""
    for item in _values(value):
        if isinstance(item, dict):
            yield from item
        elif not isinstance(item, list):
            yield item


def _scalars(value: Any, key: str = "") -> set[tuple[str, str]]:
    """Return every scalar with the key it stands under; a text that is a JSON object (Bedrock's schemas) counts as one."""
    if isinstance(value, dict):
        return {leaf for name, item in value.items() for leaf in _scalars(item, name)}
    if isinstance(value, list):
        return {leaf for item in value for leaf in _scalars(item, key)}
    if isinstance(value, str) and value[:1] == "{" and isinstance(found := parsed(value), dict):
        return _scalars(found, key)
    return {(key, json.dumps(value))}


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _text_behind(b64: str) -> str:
    """Return the text behind base64; a text that is nowhere where there is none."""
    try:
        return base64.b64decode(b64).decode().strip()
    except ValueError:
        return "\0"
