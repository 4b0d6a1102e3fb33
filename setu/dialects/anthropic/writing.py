"""What requests and answers write alike: marks, extras, citations, calls, exact JSON."""

from typing import Any, Literal

from setu import _json
from setu._json import Raw
from setu.chat.parts import HostedCall, HostedResult, Reasoning, ToolCall
from setu.chat.seals import CacheMark, Cite, Extra
from setu.dialects.anthropic.words import NAME
from setu.dialects.record import Loss

Severity = Literal["info", "warn"]
_TTLS = ("5m", "1h")


class Losses(list[Loss]):
    """Losses of one phase, collected while writing."""

    def __init__(self, phase: Literal["request", "response"]) -> None:
        super().__init__()
        self.phase = phase

    def note(self, pointer: str, reason: str, severity: Severity = "warn") -> None:
        self.append(Loss(phase=self.phase, pointer=pointer, reason=reason, severity=severity))


def cache_control(mark: CacheMark | None) -> dict[str, Any]:
    """Return a cache mark as a member; a lifetime that Anthropic does not have is left to its default."""
    if mark is None:
        return {}
    ttl = {"ttl": mark.ttl} if mark.ttl in _TTLS else {}
    return {"cache_control": {"type": "ephemeral"} | ttl}


def own_extra(extra: Extra | None, where: str, losses: Losses, severity: Severity = "info") -> dict[str, Any]:
    """Return the extra members if they are Anthropic's own; else note each one as lost."""
    if extra is None:
        return {}
    if extra.dialect == NAME:
        return {key: Raw(value) for key, value in extra.members.items()}
    for key in extra.members:
        losses.note(f"{where}/{key.replace('~', '~0').replace('/', '~1')}", f"only {extra.dialect} knows it", severity)
    return {}


def own_cites(cites: tuple[Cite, ...], where: str, losses: Losses) -> list[Any]:
    """Return Anthropic's own citations; those of others point into sources that it does not have."""
    own = [Raw(cite.raw) for cite in cites if cite.dialect == NAME and cite.raw is not None]
    if len(own) < len(cites):
        losses.note(where, "citations of another dialect", "info")
    return own


def signed_thinking(part: Reasoning) -> dict[str, Any] | None:
    """Return thinking that Anthropic itself sealed, byte for byte (B-THK-10); None for any other."""
    seal = part.seal
    if seal is None or seal.issuer != NAME:
        return None
    if seal.kind == "redacted":
        return {"type": "redacted_thinking", "data": seal.data}
    return {"type": "thinking", "thinking": thinking_text(part), "signature": seal.data}


def thinking_text(part: Reasoning) -> str:
    """Return a reasoning's text as one: its own words, or else their summary."""
    return "\n\n".join(part.text or part.summary)


def call_input(call: ToolCall) -> Raw | dict[str, Any] | None:
    """Return a call's arguments as an object, exactly as written; None when they are no object (B-TOOL-11)."""
    if call.kind == "custom":
        return {"input": call.arguments}
    if not call.arguments.strip():
        return {}
    try:
        text = call.arguments.encode()
        return Raw(text) if isinstance(_json.decode(text), dict) else None
    except (_json.JsonError, UnicodeEncodeError):
        return None


def hosted_call(part: HostedCall) -> dict[str, Any]:
    """Return a call of one of Anthropic's hosted tools."""
    members: dict[str, Any] = {"type": part.tool, "id": part.call_id, "name": part.name or ""}
    members["input"] = Raw(part.arguments) if part.arguments is not None else {}
    return members | ({"server_name": part.server} if part.server is not None else {})


def hosted_result(part: HostedResult) -> dict[str, Any]:
    """Return what one of Anthropic's hosted tools gave."""
    members: dict[str, Any] = {"type": part.tool, "tool_use_id": part.call_id}
    if part.is_error is not None:
        members["is_error"] = part.is_error
    return members | {"content": Raw(part.content)}


def safe_json(value: Any) -> bytes:
    """Serialise an answer whatever its text holds: a lone surrogate becomes U+FFFD."""
    try:
        return _json.encode(value)
    except _json.JsonError:
        return _json.encode(_clean(value))


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value
