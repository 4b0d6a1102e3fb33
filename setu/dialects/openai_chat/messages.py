"""Chat messages to canonical ones."""

from collections.abc import Iterator

import msgspec

from setu._json import kind_of
from setu.chat.parts import AnyPart, Media, Ref, Refusal, Text, ToolCall, ToolResult
from setu.chat.request import Message, Role
from setu.chat.seals import Seal
from setu.dialects.extras import put_back
from setu.dialects.openai_chat.media import cache_of, parse_content
from setu.dialects.openai_chat.reasoning import parse_reasoning
from setu.dialects.openai_chat.words import NAME
from setu.dialects.reader import Obj


class History:
    """The calls made so far: a result must answer one of them, and Gemini needs to know the tool's name."""

    def __init__(self) -> None:
        self.calls: dict[str, ToolCall] = {}
        self._legacy = 0

    def note(self, call: ToolCall) -> None:
        self.calls[call.call_id] = call

    def legacy_id(self) -> str:
        """Return an id for a `function_call` of old, which had none."""
        self._legacy += 1
        return f"call_function_{self._legacy}"

    def legacy_answer(self, name: str | None) -> ToolCall | None:
        """Return the latest call of a function by name."""
        found = [call for call in self.calls.values() if call.name == name]
        return found[-1] if found else None


def parse_messages(obj: Obj) -> tuple[Message, ...]:
    """Take `messages`: at least one, in order."""
    raws = obj.array("messages")
    if raws is None:
        raise obj.missing("messages")
    if not raws:
        raise obj.error("'messages' must hold at least one message", param="messages")
    history = History()
    return tuple(parse_message(Obj(raw, f"messages[{index}]"), history) for index, raw in enumerate(raws))


def parse_message(obj: Obj, history: History) -> Message:
    role = obj.need_text("role")
    match role:
        case "system" | "developer" | "user":
            return _plain(obj, role)
        case "assistant":
            return _assistant(obj, history)
        case "tool" | "function":
            return _tool(obj, history, legacy=role == "function")
        case _:
            roles = "system, developer, user, assistant, tool"
            raise obj.error(f"'{obj.at('role')}' must be one of {roles}", param=obj.at("role"))


def _plain(obj: Obj, role: Role) -> Message:
    if obj.members.get("content", b"null") == b"null":
        raise obj.missing("content")
    parts = _marked(obj, parse_content(obj, "content"))
    for key in ("tool_calls", "name"):
        if obj.is_null(key):
            obj.raw(key)
    return Message(role=role, parts=parts, name=obj.text("name"), extra=obj.extra(NAME))


def _marked(obj: Obj, parts: tuple[AnyPart, ...]) -> tuple[AnyPart, ...]:
    """Move a cache mark of the message (a habit of LiteLLM clients) to its last part."""
    if not parts or parts[-1].cache is not None:
        return parts
    cache = cache_of(obj)
    return parts if cache is None else (*parts[:-1], msgspec.structs.replace(parts[-1], cache=cache))


def _assistant(obj: Obj, history: History) -> Message:
    text = obj.text("reasoning_content")
    # vLLM and OpenRouter say `reasoning`; a client may replay either (B-THK-13).
    text = obj.text("reasoning") or text if kind_of(obj.members.get("reasoning", b"")) == "string" else text
    parts: list[AnyPart] = [*parse_reasoning(obj.objects("reasoning_details") or [], text)]
    parts += parse_content(obj, "content")
    seal = google_seal(obj)
    if seal is not None:
        parts = sealed(parts, seal)
    refusal = obj.text("refusal")
    if refusal:
        parts.append(Refusal(text=refusal))
    audio = obj.obj("audio")
    if audio is not None:
        parts.append(Media(kind="audio", source=Ref(issuer=NAME, id=audio.need_text("id"))))
    calls = list(_calls(obj, history))
    marked = _marked(obj, tuple(parts)) if not calls else tuple(parts)
    for key in ("annotations", "reasoning", "images"):
        if obj.members.get(key) in (b"null", b"[]"):
            obj.raw(key)
    return Message(role="assistant", parts=(*marked, *calls), name=obj.text("name"), extra=obj.extra(NAME))


def _calls(obj: Obj, history: History) -> Iterator[ToolCall]:
    for call in obj.objects("tool_calls") or ():
        parsed = parse_call(call, None)
        history.note(parsed)
        yield parsed
    legacy = obj.obj("function_call")
    if legacy is not None:
        name, arguments = legacy.need_text("name"), legacy.text("arguments") or ""
        parsed = ToolCall(call_id=history.legacy_id(), name=name, arguments=arguments)
        history.note(parsed)
        yield parsed


def parse_call(obj: Obj, minted: str | None) -> ToolCall:
    """Read one tool call; `minted` is its id where an upstream gave none (a client must give one: B-TOOL-34)."""
    identity = obj.text("id") or minted
    if identity is None:
        raise obj.missing("id")
    kind = obj.text("type")
    custom = kind == "custom"
    obj.raw("index")
    inner = obj.obj("custom" if custom else "function")
    if inner is None:
        raise obj.missing("custom" if custom else "function")
    call = ToolCall(
        call_id=identity,
        name=inner.text("name") or "" if obj.lenient else inner.need_text("name"),
        arguments=_arguments(inner, "input" if custom else "arguments"),
        kind="custom" if custom else "function",
        cache=cache_of(obj),
        seal=google_seal(obj),
    )
    put_back(obj, "custom" if custom else "function", inner)
    extra = obj.extra(NAME)
    return call if extra is None else msgspec.structs.replace(call, extra=extra)


def _arguments(obj: Obj, key: str) -> str:
    raw = obj.members.get(key, b"null")
    if obj.lenient and kind_of(raw) not in ("string", "null"):  # an object instead of its text (B-STR-12)
        return (obj.raw(key) or b"").decode("utf-8", "replace")
    return obj.text(key) or ""


def google_seal(obj: Obj) -> Seal | None:
    """Take `extra_content.google.thought_signature`, Google's carrier on chat (B-THK-02)."""
    raw = obj.members.get("extra_content")
    if raw is None or kind_of(raw) != "object":
        return None
    content = Obj(raw, lenient=True)
    google = content.obj("google")
    signature = google.text("thought_signature") if google is not None else None
    if google is None or not signature:
        return None
    obj.raw("extra_content")
    put_back(content, "google", google)
    put_back(obj, "extra_content", content)
    return Seal(issuer="gemini", kind="signature", data=signature)


def _tool(obj: Obj, history: History, *, legacy: bool) -> Message:
    name = obj.text("name")
    if legacy:
        call = history.legacy_answer(name)
        identity = call.call_id if call is not None else ""
    else:
        identity = obj.need_text("tool_call_id")
        call = history.calls.get(identity)
    if call is None:
        where = obj.at("role" if legacy or not history.calls else "tool_call_id")
        raise obj.error(
            f"'{where}': a tool message must answer a call in 'tool_calls' of a message before it", param=where
        )
    if obj.members.get("content", b"null") == b"null":
        raise obj.missing("content")
    result = ToolResult(
        call_id=identity, name=call.name, content=parse_content(obj, "content"), kind=call.kind, cache=cache_of(obj)
    )
    return Message(role="tool", parts=(result,), name=name, extra=obj.extra(NAME))


def sealed(parts: list[AnyPart], seal: Seal) -> list[AnyPart]:
    """Put a message's own signature on its last text, which is where Google signs one (B-THK-04)."""
    for index in range(len(parts) - 1, -1, -1):
        if isinstance(parts[index], Text):
            return [*parts[:index], msgspec.structs.replace(parts[index], seal=seal), *parts[index + 1 :]]
    return [*parts, Text(text="", seal=seal)]
