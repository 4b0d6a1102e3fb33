"""Mutants of tools and their calls."""

from collections.abc import Callable
from typing import Any

from setu import _json
from setu.conformance.mutants.answers import finish
from setu.conformance.mutants.asked import one_of_two_tools, with_results
from setu.conformance.mutants.edits import (
    CHAT,
    Condition,
    Json,
    choices,
    each,
    events,
    plain,
    refusals,
    requests,
    together,
    when,
)
from setu.conformance.mutants.mutant import Change, Mutants

MUTANTS = Mutants()


def _always(_asked: Json) -> bool:
    return True


def _calls(edit: Callable[[list[Json]], list[Json]], holds: Condition = one_of_two_tools) -> Change:
    """Edit the calls of plain answers."""

    def of_choice(choice: Json) -> Json:
        calls = choice["message"].get("tool_calls")
        return {**choice, "message": {**choice["message"], "tool_calls": edit(calls)}} if calls else choice

    return plain(when(holds, choices(of_choice)))


def _fragments(edit: Callable[[Json], Json | None], holds: Condition = one_of_two_tools) -> Change:
    """Edit the fragments of streamed calls; None takes one away."""

    def of_choice(choice: Json) -> Json:
        found = choice["delta"].get("tool_calls")
        if not found:
            return choice
        made = [one for fragment in found if (one := edit(fragment)) is not None]
        return {**choice, "delta": {**choice["delta"], "tool_calls": made}}

    return events(each(when(holds, choices(of_choice))))


def _each_call(**members: Any) -> Callable[[list[Json]], list[Json]]:
    return lambda calls: [{**call, **members} for call in calls]


def _function(call: Json, **members: Any) -> Json:
    return {**call, "function": {**call["function"], **members}}


def _named(name: str) -> Callable[[list[Json]], list[Json]]:
    return lambda calls: [_function(call, name=name) for call in calls]


def _arguments(edit: Callable[[str], Any]) -> Callable[[list[Json]], list[Json]]:
    return lambda calls: [_function(call, arguments=edit(call["function"]["arguments"])) for call in calls]


def _later(edit: Callable[[Json], Json]) -> Callable[[Json], Json]:
    """Return an edit of the fragments after a call's first."""
    return lambda fragment: fragment if fragment.get("id") else edit(fragment)


def _unclosed(fragment: Json) -> Json:
    text = fragment["function"].get("arguments") or ""
    return _function(fragment, arguments=text.replace("}", ""))


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()


def _in_ascii(fragment: Json) -> Json:
    return _function(fragment, arguments=_ascii(fragment["function"].get("arguments") or ""))


def _index_up(fragment: Json) -> Json:
    return {**fragment, "index": fragment["index"] + 1}


def _without_index(fragment: Json) -> Json:
    return {name: value for name, value in fragment.items() if name != "index"}


def _chosen(edit: Callable[[Any], Any]) -> Change:
    """Put another choice of tools in the place of the client's."""
    return requests(
        lambda asked: {**asked, "tool_choice": edit(asked["tool_choice"])} if "tool_choice" in asked else asked, CHAT
    )


def _of_result(asked: Json) -> list[str]:
    return [str(one.get("tool_call_id")) for one in asked["messages"] if one.get("role") == "tool"]


def _emptied(asked: Json) -> Json:
    if not with_results(asked):
        return asked
    messages = [{**one, "content": ""} if one.get("role") == "tool" else one for one in asked["messages"]]
    return {**asked, "messages": messages}


def _orphans_dropped(asked: Json) -> Json:
    known = {call["id"] for one in asked.get("messages") or () for call in _made(one)}
    kept = [one for one in asked.get("messages") or () if not _orphan(one, known)]
    return {**asked, "messages": kept} if isinstance(asked.get("messages"), list) else asked


def _made(message: Any) -> list[Json]:
    return (message.get("tool_calls") or []) if isinstance(message, dict) else []


def _orphan(message: Any, known: set[str]) -> bool:
    return isinstance(message, dict) and message.get("role") == "tool" and message.get("tool_call_id") not in known


def _long_ids(fragment: Json) -> Json:
    return {**fragment, "id": fragment["id"] + "_" * 60} if fragment.get("id") else fragment


def _too_long(asked: Json) -> bool:
    return with_results(asked) and any(len(name) > 64 for name in _of_result(asked))


MUTANTS.front(
    "TOOL-001",
    "required_as_auto",
    "A call that is required is left to the model.",
    _chosen(lambda choice: "auto" if choice == "required" else choice),
)
MUTANTS.front(
    "TOOL-002",
    "object_arguments",
    "Arguments are an object.",
    _calls(_arguments(lambda text: _json.decode(text.encode()))),
    implies=("CHAT-001", "TOOL-003"),
)
MUTANTS.front("TOOL-002", "type_tool", "A call has another type.", _calls(_each_call(type="tool")), implies="CHAT-001")
MUTANTS.front(
    "TOOL-002",
    "no_call_id",
    "A streamed call has no id.",
    _fragments(lambda fragment: {**fragment, "id": None}),
    implies="TOOL-011",
)
MUTANTS.front("TOOL-003", "broken_arguments", "Arguments break off.", _calls(_arguments(lambda text: text[:-1])))
MUTANTS.front("TOOL-004", "unknown_tool", "A call names a tool that nobody offered.", _calls(_named("look_at_skies")))
MUTANTS.front(
    "TOOL-005",
    "same_id",
    "Two calls have one id.",
    _calls(lambda calls: [{**call, "id": calls[0]["id"]} for call in calls], _always),
)
MUTANTS.front(
    "TOOL-006",
    "another_tool",
    "The first tool is called, whichever was named.",
    _chosen(
        lambda choice: {"type": "function", "function": {"name": "look_at_sky"}} if isinstance(choice, dict) else choice
    ),
)
MUTANTS.front(
    "TOOL-007",
    "called_anyway",
    "A tool is called although none shall be.",
    _chosen(lambda choice: "auto" if choice == "none" else choice),
)
MUTANTS.front("TOOL-008", "results_refused", "A tool's result is refused.", refusals(with_results), implies="TOOL-009")
MUTANTS.front("TOOL-008", "results_emptied", "Of a tool's result the place remains.", requests(_emptied, CHAT))
MUTANTS.front(
    "TOOL-009",
    "own_ids_too_long",
    "Streamed calls get ids that are too long to come back.",
    together(_fragments(_long_ids, _always), refusals(_too_long)),
)
MUTANTS.front(
    "TOOL-010", "no_fragment_index", "Fragments have no index.", _fragments(_without_index), implies="STR-001"
)
MUTANTS.front(
    "TOOL-011",
    "id_emptied",
    "Later fragments empty the id.",
    _fragments(_later(lambda fragment: {**fragment, "id": ""})),
)
MUTANTS.front(
    "TOOL-011",
    "name_repeated",
    "Later fragments repeat a name.",
    _fragments(_later(lambda fragment: _function(fragment, name="look_at_sky"))),
)
MUTANTS.front("TOOL-012", "unclosed_arguments", "Streamed arguments never end.", _fragments(_unclosed))
MUTANTS.front(
    "TOOL-013",
    "stop_after_call",
    "An answer with a call ends as one without.",
    plain(when(one_of_two_tools, finish("tool_calls", "stop"))),
)
MUTANTS.front(
    "TOOL-013",
    "stop_after_streamed_call",
    "A stream with a call ends as one without.",
    events(each(when(one_of_two_tools, finish("tool_calls", "stop")))),
)
MUTANTS.front("TOOL-014", "fragments_from_one", "The first call has index 1.", _fragments(_index_up))
MUTANTS.front(
    "TOOL-015",
    "parallel_anyway",
    "Several calls come although one was allowed.",
    requests(lambda asked: {**asked, "parallel_tool_calls": True} if "parallel_tool_calls" in asked else asked, CHAT),
)
MUTANTS.front("TOOL-016", "orphan_dropped", "A result without a call is dropped.", requests(_orphans_dropped, CHAT))
MUTANTS.front(
    "TOOL-017",
    "no_arguments",
    "A call without arguments has an empty text.",
    _calls(_arguments(lambda text: "" if text == "{}" else text), _always),
    implies="TOOL-003",
)
MUTANTS.front(
    "TOOL-018",
    "spelt_in_ascii",
    "Arguments lose what is not ASCII.",
    together(_calls(_arguments(_ascii), _always), _fragments(_in_ascii, _always)),
)
MUTANTS.front(
    "TOOL-019",
    "references_refused",
    "A schema with references is refused.",
    refusals(lambda asked: b"$ref" in _json.encode(asked)),
)
MUTANTS.front(
    "TOOL-020",
    "second_call_lost",
    "A stream has the first call only.",
    _fragments(lambda fragment: fragment if fragment["index"] == 0 else None, _always),
)
