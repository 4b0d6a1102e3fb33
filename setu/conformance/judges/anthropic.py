"""Answers towards Anthropic clients (ANT): message, error and the grammar of the event stream."""

from collections.abc import Iterator
from typing import Any

from setu.conformance.judges.assemble import answers
from setu.conformance.judges.finding import Finding, Rules, both, flaw
from setu.conformance.judges.view import ANTHROPIC, Event, View, failed, is_count, obj, objects, parse, seq
from setu.conformance.wire.anthropic_messages import (
    BLOCKS,
    DELTAS_OF_BLOCK,
    ERROR_STATUS,
    STOP_REASONS,
    ErrorEnvelope,
    Message,
)
from setu.conformance.wire.model import mismatch

RULES = Rules()

_EVENT_TYPES = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "ping",
        "error",
    }
)
_OPENERS = ("message_start", "content_block_start", "content_block_delta")


def anthropic_plain(view: View) -> bool:
    return view.dialect == ANTHROPIC and view.plain


def anthropic_stream(view: View) -> bool:
    return view.dialect == ANTHROPIC and view.streamed


def _message(view: View) -> bool:
    return anthropic_plain(view) and bool(view.document) and view.document.get("type") != "error"


def _answered(view: View) -> bool:
    return _message(view) or (anthropic_stream(view) and view.ended_well)


def _kind(event: Event) -> str:
    kind = event.fields.get("type")
    return kind if isinstance(kind, str) else ""


def _of(view: View, kind: str) -> list[Event]:
    return [event for event in view.events if _kind(event) == kind]


@RULES.add("ANT-001", lambda view: anthropic_plain(view) and view.document.get("type") != "error")
def message_shape(view: View) -> Iterator[Finding]:
    wrong = mismatch(view.json, Message)
    if wrong:
        yield flaw(wrong.message, path=wrong.path)


@RULES.add("ANT-002", _message)
def content_blocks(view: View) -> Iterator[Finding]:
    for place, block in enumerate(seq(view.document.get("content"))):
        kind = obj(block).get("type")
        if not isinstance(kind, str):
            yield flaw("a content block has no type", path=f"$.content[{place}]", got=block)
            continue
        wrong = mismatch(block, BLOCKS[kind]) if kind in BLOCKS else None
        if wrong:
            yield flaw(wrong.message, path=f"$.content[{place}]{wrong.path[1:]}")


@RULES.add("ANT-003", _answered)
def stop_reason(view: View) -> Iterator[Finding]:
    for answer in answers(view).values():
        if answer.finish not in STOP_REASONS:
            yield flaw(
                "stop_reason is not one of Anthropic's", path="$.stop_reason", got=answer.finish, want=STOP_REASONS
            )


@RULES.add("ANT-004", lambda view: _answered(view) and any(answer.calls for answer in answers(view).values()))
def calls_stop_for_tool_use(view: View) -> Iterator[Finding]:
    finish = answers(view)[0].finish
    # A forced or cut answer may stop otherwise; saying end_turn makes clients drop the call.
    if finish in ("end_turn", "stop_sequence", None):
        yield flaw("a message with tool_use stops otherwise", path="$.stop_reason", got=finish, want="tool_use")


@RULES.add("ANT-005", _message)
def usage_counts(view: View) -> Iterator[Finding]:
    usage = obj(view.document.get("usage"))
    for name in ("input_tokens", "output_tokens"):
        if not is_count(usage.get(name)) or usage[name] < 0:
            yield flaw("not a token count", path=f"$.usage.{name}", got=usage.get(name))
    cached = [usage.get(f"cache_{kind}_input_tokens") or 0 for kind in ("read", "creation")]
    if usage.get("input_tokens") == 0 and not any(cached):
        yield flaw("a prompt of no tokens (B-USG-07)", path="$.usage.input_tokens", got=0)


def _error(view: View) -> bool:
    return view.dialect == ANTHROPIC and failed(view)


@RULES.add("ANT-006", _error)
def error_envelope(view: View) -> Iterator[Finding]:
    wrong = mismatch(view.json, ErrorEnvelope)
    if wrong:
        yield flaw(wrong.message, path=wrong.path, want='{"type": "error", "error": {"type", "message"}}')


@RULES.add("ANT-007", both(_error, lambda view: isinstance(obj(view.document.get("error")).get("type"), str)))
def error_type_agrees(view: View) -> Iterator[Finding]:
    kind, status = view.document["error"]["type"], view.exchange.status
    allowed = ERROR_STATUS.get(kind)
    if kind == "api_error":
        if status < 500:
            yield flaw("api_error is a server's error", path="$.error.type", got=status, want="5xx")
    elif allowed is None:
        yield flaw("not one of Anthropic's error types", path="$.error.type", got=kind, want=sorted(ERROR_STATUS))
    elif status not in allowed:
        yield flaw(f"{kind} does not come with this status", path="$.error.type", got=status, want=allowed)


@RULES.add("ANT-008", anthropic_stream)
def starts_once(view: View) -> Iterator[Finding]:
    starts = _of(view, "message_start")
    for event in starts[1:]:
        yield flaw("message_start comes twice (B-ANT-04)", at=event)
    first = next((event for event in view.events if _kind(event) not in ("ping", "error")), None)
    if first is None and view.errors:
        return
    if first is None or _kind(first) != "message_start":
        yield flaw("the stream does not start with message_start", got=None if first is None else first.json, at=first)
        return
    wrong = mismatch(first.fields.get("message"), Message)
    if wrong:
        yield flaw(wrong.message, path=f"$.message{wrong.path[1:]}", at=first)
    elif first.fields["message"]["content"]:
        yield flaw("message_start already has content", path="$.message.content", at=first)


@RULES.add("ANT-009", anthropic_stream)
def blocks_follow_each_other(view: View) -> Iterator[Finding]:
    open_at: int | None = None
    following = 0
    for event in view.chunks:
        index = event.fields.get("index")
        match _kind(event):
            case "content_block_start":
                if open_at is not None:
                    yield flaw(f"a block starts while block {open_at} is open", path="$.index", got=index, at=event)
                if index != following:
                    yield flaw("block indexes are not contiguous", path="$.index", got=index, want=following, at=event)
                open_at = index if is_count(index) else following
                following = open_at + 1
            case "content_block_delta":
                if index != open_at:
                    yield flaw("a delta of a block that is not open (B-ANT-01)", path="$.index", got=index, at=event)
            case "content_block_stop":
                if index != open_at:
                    yield flaw("a block stops that is not open", path="$.index", got=index, want=open_at, at=event)
                open_at = None
            case "message_delta" | "message_stop" if open_at is not None:
                yield flaw(f"the message ends while block {open_at} is open", at=event)
                open_at = None
            case _:
                continue


@RULES.add("ANT-010", anthropic_stream)
def deltas_fit_their_block(view: View) -> Iterator[Finding]:
    kinds: dict[Any, str] = {}
    for event in view.chunks:
        index = str(event.fields.get("index"))
        if _kind(event) == "content_block_start":
            kinds[index] = str(obj(event.fields.get("content_block")).get("type"))
        elif _kind(event) == "content_block_delta":
            delta = obj(event.fields.get("delta")).get("type")
            allowed = DELTAS_OF_BLOCK.get(kinds.get(index, ""))
            if allowed is not None and delta not in allowed:
                yield flaw(
                    f"not a delta of a {kinds[index]} block (B-ANT-04)",
                    path="$.delta.type",
                    got=delta,
                    want=allowed,
                    at=event,
                )


@RULES.add("ANT-011", lambda view: anthropic_stream(view) and view.ended_well)
def ends_in_order(view: View) -> Iterator[Finding]:
    stops, deltas = _of(view, "message_stop"), _of(view, "message_delta")
    if len(stops) != 1:
        yield flaw("a stream that ends well has one message_stop (B-ANT-05)", got=len(stops), want=1)
    if not deltas:
        yield flaw("there is no message_delta", got=0, want=1)
    elif stops and deltas[-1].index > stops[0].index:
        yield flaw("message_delta comes after message_stop", at=deltas[-1])
    for event in view.events:
        if deltas and event.index > deltas[0].index and _kind(event) in _OPENERS:
            yield flaw("content after message_delta", got=_kind(event), at=event)
        if stops and event.index > stops[0].index:
            yield flaw("an event after message_stop", got=event.data[:60].decode("utf-8", "replace"), at=event)


@RULES.add("ANT-012", anthropic_stream)
def event_names_are_types(view: View) -> Iterator[Finding]:
    for event in view.events:
        if event.frame.event != _kind(event) or not _kind(event):
            yield flaw("event is not the data's type", got=event.frame.event, want=event.fields.get("type"), at=event)


@RULES.add("ANT-013", lambda view: anthropic_stream(view) and view.ended_well and bool(_streamed_calls(view)))
def tool_input_is_an_object(view: View) -> Iterator[Finding]:
    if answers(view)[0].finish == "max_tokens":
        return  # Arguments that were cut off are partial JSON.
    for start, text in _streamed_calls(view):
        given = obj(start.fields.get("content_block")).get("input")
        if given != {}:
            yield flaw("input of a starting block is not {}", path="$.content_block.input", got=given, at=start)
        if text and not isinstance(parse(text.encode("utf-8", "surrogatepass")), dict):
            yield flaw("the input's fragments do not join to a JSON object", got=text, at=start)


def _streamed_calls(view: View) -> list[tuple[Event, str]]:
    """Return each tool_use block's start with the text of its deltas."""
    found: list[tuple[Event, str]] = []
    current: int | None = None
    for event in view.chunks:
        block = obj(event.fields.get("content_block"))
        if _kind(event) == "content_block_start":
            current = None
            if block.get("type") == "tool_use":
                current = len(found)
                found.append((event, ""))
        elif _kind(event) == "content_block_delta" and current is not None:
            piece = obj(event.fields.get("delta")).get("partial_json")
            start, text = found[current]
            found[current] = (start, text + (piece if isinstance(piece, str) else ""))
    return found


@RULES.add("ANT-014", lambda view: anthropic_stream(view) and view.ended_well)
def usage_in_both_places(view: View) -> Iterator[Finding]:
    wanted = {"message_start": ("input_tokens", "output_tokens"), "message_delta": ("output_tokens",)}
    for kind, names in wanted.items():
        for event in _of(view, kind)[-1:]:
            usage = obj(obj(event.fields.get("message")).get("usage") or event.fields.get("usage"))
            lacking = [name for name in names if not is_count(usage.get(name))]
            if lacking:
                yield flaw(f"{kind} lacks token counts (B-USG-07)", path="$.usage", got=usage, want=lacking, at=event)


@RULES.add("ANT-015", lambda view: anthropic_stream(view) and bool(view.errors))
def nothing_after_an_error(view: View) -> Iterator[Finding]:
    first = view.errors[0]
    wrong = mismatch(first.json, ErrorEnvelope)
    if wrong or first.frame.event != "error":
        yield flaw("an error event is not event: error with Anthropic's envelope", got=first.json, at=first)
    for event in view.events[first.index + 1 :]:
        yield flaw("an event after the error (B-SSE-17)", got=_kind(event), at=event)
    for event in _of(view, "message_stop"):
        yield flaw("a stream that failed still has message_stop", at=event)


@RULES.add("ANT-016", anthropic_stream)
def only_documented_events(view: View) -> Iterator[Finding]:
    for event in view.events:
        if event.data.strip() == b"[DONE]":
            yield flaw("[DONE] is OpenAI's end mark", at=event)
        elif _kind(event) not in _EVENT_TYPES:
            yield flaw("not one of Anthropic's events", got=_kind(event) or None, at=event)


@RULES.add("ANT-017", lambda view: view.dialect == ANTHROPIC and bool(_calls(view)))
def call_ids(view: View) -> Iterator[Finding]:
    for call in _calls(view):
        if not (call.id or "").startswith("toolu_"):
            yield flaw("a call's id is not Anthropic's (B-ANT-06)", got=call.id, want="toolu_…", at=call.event)


def _calls(view: View) -> list[Any]:
    return [call for answer in answers(view).values() for call in answer.calls] if view.ok else []


@RULES.add("ANT-018", lambda view: view.dialect == ANTHROPIC and bool(_calls(view)) and bool(view.asked))
def calls_are_declared(view: View) -> Iterator[Finding]:
    declared = {str(tool.get("name")) for tool in objects(view.asked.get("tools"))}
    for call in _calls(view):
        if call.name not in declared:
            yield flaw("a call names a tool that was not offered", got=call.name, want=sorted(declared), at=call.event)


@RULES.add("ANT-019", lambda view: view.dialect == ANTHROPIC and bool(_calls(view)))
def call_ids_are_unique(view: View) -> Iterator[Finding]:
    ids = [call.id for call in _calls(view)]
    if len(set(ids)) != len(ids) or not all(ids):
        yield flaw("tool_use ids are missing or come twice", got=ids)
