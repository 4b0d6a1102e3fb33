"""Parts of a content, wire to value: one reader for requests (strict) and answers (lenient).

Source: ai.google.dev/api/caching#Part, read 2026-11-20.
"""

from collections.abc import Callable
from typing import Any, Literal

from setu import _json
from setu._json import Json, JsonError
from setu.chat.parts import (
    AnyPart,
    HostedCall,
    HostedResult,
    Inline,
    Media,
    Opaque,
    Reasoning,
    Ref,
    Text,
    ToolCall,
    ToolResult,
    Url,
)
from setu.chat.seals import Extra, Seal
from setu.dialects.gemini.proto import NAME, Fields

_URLSAFE = str.maketrans("-_", "+/")
_YOUTUBE = ("https://www.youtube.com/", "https://youtube.com/", "https://youtu.be/")


def parse_part(raw: Json, param: str, *, lenient: bool = False) -> AnyPart:
    """Read one part. A call or result without an id gets the empty one: whoever sees the whole conversation names it.

    Raises:
        LocalDialectError: a request's part is malformed, or holds two kinds of data.
    """
    obj = Fields(raw, param, lenient=lenient)
    kinds = [kind for kind in _READERS if obj.has(kind)]
    if len(kinds) > 1 and not lenient:
        raise obj.error(f"'{param}' must hold one kind of data, not {' and '.join(kinds)}", param=param)
    if kinds:
        return _READERS[kinds[0]](obj, raw)
    if "thoughtSignature" in obj.members and not set(obj.members) - {"thought", "thoughtSignature"}:
        return _text(obj, raw)
    return Opaque(dialect=NAME, kind=next(iter(obj.members), ""), raw=raw)


def media_kind(mime: str | None) -> Literal["image", "audio", "video", "document"]:
    """Return what a MIME type is to a reader."""
    match (mime or "").partition("/")[0].lower():
        case "image":
            return "image"
        case "audio":
            return "audio"
        case "video":
            return "video"
        case _:
            return "document"


def is_youtube(uri: str) -> bool:
    return uri.startswith(_YOUTUBE)


def _common(obj: Fields) -> dict[str, Any]:
    """Take what every part may carry; call it last."""
    signature = obj.text("thoughtSignature")
    seal = Seal(issuer=NAME, kind="signature", data=signature) if signature else None
    return {"seal": seal, "extra": obj.extra("gemini")}


def _text(obj: Fields, raw: Json) -> AnyPart:
    del raw
    text = obj.text("text") or ""
    thought = obj.members.get("thought") == b"true"
    if obj.lenient or not thought:
        obj.flag("thought")
    if not thought:
        return Text(text=text, **_common(obj))
    # In a request the mark stays in the extra: only Gemini's own thoughts go back to Gemini.
    return Reasoning(text=(text,) if text else (), **_common(obj))


def _inline(obj: Fields, raw: Json) -> AnyPart:
    if obj.members.get("thought") == b"true":  # a draft picture: nothing for the reader
        return Opaque(dialect=NAME, kind="inlineData", raw=raw)
    blob = obj.obj("inlineData")
    if blob is None:
        return Opaque(dialect=NAME, kind="inlineData", raw=raw)
    return _media(obj, _blob(blob), blob)


def _blob(blob: Fields) -> Inline:
    # google-genai writes URL-safe base64; every other API wants the standard alphabet, Gemini takes both.
    data = (blob.text("data") or "").translate(_URLSAFE)
    mime = blob.text("mimeType")
    if mime is None and not blob.lenient:
        raise blob.missing("mimeType")
    return Inline(b64=data, mime=mime or "application/octet-stream")


def _file(obj: Fields, raw: Json) -> AnyPart:
    file = obj.obj("fileData")
    uri = file.text("fileUri") if file is not None else None
    if file is None or uri is None:
        if obj.lenient:
            return Opaque(dialect=NAME, kind="fileData", raw=raw)
        raise obj.missing("fileData.fileUri")
    mime = file.text("mimeType")
    source = Url(url=uri, mime=mime) if _is_public(uri, mime) else Ref(issuer=NAME, id=uri, mime=mime)
    return _media(obj, source, file)


def _is_public(uri: str, mime: str | None) -> bool:
    """Tell a URL that anyone can read from a name of Google's (Files API, Cloud Storage)."""
    if is_youtube(uri):
        return True
    return mime is not None and uri.startswith(("http://", "https://")) and ".googleapis.com/" not in uri


def _media(obj: Fields, source: Inline | Url | Ref, inner: Fields) -> Media:
    """Finish a media part; `displayName` and the like of the inner object keep their place in the extra."""
    kind = "video" if isinstance(source, Url) and is_youtube(source.url) else media_kind(source.mime)
    clip = obj.raw("videoMetadata")
    inner_name = inner.param.rpartition(".")[2]
    obj.members |= inner.rest(inner_name)
    return Media(kind=kind, source=source, clip=clip, **_common(obj))


def _call(obj: Fields, raw: Json) -> AnyPart:
    call = obj.obj("functionCall")
    name = call.text("name") if call is not None else None
    if call is None or not name:
        if obj.lenient:
            return Opaque(dialect=NAME, kind="functionCall", raw=raw)
        raise obj.missing("functionCall.name")
    args = call.raw("args") or b"{}"
    if not call.lenient and _json.kind_of(args) != "object":
        raise call.wrong("args", "an object")
    call_id = call.text("id") or ""
    obj.members |= call.rest("functionCall")
    return ToolCall(call_id=call_id, name=name, arguments=args.decode("utf-8", "surrogatepass"), **_common(obj))


def _result(obj: Fields, raw: Json) -> AnyPart:
    result = obj.obj("functionResponse")
    name = result.text("name") if result is not None else None
    if result is None or not name:
        if obj.lenient:
            return Opaque(dialect=NAME, kind="functionResponse", raw=raw)
        raise obj.missing("functionResponse.name")
    response = result.raw("response") or b"{}"
    if not result.lenient and _json.kind_of(response) != "object":
        raise result.wrong("response", "an object")
    text, failed = unwrap(response)
    content: list[AnyPart] = [Text(text=text)]
    for index, item in enumerate(result.array("parts") or ()):
        content.append(parse_part(item, f"{result.param}.parts[{index}]", lenient=obj.lenient))
    call_id = result.text("id") or ""
    obj.members |= result.rest("functionResponse")
    return ToolResult(
        call_id=call_id, name=name, content=tuple(content), is_error=True if failed else None, **_common(obj)
    )


def wrap(text: str, *, failed: bool) -> Json:
    """Return a tool's text as the object that `response` must be (B-TOOL-06).

    A JSON object goes as it is, anything else under `result`; what failed goes under `error`.
    """
    raw = text.encode("utf-8", "surrogatepass")
    value = raw if _is_value(raw) else _json.encode(text)
    if failed:
        return b'{"error":' + value + b"}"
    return value if _json.kind_of(value) == "object" else b'{"result":' + value + b"}"


def unwrap(response: Json) -> tuple[str, bool]:
    """Return the text that `wrap` would wrap into this response, and whether it tells of a failure."""
    members = _json.split(response)
    for key, failed in (("result", False), ("error", True)):
        value = members.get(key)
        if value is None or len(members) > 1:
            continue
        try:
            text = _json.decode(value) if _json.kind_of(value) == "string" else _plain(value)
            if _json.split(wrap(text, failed=failed)) == members:
                return text, failed
        except JsonError:
            continue
    return _plain(response), False


def _plain(raw: Json) -> str:
    return raw.decode("utf-8", "surrogatepass")


def _is_value(raw: Json) -> bool:
    """Tell JSON that is more than a string from text."""
    if _json.kind_of(raw) in (None, "string"):
        return False
    try:
        _json.decode(raw)
    except JsonError:
        return False
    return True


def _hosted_call(kind: str, tool: Callable[[Fields], str]) -> Callable[[Fields, Json], AnyPart]:
    def read(obj: Fields, raw: Json) -> AnyPart:
        payload = obj.members.get(kind, b"")
        call = obj.obj(kind)
        if call is None:
            return Opaque(dialect=NAME, kind=kind, raw=raw)
        call_id = call.text("id") or ""
        return HostedCall(call_id=call_id, tool=tool(call), dialect=NAME, name=kind, arguments=payload, **_common(obj))

    return read


def _hosted_result(kind: str) -> Callable[[Fields, Json], AnyPart]:
    def read(obj: Fields, raw: Json) -> AnyPart:
        payload = obj.members.get(kind, b"")
        result = obj.obj(kind)
        if result is None:
            return Opaque(dialect=NAME, kind=kind, raw=raw)
        call_id = result.text("id") or ""
        outcome = result.enum("outcome", {1: "OUTCOME_OK"})
        failed = None if outcome is None else outcome != "OUTCOME_OK"
        return HostedResult(call_id=call_id, tool=kind, dialect=NAME, content=payload, is_error=failed, **_common(obj))

    return read


_READERS: dict[str, Callable[[Fields, Json], AnyPart]] = {
    "functionCall": _call,
    "functionResponse": _result,
    "inlineData": _inline,
    "fileData": _file,
    "executableCode": _hosted_call("executableCode", lambda _: "code_execution"),
    "codeExecutionResult": _hosted_result("codeExecutionResult"),
    "toolCall": _hosted_call("toolCall", lambda call: call.text("toolType") or "tool"),
    "toolResponse": _hosted_result("toolResponse"),
    "text": _text,
}


def own_extra(extra: Extra | None) -> dict[str, Json]:
    """Return the members that only Gemini knows, when they are Gemini's."""
    return extra.members if extra is not None and extra.dialect == NAME else {}
