"""What requests and answers write alike: marks, extras, citations, calls, exact JSON."""

from typing import Any

from setu import _json
from setu._json import Raw
from setu.chat.parts import HostedCall, HostedResult, Reasoning
from setu.chat.seals import CacheMark, Cite, Extra
from setu.dialects.anthropic.words import NAME
from setu.dialects.claude import thinking_text
from setu.dialects.losses import Losses, Severity

_TTLS = ("5m", "1h")


def cache_control(mark: CacheMark | None) -> dict[str, Any]:
    """Return a cache mark as a member; a lifetime that Anthropic does not have is left to its default."""
    if mark is None:
        return {}
    ttl = {"ttl": mark.ttl} if mark.ttl in _TTLS else {}
    return {"cache_control": {"type": "ephemeral"} | ttl}


def own_extra(extra: Extra | None, where: str, losses: Losses, severity: Severity = "info") -> dict[str, Any]:
    """Return the extra members if they are Anthropic's own; else note each one as lost."""
    losses.note_foreign(extra, NAME, where, severity)
    own = extra.members if extra is not None and extra.dialect == NAME else {}
    return {key: Raw(value) for key, value in own.items()}


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
