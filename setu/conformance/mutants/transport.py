"""Mutants of HTTP itself, of keys, and of lists of models."""

import asyncio
from collections.abc import Callable
from typing import Any

from setu.build import OFFLINE_KEY
from setu.conformance.front import KEY
from setu.conformance.mutants.edits import (
    CHAT,
    Json,
    answers,
    failures,
    frames,
    headers,
    object_of,
    plain,
    requests,
)
from setu.conformance.mutants.mutant import Change, Mutants
from setu.http import Headers, Request, Response
from setu.ports import Transport

MUTANTS = Mutants()
MODELS = "/models"
KNOWN_MODEL = "openai/gpt-4o-mini"


def _relabelled(was: str, becomes: str) -> Change:
    """Change the media type of chats that succeed."""

    def edit(request: Request, response: Response) -> Response:
        fits = (response.headers.get("content-type") or "").startswith(was)
        if fits and CHAT in request.path and response.status == 200:
            response.headers.set("content-type", becomes)
        return response

    return answers(edit)


def _malformed(edit: Callable[[Response], None]) -> Change:
    """Change what is answered to chats whose body is no object."""

    def edited(request: Request, response: Response) -> Response:
        if CHAT in request.path and request.method == "POST" and not object_of(request.body):
            edit(response)
        return response

    return answers(edited)


def _failing(response: Response) -> None:
    response.status = 500


def _in_words(response: Response) -> None:
    response.headers.set("content-type", "text/plain")
    response.body = b"Bad Request"


def _status_of(method: str, status: int) -> Change:
    def edit(request: Request, response: Response) -> Response:
        if request.method == method:
            response.status = status
        return response

    return answers(edit)


def _page_for_nowhere(request: Request, response: Response) -> Response:
    if response.status == 404 and request.path.endswith("/no/such/route"):
        response.headers.set("content-type", "text/html")
        response.body = b"<h1>Not Found</h1>"
    return response


def heard(edit: Callable[[Headers], None]) -> Change:
    """Edit the header fields of every request, in place, before anybody looks at them."""

    class Hearing:
        def __init__(self, inner: Transport) -> None:
            self._inner = inner

        async def send(self, request: Request) -> Response:
            edit(request.headers)
            return await self._inner.send(request)

        async def aclose(self) -> None:
            await self._inner.aclose()

    return Hearing


class _OneDesk:
    """Has one place for what is asked: who asks while another one's question lies there replaces it."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self._asked = b""
        self._clients = 0

    async def send(self, request: Request) -> Response:
        body = await request.read()
        if b"nonce:" not in body:
            return await self._inner.send(request)
        self._asked = body
        self._clients += 1
        for _ in range(200):  # the first one meets the second, however long that takes to come
            if self._clients > 1:
                break
            await asyncio.sleep(0.01)
        request.body = self._asked
        return await self._inner.send(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


MUTANTS.front(
    "TRN-001",
    "plain_as_text",
    "A plain answer is labelled as text.",
    _relabelled("application/json", "text/plain"),
)
MUTANTS.front(
    "TRN-002", "stream_as_json", "A stream is labelled as JSON.", _relabelled("text/event-stream", "application/json")
)
MUTANTS.front(
    "TRN-003",
    "byte_order_mark",
    "A stream starts with a byte order mark.",
    frames(lambda frame, _asked: [b"\xef\xbb\xbf" + frame if b'"role":"assistant"' in frame else frame]),
)
MUTANTS.front("TRN-004", "malformed_500", "A body that is no JSON is a failure of the server.", _malformed(_failing))
MUTANTS.front(
    "TRN-004",
    "malformed_in_words",
    "A body that is no JSON is refused in plain text.",
    _malformed(_in_words),
    implies=("ERR-001", "ERR-003"),
)
MUTANTS.front(
    "TRN-005",
    "form_taken",
    "A body is read whatever it is declared as.",
    heard(lambda fields: fields.set("content-type", "application/json")),
)
MUTANTS.front("TRN-006", "page_for_nowhere", "An unknown route gets a page.", answers(_page_for_nowhere))
MUTANTS.front("TRN-007", "wrong_method_404", "A wrong method is as good as a wrong path.", _status_of("DELETE", 404))
MUTANTS.front(
    "TRN-008", "no_request_id", "A chat has no request id.", headers(lambda fields: fields.remove("x-request-id"), CHAT)
)
MUTANTS.front("TRN-009", "one_desk", "Of several clients one gets another one's answer.", _OneDesk, implies="PRX-005")
MUTANTS.front(
    "TRN-010",
    "proxy_header",
    "A field of another connection is passed on.",
    headers(lambda fields: fields.set("proxy-connection", "keep-alive"), CHAT),
)


def _lets_in(wants: Callable[[str | None], bool]) -> Change:
    """Take some credentials for a key that fits."""

    def edit(fields: Headers) -> None:
        if wants(fields.get("authorization")) and "x-api-key" not in fields:
            fields.set("authorization", f"Bearer {KEY}")

    return heard(edit)


def _repeats_key(request: Request, response: Response) -> Response:
    response.headers.set("x-authorized-by", request.headers.get("authorization") or "nobody")
    return response


def _tells_key(made: Json, _asked: Json) -> Json:
    made["error"]["message"] += f" (asked with {OFFLINE_KEY})"
    return made


MUTANTS.front("AUTH-001", "open_door", "Who shows no key is let in.", _lets_in(lambda shown: shown is None))
MUTANTS.front("AUTH-002", "any_key", "Any key will do.", _lets_in(lambda shown: (shown or "").startswith("Bearer ")))
MUTANTS.front(
    "AUTH-003",
    "any_scheme",
    "A password is taken for a key.",
    _lets_in(lambda shown: (shown or "").startswith("Basic ")),
)
MUTANTS.front("AUTH-004", "key_in_header", "The client's key is in a field of the answer.", answers(_repeats_key))
MUTANTS.front(
    "AUTH-005",
    "upstream_key_in_error",
    "An error tells with which key the upstream was asked.",
    failures(_tells_key, CHAT),
)


def _rows(edit: Callable[[list[Json]], Any]) -> Change:
    """Answer another thing than the list of models that there is."""
    return plain(lambda made, _asked: edit(made["data"]) if "data" in made else made, MODELS)


def _listed(rows: list[Json]) -> Json:
    return {"object": "list", "data": rows}


def _without_owner(row: Json) -> Json:
    return {name: value for name, value in row.items() if name != "owned_by"}


def _no_single_model(request: Request, response: Response) -> Response:
    if request.path.startswith("/v1/models/"):
        response.status = 404
    return response


def _without_code(made: Json, _asked: Json) -> Json:
    if made["error"]["code"] == "model_not_found":
        made["error"]["code"] = None
    return made


def _some_model(asked: Json) -> Json:
    unknown = str(asked.get("model")).endswith("no-such-model-setu")
    return {**asked, "model": KNOWN_MODEL} if unknown else asked


MUTANTS.front("MOD-001", "bare_list", "Models come as a bare array.", _rows(lambda rows: rows))
MUTANTS.front(
    "MOD-002", "no_owner", "Models have no owner.", _rows(lambda rows: _listed([_without_owner(row) for row in rows]))
)
MUTANTS.front("MOD-003", "model_twice", "A model is listed twice.", _rows(lambda rows: _listed([*rows, rows[0]])))
MUTANTS.front("MOD-004", "no_single_model", "A model that is listed cannot be looked up.", answers(_no_single_model))
MUTANTS.front(
    "MOD-005", "some_model", "Who asks for an unknown model gets another one's answer.", requests(_some_model, CHAT)
)
MUTANTS.front(
    "MOD-005",
    "unknown_model_without_code",
    "The refusal of an unknown model has no code.",
    failures(_without_code, CHAT),
)
