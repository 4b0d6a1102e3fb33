"""Error answers towards OpenAI clients, and what must never leak (ERR, AUTH), of every dialect where it says so."""

import re
from collections.abc import Iterator

from setu.conformance.judges.finding import Finding, Rules, both, flaw
from setu.conformance.judges.view import GEMINI, MODELS, OPENAI, RESPONSES, View, failed, known, obj, seq
from setu.conformance.wire.model import mismatch
from setu.conformance.wire.openai_chat import ErrorEnvelope

RULES = Rules()

_LEAKS = {
    "a traceback": re.compile(rb"Traceback \(most recent call last\)|\\?n\s+File \\?\"[^\"]+\\?\", line \d+"),
    "a stack frame": re.compile(rb"\bat [\w.$<>]+ \(?(?:file://)?/[\w./-]+:\d+:\d+"),
    "a path": re.compile(rb"/site-packages/|/usr/(?:local/)?lib/python|/(?:home|Users)/\w+/|/app/[\w/]+\.py\b"),
    "an API key": re.compile(rb"\bsk-(?:ant-|proj-|or-)?[A-Za-z0-9_-]{24,}|\bAIza[\w-]{35}|\bBearer [\w.~+/-]{20,}"),
}
_WEAK_KEYS = ("", "none", "null", "dummy", "test", "redacted")


def _openai_error(view: View) -> bool:
    return view.dialect in (OPENAI, RESPONSES, MODELS) and failed(view) and not view.of_a_front


@RULES.add("ERR-001", _openai_error)
def envelope(view: View) -> Iterator[Finding]:
    wrong = mismatch(view.json, ErrorEnvelope)
    # `param` and `code` are ERR-002's.
    if wrong and not wrong.path.endswith((".param", ".code")):
        yield flaw(wrong.message, path=wrong.path, want='{"error": {"message", "type"}}')
    elif not obj(view.document.get("error")).get("message"):
        yield flaw("the error has no message", path="$.error.message")


@RULES.add("ERR-002", both(_openai_error, lambda view: bool(obj(view.document.get("error")))))
def param_and_code(view: View) -> Iterator[Finding]:
    error = obj(view.document.get("error"))
    for key in ("param", "code"):
        if key not in error:
            yield flaw("a nullable member is left out", path=f"$.error.{key}")
        elif error[key] is not None and not isinstance(error[key], str):
            yield flaw("neither a string nor null", path=f"$.error.{key}", got=error[key])
        elif error[key] == "None":
            yield flaw('the string "None" instead of null (B-ERR-05)', path=f"$.error.{key}", got="None")


@RULES.add("ERR-003", both(known, failed, lambda view: not view.of_a_front))
def errors_are_json(view: View) -> Iterator[Finding]:
    # Google's endpoint labels the JSON of a failed stream as the stream that was asked for (genai-b160c97e2b).
    labels = {"application/json"} | ({"text/event-stream"} if view.dialect == GEMINI and view.wants_stream else set())
    if view.content_type not in labels:
        yield flaw("an error is not declared as JSON", got=view.content_type, want="application/json")
    array = view.dialect == GEMINI and view.as_array and isinstance(view.json, list)
    if not isinstance(view.json, dict) and not array:
        # Gemini's endpoint sends an array where the stream was to be one (B-ERR-13); else clients expect an object.
        yield flaw("an error is not a JSON object", path="$")


@RULES.add("ERR-012", both(known, lambda view: failed(view) or bool(view.errors)))
def nothing_internal_leaks(view: View) -> Iterator[Finding]:
    body = view.exchange.body if failed(view) else b"\n".join(event.data for event in view.errors)
    for what, pattern in _LEAKS.items():
        found = pattern.search(body)
        if found:
            yield Finding("", f"an error tells {what} (B-ERR-16)", span=found.span() if failed(view) else None)


# The only line of a stream of JSON lines is no body: Ollama's streams fail like that (genai-2b75b9c106).
@RULES.add("ERR-014", both(known, lambda view: view.ok and not (view.streamed and view.document)))
def no_error_under_200(view: View) -> Iterator[Finding]:
    document = view.document
    if document.get("error") or document.get("type") == "error" or document.get("object") == "error":
        yield flaw("an error under a success status (B-ERR-08)", path="$.error", got=document.get("error"))
    for place, choice in enumerate(seq(document.get("choices"))):
        if obj(choice).get("error"):
            yield flaw("a choice failed under a success status", path=f"$.choices[{place}].error")


@RULES.add("AUTH-004", lambda view: known(view) and bool(_keys(view)))
def key_is_not_echoed(view: View) -> Iterator[Finding]:
    for key in _keys(view):
        at = view.exchange.body.find(key)
        if at >= 0:
            yield Finding("", "the client's key is in the body", span=(at, at + len(key)))
        if any(key in value for _, value in view.exchange.headers.raw):
            yield Finding("", "the client's key is in a header")


def _keys(view: View) -> list[bytes]:
    """Return the credentials of the request that are long enough to be told from ordinary words."""
    headers = view.exchange.request.headers
    values = [headers.get("authorization") or "", headers.get("x-api-key") or "", headers.get("x-goog-api-key") or ""]
    keys = [value.removeprefix("Bearer ").strip() for value in values]
    return [key.encode("latin-1", "replace") for key in keys if len(key) >= 12 and key.lower() not in _WEAK_KEYS]
