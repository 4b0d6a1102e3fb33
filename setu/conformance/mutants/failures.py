"""Mutants of what a client is told when something failed, and of what OpenAI's own client makes of it."""

from collections.abc import AsyncIterator, Callable, Iterable

from setu import _json
from setu.conformance.judges.view import obj, parse
from setu.conformance.mutants.edits import CHAT, Json, events, object_of, plain, put
from setu.conformance.mutants.mutant import Change, Mutants
from setu.conformance.probes.errors import MESSAGE
from setu.framing.kinds import of_media_type
from setu.http import Request, Response
from setu.ports import Transport

MUTANTS = Mutants()

NO_HEAD = "before a response"
CUT = "before it was complete"
GARBLED = "bad_upstream_response"
"""By these words the reference's errors are told apart: what a mutant mistakes, it mistakes for one of them alone."""

Edit = Callable[[Response, Json, Json], None]
"""Changes an error answer in place: the answer, its `error` object and the request's object."""


class _Failing:
    """A transport whose error answers to chats are edited; the object is written back after the edit."""

    def __init__(self, inner: Transport, edit: Edit) -> None:
        self._inner = inner
        self._edit = edit

    async def send(self, request: Request) -> Response:
        asked = object_of(await request.read())
        response = await self._inner.send(request)
        streams = of_media_type(response.headers.get("content-type")) is not None
        if response.status < 400 or streams or CHAT not in request.path:
            return response
        document = parse(await response.read())
        error = obj(document.get("error")) if isinstance(document, dict) else {}
        response.body = b""
        self._edit(response, error, asked)
        response.body = response.body or _json.encode({"error": error})
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Event:
    """A stream of one event."""

    def __init__(self, event: bytes) -> None:
        self._event = event

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._event

    async def aclose(self) -> None:
        """Do nothing: there is nothing to release."""


def failing(edit: Edit) -> Change:
    """Edit every error answer to a chat."""
    return lambda inner: _Failing(inner, edit)


def turned(was: int, becomes: int, *, words: str = "") -> Change:
    """Answer with another status; `words` are in the errors that are meant, or in their code."""

    def edit(response: Response, error: Json, _asked: Json) -> None:
        if response.status == was and _says(error, words):
            response.status = becomes

    return failing(edit)


def with_error(edit: Callable[[Json], None], *statuses: int) -> Change:
    """Edit the `error` object of answers with some statuses."""

    def edited(response: Response, error: Json, _asked: Json) -> None:
        if response.status in statuses:
            edit(error)

    return failing(edited)


def answered(words: str) -> Change:
    """Answer instead of some errors of plain chats as if there had been no failure."""

    def edit(response: Response, error: Json, asked: Json) -> None:
        if _says(error, words) and not asked.get("stream"):
            response.status = 200
            response.body = _json.encode({**_COMPLETION, "model": asked.get("model")})

    return failing(edit)


def late(edit: Callable[[Json], Iterable[Json | bytes]], *, cut: bool) -> Change:
    """Edit the error events of streams: those of an upstream that was cut off, or the others."""

    def edited(found: Json, _asked: Json) -> Iterable[Json | bytes]:
        error = obj(found.get("error"))
        return edit(found) if error and (error.get("code") == "upstream_truncated") is cut else [found]

    return events(edited)


def _says(error: Json, words: str) -> bool:
    return words in f"{error.get('message')} {error.get('code')}"


_COMPLETION: Json = {
    "id": "chatcmpl-setu-mutant",
    "object": "chat.completion",
    "created": 1_790_000_000,
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello.", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
_ENDLESS = ("SSE-002", "STR-009")
"""What a stream fails that ends in an orderly way, and has neither an error nor an end."""
_DONE = b"data: [DONE]\n\n"
_TRACE = '\nTraceback (most recent call last):\n  File "gateway.py", line 7, in send'
_LIBRARY = " (/usr/lib/python3/dist-packages/gateway/send)"


def _as_text(response: Response, _error: Json, _asked: Json) -> None:
    response.headers.set("content-type", "text/html")


def _at_once(response: Response, _error: Json, _asked: Json) -> None:
    response.headers.remove("retry-after")


def _tomorrow(response: Response, _error: Json, _asked: Json) -> None:
    if "retry-after" in response.headers:
        response.headers.set("retry-after", "86400")


def _without_code(error: Json) -> None:
    if error.get("code") == "context_length_exceeded":
        error["code"] = None


def _as_stream(response: Response, error: Json, asked: Json) -> None:
    if asked.get("stream") and response.status == 503:
        response.status = 200
        response.headers.set("content-type", "text/event-stream")
        response.body = _Event(b"data: " + _json.encode({"error": error}) + b"\n\n")


def _as_success(response: Response, error: Json, _asked: Json) -> None:
    if _says(error, MESSAGE):
        response.status = 200


def _failed_choice(made: Json, _asked: Json) -> Json:
    made["choices"][0]["error"] = {"message": "the host gave up", "code": 502}
    return made


MUTANTS.front("ERR-001", "no_type", "An error has no type.", with_error(lambda error: error.pop("type"), 400, 503))
MUTANTS.front("ERR-002", "no_param", "An error has no param.", with_error(lambda error: error.pop("param"), 404, 503))
MUTANTS.front("ERR-002", "integer_code", "A code is a number.", with_error(lambda error: error.update(code=503), 503))
MUTANTS.front("ERR-003", "html", "An error is declared as a page.", failing(_as_text))
MUTANTS.front("ERR-004", "rate_limit_as_400", "Haste is the client's fault.", turned(429, 400), implies="SDK-002")
MUTANTS.front("ERR-004", "unavailable_as_400", "An upstream that is down is the client's fault.", turned(503, 400))
MUTANTS.front("ERR-005", "retry_after_lost", "Nobody says when to come again.", failing(_at_once))
MUTANTS.front("ERR-005", "retry_after_changed", "Come again tomorrow.", failing(_tomorrow))
MUTANTS.front("ERR-006", "no_code", "A prompt that is too long is just wrong.", with_error(_without_code, 400))
MUTANTS.front("ERR-007", "error_as_stream", "A stream that never began is one.", failing(_as_stream), implies="ERR-004")
MUTANTS.front(
    "ERR-008", "error_swallowed", "A stream that failed just ends.", late(lambda _: [], cut=False), implies=_ENDLESS
)
MUTANTS.front(
    "ERR-008", "done_after_error", "A stream ends well after its error.", late(lambda found: [found, _DONE], cut=False)
)
MUTANTS.front(
    "ERR-009",
    "truncated_as_whole",
    "A stream that broke off ends well.",
    late(lambda _: [_DONE], cut=True),
    implies="STR-009",
)
MUTANTS.front(
    "ERR-009",
    "truncated_in_silence",
    "A stream that broke off just ends.",
    late(lambda _: [], cut=True),
    implies=_ENDLESS,
)
MUTANTS.front("ERR-009", "cut_plain_as_success", "Half an answer is one.", answered(CUT))
MUTANTS.front("ERR-010", "refused_as_500", "Nobody's answer is one's own failure.", turned(502, 500, words=NO_HEAD))
MUTANTS.front("ERR-011", "html_as_success", "A page is an answer.", answered(GARBLED))
MUTANTS.front("ERR-011", "html_as_500", "A page is one's own failure.", turned(502, 500, words=GARBLED))
MUTANTS.front(
    "ERR-012",
    "traceback",
    "An error shows where it was raised.",
    with_error(lambda error: error.update(message=f"{error['message']}{_TRACE}"), 500),
)
MUTANTS.front(
    "ERR-012",
    "path",
    "An error shows where one is installed.",
    with_error(lambda error: error.update(message=f"{error['message']}{_LIBRARY}"), 500),
)
MUTANTS.front(
    "ERR-013",
    "message_lost",
    "An error says nothing of what the provider said.",
    with_error(lambda error: error.update(message="The provider failed."), 503),
)
MUTANTS.front("ERR-014", "failed_choice", "A choice that failed is one of a success.", plain(_failed_choice))
MUTANTS.front("ERR-014", "error_under_200", "An error has a success's status.", failing(_as_success), implies="ERR-004")
MUTANTS.front("SDK-001", "no_tier", "A tier is none that the client knows.", plain(put("/service_tier", "best")))
MUTANTS.front("SDK-002", "not_found_as_400", "What is not there is wrong.", turned(404, 400), implies="ERR-004")
