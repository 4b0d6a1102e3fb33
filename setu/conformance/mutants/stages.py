"""Mutants for the stages that are neither probes nor laws: scenarios, and generated requests."""

from collections.abc import Mapping
from typing import Any

from setu import _json
from setu.conformance.mutants.codecs import body, in_choices, of, sent, without
from setu.conformance.mutants.edits import CHAT, Json, answers, object_of, plain, put, requests
from setu.conformance.mutants.mutant import Mutants
from setu.http import Request, Response

MUTANTS = Mutants()

# Scenarios: what the upstream is sent, and what the client gets ------------------------------------------------------


def _unmarked(value: Any) -> Any:
    """Take every cache mark off."""
    if isinstance(value, dict):
        return {name: _unmarked(inner) for name, inner in value.items() if name != "cache_control"}
    return [_unmarked(inner) for inner in value] if isinstance(value, list) else value


def _uncited(choice: Json) -> Json:
    return {**choice, "message": without("annotations")(choice["message"])}


MUTANTS.scenario(
    "SCN-001",
    "unmarked",
    "No cache mark reaches Anthropic.",
    dialects=of("anthropic", sent(_unmarked)),
    provider="anthropic",
)
MUTANTS.scenario(
    "SCN-002",
    "uncited",
    "What Claude cites is lost to a chat client.",
    dialects=of("openai_chat", body(in_choices(_uncited))),
    provider="anthropic",
)

# Generated requests --------------------------------------------------------------------------------------------------

_NUMBERS = ("temperature", "top_p", "n", "seed", "frequency_penalty", "presence_penalty", "max_completion_tokens")
_BROKEN = {"error": {"message": "something broke", "type": "server_error", "param": None, "code": None}}


def _asked(request: Request) -> Mapping[str, Any]:
    return object_of(request.body)


def _broken(response: Response) -> Response:
    response.status = 500
    response.headers.set("content-type", "application/json")
    response.body = _json.encode(_BROKEN)
    return response


def _tools_break_it(request: Request, response: Response) -> Response:
    """A legal request that has tools breaks the server."""
    served = CHAT in request.path and response.status == 200
    return _broken(response) if served and _asked(request).get("tools") else response


def _nonsense_breaks_it(request: Request, response: Response) -> Response:
    """A request whose messages are no list breaks the server."""
    asked = CHAT in request.path and response.status == 400
    return _broken(response) if asked and not isinstance(_asked(request).get("messages"), list) else response


def _lenient(made: Json) -> Json:
    """Leave out what should be a number and is none."""
    return {name: value for name, value in made.items() if name not in _NUMBERS or isinstance(value, (int, float))}


MUTANTS.fuzz("FUZ-001", "tools_break_it", "A legal request with tools gets a 500.", answers(_tools_break_it))
MUTANTS.fuzz("FUZ-002", "nonsense_breaks_it", "Messages that are no list get a 500.", answers(_nonsense_breaks_it))
MUTANTS.fuzz("FUZ-003", "lenient", "A text where a number belongs is overlooked.", requests(_lenient))
MUTANTS.fuzz(
    "FUZ-004", "numbered_metadata", "An answer's metadata are no texts.", plain(put("/metadata", {"tries": 1}))
)
