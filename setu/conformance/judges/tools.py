"""Tool calls of chat completions, streamed or not (TOOL)."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from setu.conformance.judges.assemble import Answer, Call, answers
from setu.conformance.judges.finding import Finding, Rules, both, flaw
from setu.conformance.judges.view import (
    OPENAI,
    Event,
    View,
    is_count,
    obj,
    objects,
    openai_plain,
    openai_stream,
    seq,
    told,
)

RULES = Rules()

_CUT_SHORT = ("length", "content_filter")


class Fragment(NamedTuple):
    """One element of a delta's tool_calls."""

    event: Event
    choice: int
    path: str
    value: dict[str, Any]


def fragments(view: View) -> list[Fragment]:
    """Return every tool call fragment of a stream, in order."""
    found: list[Fragment] = []
    for event in view.chunks:
        for place, choice in enumerate(seq(event.fields.get("choices"))):
            index = obj(choice).get("index")
            calls = seq(obj(obj(choice).get("delta")).get("tool_calls"))
            found += [
                Fragment(
                    event,
                    index if is_count(index) else 0,
                    f"$.choices[{place}].delta.tool_calls[{number}]",
                    obj(call),
                )
                for number, call in enumerate(calls)
            ]
    return found


def _chat(view: View) -> bool:
    return view.dialect == OPENAI and view.ok


def _calls(view: View) -> list[tuple[Answer, Call]]:
    return [(answer, call) for answer in answers(view).values() for call in answer.calls]


def has_calls(view: View) -> bool:
    return _chat(view) and bool(_calls(view))


def _has_fragments(view: View) -> bool:
    return openai_stream(view) and bool(fragments(view))


def _finished_calls(view: View) -> list[tuple[Answer, Call]]:
    """Return the calls of answers that were not cut short, whose arguments must be whole (B-STR-25)."""
    if view.streamed and not view.ended_well:
        return []
    return [(answer, call) for answer, call in _calls(view) if answer.finish not in _CUT_SHORT]


@RULES.add("TOOL-001", lambda view: _chat(view) and _forced(view) and _is_whole(view))
def forced_calls_come(view: View) -> Iterator[Finding]:
    if told(view, "tool_choice"):
        return  # the model cannot be made to call, and a header field says so
    if not _calls(view) and not any(answer.finish in _CUT_SHORT or answer.refusal for answer in _all(view)):
        yield flaw("a tool call was required, none came", got=[answer.finish for answer in _all(view)])


def _all(view: View) -> list[Answer]:
    return list(answers(view).values())


def _is_whole(view: View) -> bool:
    return bool(answers(view)) and not (view.streamed and not view.ended_well)


def _forced(view: View) -> bool:
    choice = view.asked.get("tool_choice")
    return bool(view.asked.get("tools")) and (choice == "required" or named_tool(view) is not None)


def named_tool(view: View) -> str | None:
    """Return the tool that the request's tool_choice names."""
    choice = obj(view.asked.get("tool_choice"))
    name = (obj(choice.get("function")) or obj(choice.get("custom"))).get("name")
    return name if isinstance(name, str) else None


@RULES.add("TOOL-002", has_calls)
def calls_are_complete(view: View) -> Iterator[Finding]:
    if openai_plain(view):
        yield from _plain_shape(view)
    else:
        for _, call in _calls(view):
            lacking = [name for name, value in (("id", call.id), ("name", call.name)) if not value]
            if lacking:
                yield flaw("a tool call never gets its members (B-STR-06)", got=lacking, at=call.event)
        for fragment in fragments(view):
            body = _body(fragment)
            arguments = body.get("arguments", body.get("input", ""))
            if arguments is not None and not isinstance(arguments, str):
                yield flaw("arguments is not a string", path=fragment.path, got=arguments, at=fragment.event)


def _body(fragment: Fragment) -> Mapping[str, Any]:
    """Return what a fragment says of its call: of a function, or of a tool with free text."""
    return obj(fragment.value.get("function")) or obj(fragment.value.get("custom"))


def _plain_shape(view: View) -> Iterator[Finding]:
    for place, choice in enumerate(objects(view.document.get("choices"))):
        for number, call in enumerate(seq(obj(choice.get("message")).get("tool_calls"))):
            fields = obj(call)
            path = f"$.choices[{place}].message.tool_calls[{number}]"
            kind = fields.get("type")
            body = obj(fields.get("custom" if kind == "custom" else "function"))
            if not isinstance(fields.get("id"), str) or not fields["id"]:
                yield flaw("a tool call has no id", path=f"{path}.id", got=fields.get("id"))
            if kind not in ("function", "custom"):
                yield flaw("a tool call has another type", path=f"{path}.type", got=kind, want="function")
            if not isinstance(body.get("name"), str) or not body["name"]:
                yield flaw("a tool call has no name", path=path, got=body.get("name"))
            arguments = body.get("input" if kind == "custom" else "arguments")
            if not isinstance(arguments, str):
                yield flaw("arguments is not a string (B-STR-12)", path=path, got=arguments)


def _custom_names(view: View) -> set[str]:
    """Return the tools whose input is free text."""
    tools = [obj(tool.get("custom")) for tool in objects(view.asked.get("tools")) if tool.get("type") == "custom"]
    return {str(tool.get("name")) for tool in tools}


def _argument_flaws(view: View) -> Iterator[Finding]:
    free = _custom_names(view)
    for _, call in _finished_calls(view):
        if call.name in free:
            continue
        # An empty string is not the empty object: clients hand it to a JSON parser (chatlas-89a319027c).
        if not call.arguments.strip() or not isinstance(call.value, dict):
            yield flaw("the arguments are not a JSON object", got=call.arguments, want={}, at=call.event)


RULES.add("TOOL-003", lambda view: has_calls(view) and openai_plain(view))(_argument_flaws)
RULES.add("TOOL-012", _has_fragments)(_argument_flaws)


@RULES.add("TOOL-004", both(has_calls, lambda view: bool(view.asked)))
def names_are_declared(view: View) -> Iterator[Finding]:
    declared = _declared(view)
    for _, call in _calls(view):
        if call.name and call.name not in declared:
            yield flaw("a call names a tool that was not offered", got=call.name, want=sorted(declared), at=call.event)


def _declared(view: View) -> set[str]:
    tools = objects(view.asked.get("tools"))
    bodies = [obj(tool.get(str(tool.get("type", "function")))) for tool in tools]
    return {str(body.get("name")) for body in (*bodies, *objects(view.asked.get("functions")))}


@RULES.add("TOOL-005", has_calls)
def call_ids_are_unique(view: View) -> Iterator[Finding]:
    for answer in _all(view):
        ids = [call.id for call in answer.calls if call.id]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            yield flaw("two calls share an id (B-STR-06)", got=twice)


@RULES.add("TOOL-006", both(has_calls, lambda view: named_tool(view) is not None))
def named_choice_is_honoured(view: View) -> Iterator[Finding]:
    wanted = named_tool(view)
    for _, call in _calls(view):
        if call.name != wanted:
            yield flaw("another tool than the named one is called", got=call.name, want=wanted, at=call.event)


@RULES.add("TOOL-007", lambda view: _chat(view) and view.asked.get("tool_choice") == "none")
def none_means_no_call(view: View) -> Iterator[Finding]:
    for _, call in _calls(view):
        yield flaw("tool_choice is none, yet a tool is called (B-TOOL-17)", got=call.name, at=call.event)


@RULES.add("TOOL-010", _has_fragments)
def fragments_have_an_index(view: View) -> Iterator[Finding]:
    for fragment in fragments(view):
        index = fragment.value.get("index")
        if not is_count(index) or index < 0:
            yield flaw("a fragment has no integer index", path=f"{fragment.path}.index", got=index, at=fragment.event)


@RULES.add("TOOL-011", _has_fragments)
def identity_comes_once(view: View) -> Iterator[Finding]:
    first: dict[tuple[int, Any], tuple[Any, Any]] = {}
    for fragment in fragments(view):
        key = (fragment.choice, str(fragment.value.get("index")))
        got = (fragment.value.get("id"), _body(fragment).get("name"))
        if key not in first:
            first[key] = got
            if not all(got):
                yield flaw("the first fragment lacks id or name", path=fragment.path, got=got, at=fragment.event)
            continue
        for what, now, then in zip(("id", "name"), got, first[key], strict=True):
            # An empty id overwrites the real one in naive merges (genai-5417dd6494), a repeated name doubles it
            # (B-STR-10); a repeated id or name is tolerated only when it is the same id.
            if now is not None and (what == "name" or now != then):
                yield flaw(f"the {what} comes again", path=fragment.path, got=now, want=then, at=fragment.event)


@RULES.add("TOOL-013", lambda view: has_calls(view) and _is_whole(view) and not view.speaks)
def calls_end_in_tool_calls(view: View) -> Iterator[Finding]:
    # With a named choice OpenAI itself answers `stop` (B-STR-15).
    allowed = {"tool_calls", *_CUT_SHORT} | ({"stop"} if named_tool(view) is not None else set())
    for answer in _all(view):
        if answer.calls and answer.finish not in allowed:
            yield flaw("an answer with tool calls ends otherwise (B-STR-14)", got=answer.finish, want="tool_calls")


@RULES.add("TOOL-014", _has_fragments)
def indexes_are_contiguous(view: View) -> Iterator[Finding]:
    seen: dict[int, list[int]] = {}
    for fragment in fragments(view):
        index = fragment.value.get("index")
        order = seen.setdefault(fragment.choice, [])
        if not is_count(index) or index in order:
            continue
        if index != len(order):
            yield flaw(
                "a new call's index is not the next one (B-STR-05)",
                path=f"{fragment.path}.index",
                got=index,
                want=len(order),
                at=fragment.event,
            )
        order.append(index)


@RULES.add("TOOL-015", both(has_calls, lambda view: view.asked.get("parallel_tool_calls") is False))
def one_call_at_a_time(view: View) -> Iterator[Finding]:
    if told(view, "parallel_tool_calls"):
        return
    for answer in _all(view):
        if len(answer.calls) > 1:
            yield flaw("parallel calls were forbidden", got=[call.name for call in answer.calls], want="at most 1")
