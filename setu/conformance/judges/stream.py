"""Chat completion streams, chunk by chunk (STR)."""

from collections.abc import Iterator
from typing import Any

from setu.conformance.judges.chat import created_flaws, names_the_model
from setu.conformance.judges.finding import Finding, Rules, both, flaw
from setu.conformance.judges.view import Event, View, is_count, obj, openai_stream, seq
from setu.conformance.wire.model import mismatch
from setu.conformance.wire.openai_chat import Chunk

RULES = Rules()


def _has_chunks(view: View) -> bool:
    return openai_stream(view) and bool(view.chunks)


def wants_usage(view: View) -> bool:
    return obj(view.asked.get("stream_options")).get("include_usage") is True


def _choices(view: View) -> Iterator[tuple[Event, str, dict[str, Any]]]:
    """Yield every choice of every chunk with its event and JSON path."""
    for event in view.chunks:
        for place, choice in enumerate(seq(event.fields.get("choices"))):
            yield event, f"$.choices[{place}]", obj(choice)


def _changes(view: View, key: str) -> Iterator[tuple[Event, Any, Any]]:
    """Yield where a member of the chunks differs from the first chunk's."""
    first = view.chunks[0].fields.get(key)
    for event in view.chunks[1:]:
        if event.fields.get(key) != first:
            yield event, event.fields.get(key), first


def index_of(choice: dict[str, Any]) -> int:
    """Return a choice's index; a missing one is STR-008's business and counts as 0 elsewhere."""
    index = choice.get("index")
    return index if is_count(index) else 0


@RULES.add("STR-001", openai_stream)
def chunks_are_valid(view: View) -> Iterator[Finding]:
    if not view.chunks and not view.errors:
        yield flaw("the stream has no chunk")
    for event in view.chunks:
        wrong = mismatch(event.json, Chunk)
        if wrong:
            yield flaw(wrong.message, path=wrong.path, at=event)


@RULES.add("STR-002", _has_chunks)
def object_literal(view: View) -> Iterator[Finding]:
    for event in view.chunks:
        got = event.fields.get("object")
        if got != "chat.completion.chunk":
            yield flaw("object is another literal", path="$.object", got=got, want="chat.completion.chunk", at=event)


@RULES.add("STR-003", _has_chunks)
def id_is_constant(view: View) -> Iterator[Finding]:
    first = view.chunks[0]
    if not first.fields.get("id"):
        yield flaw("the id is empty", path="$.id", got=first.fields.get("id"), at=first)
    for event, got, want in _changes(view, "id"):
        yield flaw("the id changes within a stream", path="$.id", got=got, want=want, at=event)


@RULES.add("STR-004", _has_chunks)
def created_is_constant(view: View) -> Iterator[Finding]:
    yield from created_flaws(view, view.chunks[0].fields.get("created"))
    for event, got, want in _changes(view, "created"):
        yield flaw("created changes within a stream", path="$.created", got=got, want=want, at=event)


@RULES.add("STR-005", _has_chunks)
def model_is_constant(view: View) -> Iterator[Finding]:
    first = view.chunks[0].fields.get("model")
    if isinstance(view.asked.get("model"), str) and not names_the_model(view, first):
        yield flaw("the model is neither the requested one nor a dated alias", path="$.model", got=first)
    for event, got, want in _changes(view, "model"):
        yield flaw("the model changes within a stream", path="$.model", got=got, want=want, at=event)


@RULES.add("STR-006", _has_chunks)
def first_delta_names_the_role(view: View) -> Iterator[Finding]:
    seen: set[int] = set()
    for event, path, choice in _choices(view):
        index = index_of(choice)
        if index in seen:
            continue
        seen.add(index)
        role = obj(choice.get("delta")).get("role")
        if role != "assistant":
            yield flaw(
                "a choice's first delta has no role assistant (B-STR-01, B-STR-03)",
                path=f"{path}.delta.role",
                got=role,
                want="assistant",
                at=event,
            )


@RULES.add("STR-007", _has_chunks)
def role_comes_once(view: View) -> Iterator[Finding]:
    seen: set[int] = set()
    for event, path, choice in _choices(view):
        if obj(choice.get("delta")).get("role") is None:
            continue
        if index_of(choice) in seen:
            yield flaw("the role is repeated (B-STR-02)", path=f"{path}.delta.role", at=event)
        seen.add(index_of(choice))


@RULES.add("STR-008", _has_chunks)
def choices_have_an_index(view: View) -> Iterator[Finding]:
    for event, path, choice in _choices(view):
        if not is_count(choice.get("index")) or choice["index"] < 0:
            yield flaw("a choice has no index (B-STR-04)", path=f"{path}.index", got=choice.get("index"), at=event)
    asked = view.asked.get("n")
    limit = int(asked) if isinstance(asked, (int, float)) and asked == int(asked) else 1  # 5.0 is an integer in JSON
    indexes = {choice["index"] for _, _, choice in _choices(view) if is_count(choice.get("index"))}
    if indexes and (min(indexes) < 0 or max(indexes) >= max(limit, 1)):
        yield flaw("a choice index lies outside n", path="$.choices[*].index", got=sorted(indexes), want=f"< {limit}")


@RULES.add("STR-009", both(_has_chunks, lambda view: view.ended_well))
def finishes_once(view: View) -> Iterator[Finding]:
    finished: dict[int, Event] = {}
    indexes: set[int] = set()
    for event, path, choice in _choices(view):
        index = index_of(choice)
        indexes.add(index)
        reason = choice.get("finish_reason")
        if index in finished and (reason is not None or _says_something(obj(choice.get("delta")))):
            what = "a second finish_reason" if reason is not None else "a delta after the finish_reason"
            yield flaw(f"{what} for choice {index}", path=path, got=choice, at=event)
        if reason is not None:
            finished.setdefault(index, event)
    for index in sorted(indexes - finished.keys()):
        yield flaw(f"choice {index} never finishes", path="$.choices[*].finish_reason", got=None)
    if not indexes:
        yield flaw("the stream has no choice at all", path="$.choices")


def _says_something(delta: dict[str, Any]) -> bool:
    return any(delta.get(key) for key in ("content", "refusal", "tool_calls", "function_call"))


@RULES.add("STR-010", _has_chunks)
def finish_reason_is_always_a_key(view: View) -> Iterator[Finding]:
    for event, path, choice in _choices(view):
        if "finish_reason" not in choice:
            yield flaw("finish_reason is left out instead of null (B-STR-16)", path=path, at=event)


@RULES.add("STR-012", both(_has_chunks, wants_usage, lambda view: view.ended_well))
def usage_comes_when_asked(view: View) -> Iterator[Finding]:
    with_usage = [event for event in view.chunks if obj(event.fields.get("usage"))]
    if not with_usage:
        yield flaw("include_usage was asked, no chunk has usage", path="$.usage")
    # What else was asked about the whole answer may follow it (a moderation: pydantic-ai-e6f15ec646).
    elif any(event.fields.get("choices") != [] for event in view.chunks[view.chunks.index(with_usage[-1]) :]):
        yield flaw(
            "usage is not in a last chunk of its own with choices []",
            path="$.choices",
            got=with_usage[-1].fields.get("choices"),
            want=[],
            at=with_usage[-1],
        )


@RULES.add("STR-013", both(_has_chunks, wants_usage))
def usage_is_null_before_the_last(view: View) -> Iterator[Finding]:
    last = next((event for event in reversed(view.chunks) if obj(event.fields.get("usage"))), view.chunks[-1])
    for event in view.chunks:
        if event is not last and event.fields.get("usage", 0) is not None:
            yield flaw("usage of an earlier chunk is not null", path="$.usage", got=event.fields.get("usage"), at=event)


def _asked_apart(view: View, event: Event) -> bool:
    """Tell a chunk about what the request asked for by name beside the answer (`moderation`)."""
    return any(obj(value) and obj(view.asked.get(name)) for name, value in event.fields.items())


@RULES.add("STR-014", _has_chunks)
def no_chunk_without_choices(view: View) -> Iterator[Finding]:
    for event in view.chunks:
        if event.fields.get("choices") != [] or _asked_apart(view, event):
            continue
        if not obj(event.fields.get("usage")):
            yield flaw("a chunk without choices that is not the usage chunk", path="$.choices", got=[], at=event)
        elif not wants_usage(view):
            # `choices[0]` of an unasked usage chunk ends naive clients (B-STR-17).
            yield flaw("a usage chunk that was not asked for", path="$.choices", got=[], at=event)


@RULES.add("STR-016", _has_chunks)
def delta_is_an_object(view: View) -> Iterator[Finding]:
    for event, path, choice in _choices(view):
        if not isinstance(choice.get("delta"), dict):
            yield flaw("delta is not an object", path=f"{path}.delta", got=choice.get("delta"), want={}, at=event)


@RULES.add("STR-017", _has_chunks)
def no_message_in_chunks(view: View) -> Iterator[Finding]:
    for event, path, choice in _choices(view):
        if "message" in choice:
            yield flaw("a chunk carries message, the member of whole answers", path=f"{path}.message", at=event)
