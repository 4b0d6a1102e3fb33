"""What the upstream-only dialects share: Cohere and Ollama take tools in OpenAI's form and have no client side.

Nobody writes their own members but through another dialect's request, so a member that no dialect knows but that is
the target's own by name (`documents`, `keep_alive`) is given on as it came; any other is a loss.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from msgspec import UNSET

from setu import _json, schema
from setu._json import Json, JsonError, Raw
from setu.chat.ids import bounded
from setu.chat.parts import ToolCall, ToolResult
from setu.chat.request import ChatRequest, CustomTool, FunctionTool, HostedTool, Tool
from setu.chat.seals import Extra
from setu.dialects.record import Loss, Target, pointer
from setu.errors import LocalDialectError

Wire = dict[str, Any]
Where = tuple[str | int, ...]

_ID_CHARACTERS = frozenset(map(chr, range(33, 127)))
_NO_PARAMETERS: Json = b'{"type":"object","properties":{}}'
_TEXT_INPUT: Json = b'{"type":"object","properties":{"input":{"type":"string"}},"required":["input"]}'


class Writer:
    """What rendering needs besides the request: whom it is for, and the losses it met.

    `host` is the target's name in sentences.
    """

    def __init__(self, host: str, target: Target) -> None:
        self.host = host
        self.target = target
        self.losses: list[Loss] = []

    def lose(self, where: Where, reason: str, *, info: bool = False) -> None:
        self.losses.append(
            Loss(phase="request", pointer=pointer(*where), reason=reason, severity="info" if info else "warn")
        )

    def lose_extra(self, extra: Extra | None, where: Where) -> None:
        """Say that another dialect's members are not sent."""
        for key in extra.members if extra is not None else ():
            assert extra is not None
            self.lose((*where, key), f"only {extra.dialect} knows this member", info=True)

    def own_members(self, extra: Extra | None, own: frozenset[str]) -> dict[str, Json]:
        """Return the members of a request that are the target's own by name; the others are losses."""
        if extra is None:
            return {}
        for key in extra.members.keys() - own:
            self.lose((key,), f"only {extra.dialect} knows this member")
        return {key: value for key, value in extra.members.items() if key in own}

    def refused(self, what: str, where: Where, code: str | None = None) -> LocalDialectError:
        """Return the error for what the target cannot be sent, naming the place (`messages[0].content[1]`)."""
        param = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in where).lstrip(".")
        return LocalDialectError(f"'{param}' {what}", param=param, code=code)

    def need_call(self, result: ToolResult, called: Collection[str], where: Where) -> None:
        """Refuse a result that answers no call before it.

        Raises:
            LocalDialectError: nobody made that call; the model would read the result as an answer to another one.
        """
        if result.call_id not in called:
            raise self.refused("answers no tool call before it", where)

    def need_one_answer(self, request: ChatRequest) -> None:
        """Refuse to be asked for several answers.

        Raises:
            LocalDialectError: `n` above 1; one answer in place of several would look right.
        """
        if isinstance(request.options.n, int) and request.options.n > 1:
            message = f"{self.host} gives one answer; ask with n 1"
            raise LocalDialectError(message, param="n", code="unsupported_parameter")

    def need_no_state(self, request: ChatRequest) -> None:
        """Say what the target does not keep.

        Raises:
            LocalDialectError: the conversation lives elsewhere; an answer without it would look right.
        """
        state = request.state
        if state is None:
            return
        if state.store is not UNSET and state.store:
            self.lose(("store",), f"{self.host} keeps no answers", info=True)
        if state.background:
            self.lose(("background",), f"{self.host} answers in the foreground only")
        if state.elsewhere is not None:
            message = f"{self.host} keeps no conversation: send all of its messages"
            raise LocalDialectError(message, param=state.elsewhere)


def call_id(identity: str) -> str:
    """Return an id that travels anywhere, the same for a call and its result (B-TOOL-22)."""
    return bounded(identity, prefix="call_", length=40, legal=_ID_CHARACTERS)


def arguments(call: ToolCall, where: Where, writer: Writer) -> Json:
    """Return a call's arguments as the exact text of a JSON object (B-TOOL-11)."""
    if call.kind == "custom":
        writer.lose(where, f"{writer.host} has no free-text tools: the text travels as the argument `input`")
        return _json.encode({"input": call.arguments})
    text = call.arguments.strip()
    if not text:
        return b"{}"
    try:
        raw = text.encode()
        if _json.kind_of(raw) == "object":
            _json.split(raw)
            return raw
    except (JsonError, UnicodeEncodeError):
        pass
    writer.lose(where, "the arguments are no JSON object and were replaced by an empty one")
    return b"{}"


def offered(request: ChatRequest) -> list[tuple[int, Tool]]:
    """Return the tools that may be called: a choice among some of them is made by offering only those.

    Raises:
        LocalDialectError: the choice names a tool that is not there (B-TOOL-20).
    """
    choice = request.tool_choice
    tools = list(enumerate(request.tools))
    if choice is None or choice.mode not in ("named", "allowed"):
        return tools
    known = {tool.name for tool in request.tools}
    for name in choice.names:
        if name not in known:
            raise LocalDialectError(f"tool_choice names {name!r}, which is not among the tools", param="tool_choice")
    return [(index, tool) for index, tool in tools if tool.name in choice.names]


def functions(tools: Iterable[tuple[int, Tool]], writer: Writer) -> list[Wire]:
    """Return tools in OpenAI's form."""
    found: list[Wire] = []
    for index, tool in tools:
        where = ("tools", index)
        match tool:
            case FunctionTool():
                found.append(_wire(tool.name, tool.description, _parameters(tool, where, writer)))
                _lose_beside(tool, where, writer)
            case CustomTool():
                writer.lose(where, f"{writer.host} has no free-text tools: it became a function with one string")
                found.append(_wire(tool.name, tool.description, _TEXT_INPUT))
            case HostedTool():
                raise writer.refused(f"is a tool {writer.host} does not have: {tool.kind}", where, "unsupported_tool")
    return found


def _wire(name: str, description: str | None, parameters: Json) -> Wire:
    described = {} if description is None else {"description": description}
    return {"type": "function", "function": {"name": name, **described, "parameters": Raw(parameters)}}


def _parameters(tool: FunctionTool, where: Where, writer: Writer) -> Json:
    """Return the schema as it came, byte for byte (B-TOOL-28), but for the root type that models expect."""
    if tool.schema is None:
        return _NO_PARAMETERS
    try:
        return schema.rooted(tool.schema)
    except JsonError as error:
        raise writer.refused(f"has a schema that is not a JSON object: {error}", where) from None


def _lose_beside(tool: FunctionTool, where: Where, writer: Writer) -> None:
    if tool.namespace is not None or tool.defer:
        writer.lose(where, f"{writer.host} has no tool namespaces and loads every tool at once", info=True)
    if tool.cache is not None:
        writer.lose(where, f"{writer.host} has no cache marks", info=True)
    writer.lose_extra(tool.extra, where)


def entries_of(entries: Iterable[Mapping[str, Any]], text: str) -> tuple[Json, ...] | None:
    """Return the log probabilities that belong to a text, in OpenAI's form.

    Both hosts list every generated token, those of thinking and of the template too; the text's own are the last
    ones that spell it. None when there are none.
    """
    listed = list(entries)
    spelt = ""
    for start in range(len(listed) - 1, -1, -1):
        spelt = str(listed[start]["token"]) + spelt
        if spelt.strip() == text.strip():
            listed = listed[start:]
            break
        if len(spelt.strip()) > len(text):
            break
    return tuple(_json.encode(entry) for entry in listed) or None
