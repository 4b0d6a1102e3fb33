"""Converse requests as the model sees them: the way no client asks, so it is written here, for round trips only."""

from typing import Any

import msgspec

from setu import _json
from setu.chat.ids import counter
from setu.chat.parts import AnyPart, Inline, Media, Opaque, ToolResult, Url
from setu.chat.request import ChatRequest, FunctionTool, HostedTool, Message, Options, Output, Tool, ToolChoice
from setu.chat.seals import CacheMark, Extra
from setu.dialects.bedrock.blocks import read_block
from setu.dialects.bedrock.media import _DOCUMENTS, _FORMATS
from setu.dialects.bedrock.words import NAME

_KNOWN = ("messages", "system", "inferenceConfig", "toolConfig", "outputConfig", "serviceTier")


def _raw(value: Any) -> bytes:
    return _json.encode(value)


def read_request(body: bytes, model: str) -> ChatRequest:
    """Read a request; a member that the model has no field for is an extra."""
    value = _json.decode(body)
    config, tools = value.get("inferenceConfig") or {}, value.get("toolConfig") or {}
    names = {
        "max_tokens": config.get("maxTokens"),
        "temperature": config.get("temperature"),
        "top_p": config.get("topP"),
        "stop": tuple(config["stopSequences"]) if config.get("stopSequences") else None,
        "service_tier": (value.get("serviceTier") or {}).get("type"),
    }
    options: dict[str, Any] = {name: found for name, found in names.items() if found is not None}
    return ChatRequest(
        model=model,
        system=_blocks(value.get("system") or []),
        messages=tuple(Message(role=m["role"], parts=_blocks(m["content"])) for m in value["messages"]),
        tools=_tools(tools.get("tools") or []),
        tool_choice=_choice(tools.get("toolChoice")),
        output=_output(value.get("outputConfig")),
        options=Options(**options),
        extra=Extra(dialect=NAME, members={key: _raw(found) for key, found in value.items() if key not in _KNOWN}),
    )


def _blocks(blocks: list[dict[str, Any]]) -> tuple[AnyPart, ...]:
    parts: list[AnyPart] = []
    for block in blocks:
        if "cachePoint" in block and parts:
            parts[-1] = msgspec.structs.replace(parts[-1], cache=CacheMark(ttl=block["cachePoint"].get("ttl")))
        else:
            parts.append(_block(block))
    return tuple(parts)


def _block(block: dict[str, Any]) -> AnyPart:
    (kind, value), *_ = block.items()
    if kind in ("image", "document", "video") and set(value) <= {"format", "name", "source"}:
        return _media(kind, value)
    if kind == "toolResult" and "type" not in value:
        status = value.get("status")
        return ToolResult(
            call_id=value["toolUseId"],
            content=tuple(_block(inner) for inner in value["content"]),
            is_error=None if status is None else status == "error",
        )
    if kind in ("json", "guardContent"):
        return Opaque(dialect=NAME, kind=kind, raw=_raw(block))
    return read_block(_raw(block), counter())


def _media(kind: Any, value: dict[str, Any]) -> Media:
    formats = _DOCUMENTS if kind == "document" else _FORMATS[kind]
    mime = next((mime for mime, form in formats.items() if form == value.get("format")), "application/x-unknown")
    source = value["source"]
    where = (
        Inline(b64=source["bytes"], mime=mime) if "bytes" in source else Url(url=source["s3Location"]["uri"], mime=mime)
    )
    return Media(kind=kind, source=where, name=value.get("name"))


def _tools(tools: list[dict[str, Any]]) -> tuple[Tool, ...]:
    found: list[Tool] = []
    for tool in tools:
        spec = tool.get("toolSpec")
        if spec is None:
            found.append(HostedTool(kind=next(iter(tool)), dialect=NAME, config=_raw(tool)))
        else:
            schema = _raw(spec["inputSchema"]["json"])
            found.append(
                FunctionTool(
                    name=spec["name"], description=spec.get("description"), schema=schema, strict=spec.get("strict")
                )
            )
    return tuple(found)


def _choice(choice: dict[str, Any] | None) -> ToolChoice | None:
    if not choice:
        return None
    if "tool" in choice:
        return ToolChoice(mode="named", names=(choice["tool"]["name"],))
    return ToolChoice(mode="required" if "any" in choice else "auto")


def _output(config: dict[str, Any] | None) -> Output | None:
    if not config:
        return None
    form = config["textFormat"]["structure"]["jsonSchema"]
    return Output(
        kind="schema", schema=form["schema"].encode(), name=form.get("name"), description=form.get("description")
    )


def canonical(body: dict[str, Any]) -> dict[str, Any]:
    """Bring a request to the spelling that Setu writes: defaults and synonyms, and a blank text nobody takes."""
    members = {key: value for key, value in body.items() if value not in (None, {}, [])}
    merged: list[dict[str, Any]] = []
    for message in members["messages"]:
        content = [_plain(block) for block in message["content"] if block.get("text") is None or block["text"].strip()]
        if merged and merged[-1]["role"] == message["role"]:
            merged[-1]["content"] += content
        elif content:
            merged.append({"role": message["role"], "content": content})
    members["messages"] = merged
    if members.get("inferenceConfig", {}).get("stopSequences") == []:
        del members["inferenceConfig"]["stopSequences"]
    if "toolConfig" in members:
        config = members["toolConfig"]
        for tool in config["tools"]:
            spec = tool.get("toolSpec", {})
            if not spec.get("strict"):
                spec.pop("strict", None)
            if "inputSchema" in spec:
                spec["inputSchema"]["json"].setdefault("type", "object")
    return members


def by_bytes(body: dict[str, Any]) -> dict[str, Any]:
    """Label each JPEG of a request as what it is, whatever its own label says (B-MED-01)."""
    messages = [
        message | {"content": [_relabelled(block) for block in message["content"]]} for message in body["messages"]
    ]
    return body | {"messages": messages}


def _relabelled(block: dict[str, Any]) -> dict[str, Any]:
    (kind, value), *_ = block.items()
    if kind not in ("image", "video") or not str(value["source"].get("bytes", "")).startswith("/9j/"):
        return block
    return {"image": {"format": "jpeg", "source": value["source"]}}


def _plain(block: dict[str, Any]) -> dict[str, Any]:
    if "toolResult" in block and block["toolResult"].get("status") == "success" and "type" not in block["toolResult"]:
        return {"toolResult": {key: value for key, value in block["toolResult"].items() if key != "status"}}
    return block
