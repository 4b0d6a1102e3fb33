"""Mutants of what is asked: parameters, structured output, and what is not text."""

from collections.abc import Callable
from typing import Any

from setu.conformance.mutants.answers import finish
from setu.conformance.mutants.asked import in_parts
from setu.conformance.mutants.edits import CHAT, Json, failures, plain, refusals, requests, when
from setu.conformance.mutants.mutant import Change, Mutants
from setu.conformance.mutants.transport import KNOWN_MODEL

MUTANTS = Mutants()
ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
PARTS = frozenset({"text", "image_url", "input_audio", "file", "refusal"})


def _rewritten(edit: Callable[[Json], Json | None]) -> Change:
    """Put members of a chat's request in place of others; None leaves it as it is."""
    return requests(lambda asked: {**asked, **(edit(asked) or {})}, CHAT)


def _left_out(name: str, when: Callable[[Any], bool]) -> Change:
    """Leave a member of a chat's request out, for some of its values."""
    return requests(lambda asked: _but(asked, name) if name in asked and when(asked[name]) else asked, CHAT)


def _but(asked: Json, name: str) -> Json:
    return {key: value for key, value in asked.items() if key != name}


def _messages(edit: Callable[[Json], Json]) -> Change:
    """Edit every message of a chat."""
    return _rewritten(lambda asked: {"messages": [edit(one) for one in asked["messages"]]} if _listed(asked) else None)


def _listed(asked: Json) -> bool:
    return isinstance(asked.get("messages"), list)


def _parts(keep: Callable[[int, Json], bool]) -> Callable[[Json], Json]:
    """Return an edit of a message that keeps some of its parts."""

    def edit(message: Json) -> Json:
        content = message.get("content")
        if not isinstance(content, list):
            return message
        return {**message, "content": [part for place, part in enumerate(content) if keep(place, part)]}

    return edit


def _without_developer(asked: Json) -> Json | None:
    if not _listed(asked):
        return None
    return {"messages": [one for one in asked["messages"] if one.get("role") != "developer"]}


def _clamped(asked: Json) -> Json | None:
    heat = asked.get("temperature")
    return {"temperature": min(heat, 2)} if isinstance(heat, int | float) else None


def _unnamed(made: Json, asked: Json) -> Json:
    if isinstance(asked.get("stream"), str):
        made["error"] |= {"param": None, "message": "The request is invalid."}
    return made


def _is_null(asked: Json) -> bool:
    return asked.get("temperature", 0) is None


MUTANTS.front(
    "PAR-001",
    "unknown_is_500",
    "A parameter that is not known breaks the server.",
    refusals(lambda asked: "x_setu_unknown" in asked, 500),
)
MUTANTS.front("PAR-002", "clamped", "Too much heat is made less without a word.", _rewritten(_clamped))
MUTANTS.front(
    "PAR-003",
    "mistyped_ignored",
    "A value of the wrong type counts as none.",
    _left_out("max_tokens", lambda value: isinstance(value, str)),
)
MUTANTS.front("PAR-003", "mistyped_unnamed", "A refusal does not say what is wrong.", failures(_unnamed, CHAT))
MUTANTS.front("PAR-004", "null_refused", "Null is refused.", refusals(_is_null))
MUTANTS.front(
    "PAR-005",
    "no_messages_made_up",
    "Who says nothing is taken to say hello.",
    _rewritten(
        lambda asked: {"messages": [{"role": "user", "content": "Hello."}]} if asked.get("messages") == [] else None
    ),
)
MUTANTS.front(
    "PAR-006",
    "some_model_without_one",
    "A model is chosen for who names none.",
    _rewritten(lambda asked: None if "model" in asked else {"model": KNOWN_MODEL}),
)
MUTANTS.front(
    "PAR-007",
    "wizard_as_user",
    "Whoever speaks is the user.",
    _messages(lambda one: one if one.get("role") in ROLES else {**one, "role": "user"}),
)
MUTANTS.front(
    "PAR-008",
    "four_stops_of_five",
    "What stop sequences there are too many are dropped.",
    _rewritten(lambda asked: {"stop": asked["stop"][:4]} if isinstance(asked.get("stop"), list) else None),
)
MUTANTS.front(
    "PAR-009",
    "new_cap_cut_without_a_word",
    "An answer that was cut by the newer cap claims to be whole.",
    plain(when(lambda asked: "max_completion_tokens" in asked, finish("length", "stop"))),
)
MUTANTS.front(
    "PAR-009",
    "new_cap_ignored",
    "The newer name of the cap is not known.",
    _left_out("max_completion_tokens", lambda _: True),
    implies="USG-007",
)
MUTANTS.front(
    "PAR-010",
    "developer_refused",
    "The developer's role is not known.",
    refusals(lambda asked: _listed(asked) and any(one.get("role") == "developer" for one in asked["messages"])),
)
MUTANTS.front("PAR-010", "developer_dropped", "What the developer says is left out.", _rewritten(_without_developer))
MUTANTS.front("PAR-011", "seed_refused", "A seed is refused.", refusals(lambda asked: asked.get("seed") == 42))
MUTANTS.front(
    "PAR-012",
    "bias_dropped",
    "A bias is dropped without a word.",
    _left_out("logit_bias", lambda value: value is not None),
)


def _ignored(kind: str, *, streamed: bool = False, broken: bool = False) -> Change:
    """Ignore a wanted form of the answer."""

    def edit(asked: Json) -> Json:
        form = asked.get("response_format") or {}
        schema = (form.get("json_schema") or {}).get("schema") or {}
        invalid = schema.get("type") not in (None, "object")
        fits = form.get("type") == kind and bool(asked.get("stream")) == streamed and invalid == broken
        return _but(asked, "response_format") if fits else asked

    return requests(edit, CHAT)


MUTANTS.front("RF-001", "json_object_ignored", "JSON was asked for, and prose comes.", _ignored("json_object"))
MUTANTS.front("RF-002", "schema_ignored", "A schema was given, and prose comes.", _ignored("json_schema"))
MUTANTS.front(
    "RF-003", "invalid_schema_ignored", "A schema that is none is not looked at.", _ignored("json_schema", broken=True)
)
MUTANTS.front(
    "RF-004",
    "schema_ignored_in_streams",
    "A schema was given, and prose is streamed.",
    _ignored("json_schema", streamed=True),
)
MUTANTS.front("MM-001", "parts_refused", "A list of texts is refused.", refusals(in_parts))
MUTANTS.front(
    "MM-001",
    "first_part_only",
    "Of a list of texts the first goes on.",
    _messages(_parts(lambda place, part: place == 0 or part.get("type") != "text")),
)
MUTANTS.back(
    "MM-002",
    "picture_dropped",
    "A picture does not go on.",
    _messages(_parts(lambda _, part: part.get("type") != "image_url")),
)
MUTANTS.front(
    "MM-003",
    "strange_part_dropped",
    "A part that is not known is left out without a word.",
    _messages(_parts(lambda _, part: part.get("type") in PARTS)),
)
