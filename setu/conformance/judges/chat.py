"""Checks of a whole chat completion (CHAT) and of model lists (MOD)."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from setu.conformance.judges.finding import Finding, Rules, both, flaw
from setu.conformance.judges.view import MODELS, OPENAI, View, is_count, obj, objects, openai_plain, parse, seq
from setu.conformance.wire.model import mismatch
from setu.conformance.wire.openai_chat import FINISH_REASONS, Completion
from setu.http import Exchange

RULES = Rules()

_DAY = 86_400
_EARLIEST, _LATEST = 1_577_836_800, 4_102_444_800  # the years 2020 and 2100
_HTTP_DATE = re.compile(r"\w{3}, (\d{2}) (\w{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

NATIVE_KEYS = frozenset(
    {
        "candidates",
        "usageMetadata",
        "promptFeedback",
        "modelVersion",
        "responseId",
        "stop_reason",
        "stop_sequence",
        "finishReason",
        "safetyRatings",
        "role",
        "content",
    }
)
"""Top-level members of Anthropic's and Gemini's answers, which have no business in an OpenAI one."""


def _choices(view: View) -> list[tuple[str, dict[str, Any]]]:
    """Return each choice with its JSON path."""
    return [(f"$.choices[{place}]", obj(choice)) for place, choice in enumerate(seq(view.document.get("choices")))]


def has_document(view: View) -> bool:
    return openai_plain(view) and bool(view.document)


def no_error_body(view: View) -> bool:
    """Leave a 200 that carries an error to ERR-014."""
    return has_document(view) and not view.document.get("error")


_answered = both(no_error_body, lambda view: bool(view.document.get("choices")))


@RULES.add("CHAT-001", lambda view: openai_plain(view) and not view.document.get("error"))
def required_members(view: View) -> Iterator[Finding]:
    if not view.document:
        yield flaw("the body is not a JSON object", path="$")
        return
    wrong = mismatch(view.document, Completion)
    if wrong and not _of_the_preview(view):
        yield flaw(wrong.message, path=wrong.path)
    if view.document.get("id") == "":
        yield flaw("the id is empty", path="$.id", got="")


@RULES.add("CHAT-002", no_error_body)
def object_literal(view: View) -> Iterator[Finding]:
    got = view.document.get("object")
    if got != "chat.completion":
        yield flaw("object is another literal", path="$.object", got=got, want="chat.completion")


@RULES.add("CHAT-003", no_error_body)
def created_in_seconds(view: View) -> Iterator[Finding]:
    yield from created_flaws(view, view.document.get("created"))


def created_flaws(view: View, created: Any) -> Iterator[Finding]:
    """Judge a timestamp: seconds, plausible, and near the answer's own Date where that is not a replayed one."""
    if not is_count(created):
        yield flaw("created is not an integer", path="$.created", got=created)
    elif not _EARLIEST < created < _LATEST:
        yield flaw("created is no plausible time in seconds", path="$.created", got=created)
    elif not view.exchange.upstream:
        # Behind a gateway the time is the upstream's, which a replay may have recorded long ago.
        answered = http_date(view.exchange.headers.get("date") or "")
        if answered is not None and abs(created - answered) > _DAY:
            yield flaw("created is more than a day from the Date header", path="$.created", got=created, want=answered)


def http_date(text: str) -> int | None:
    """Return the seconds since the epoch of an IMF-fixdate (RFC 9110 §5.6.7), None when it is none."""
    found = _HTTP_DATE.fullmatch(text.strip())
    if found is None or found[2] not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(found[group]) for group in (1, 3, 4, 5, 6))
    try:
        return int(datetime(year, _MONTHS.index(found[2]) + 1, day, hour, minute, second, tzinfo=UTC).timestamp())
    except ValueError:
        return None


@RULES.add("CHAT-004", no_error_body)
def choice_indexes(view: View) -> Iterator[Finding]:
    choices = seq(view.document.get("choices"))
    if not choices:
        yield flaw("there is no choice", path="$.choices", got=view.document.get("choices"))
        return
    indexes = [obj(choice).get("index") for choice in choices]
    if not all(is_count(index) for index in indexes) or set(indexes) != set(range(len(indexes))):
        yield flaw("the choices are not numbered 0 to n-1", path="$.choices[*].index", got=indexes)


@RULES.add("CHAT-005", both(no_error_body, lambda view: is_count(view.asked.get("n"))))
def as_many_choices_as_asked(view: View) -> Iterator[Finding]:
    got, want = len(seq(view.document.get("choices"))), view.asked["n"]
    if got != want:
        yield flaw("n was asked, another number of choices came (B-PRM-07)", path="$.choices", got=got, want=want)


@RULES.add("CHAT-006", _answered)
def role_is_assistant(view: View) -> Iterator[Finding]:
    for path, choice in _choices(view):
        role = obj(choice.get("message")).get("role")
        if role != "assistant":
            yield flaw("the message's role is not assistant", path=f"{path}.message.role", got=role, want="assistant")


@RULES.add("CHAT-007", _answered)
def content_is_text(view: View) -> Iterator[Finding]:
    for path, choice in _choices(view):
        content = obj(choice.get("message")).get("content")
        if content is not None and not isinstance(content, str):
            yield flaw("content is neither a string nor null", path=f"{path}.message.content", got=content)


def _of_the_preview(view: View) -> bool:
    """Tell OpenAI's vision preview of 2023, whose choices had `finish_details` instead (dd-trace-py-d833a08758)."""
    model, choices = view.document.get("model"), objects(view.document.get("choices"))
    preview = model == "gpt-4-1106-vision-preview" and bool(choices)
    return preview and all("finish_details" in choice for choice in choices)


@RULES.add("CHAT-008", lambda view: _answered(view) and not _of_the_preview(view))
def finish_reason_is_known(view: View) -> Iterator[Finding]:
    for path, choice in _choices(view):
        if choice.get("finish_reason") not in FINISH_REASONS:
            yield flaw(
                "finish_reason is not one of OpenAI's (B-FIN-09)",
                path=f"{path}.finish_reason",
                got=choice.get("finish_reason"),
                want=FINISH_REASONS,
            )


@RULES.add("CHAT-009", _answered)
def nullable_members_are_present(view: View) -> Iterator[Finding]:
    for path, choice in _choices(view):
        message = obj(choice.get("message"))
        absent = [key for key in ("content", "refusal") if key not in message]
        absent += [] if "logprobs" in choice else ["logprobs"]
        if absent:
            yield flaw("members that may be null are left out", path=path, got=absent)


@RULES.add("CHAT-010", _answered)
def null_content_has_a_reason(view: View) -> Iterator[Finding]:
    for path, choice in _choices(view):
        message = obj(choice.get("message"))
        instead = any(message.get(key) for key in ("tool_calls", "refusal", "audio", "function_call"))
        # A blocked answer, or one whose budget went into thinking, has nothing to say (B-FIN-03, B-FIN-05).
        cut = choice.get("finish_reason") in ("content_filter", "length")
        if message.get("content") is None and not instead and not cut:
            yield flaw("content is null and nothing stands in its place", path=f"{path}.message", got=message)


@RULES.add("CHAT-011", both(no_error_body, lambda view: isinstance(view.asked.get("model"), str)))
def model_is_the_one_asked(view: View) -> Iterator[Finding]:
    got = view.document.get("model")
    if not names_the_model(view, got):
        yield flaw("the model is neither the requested one nor a dated alias", path="$.model", got=got)


def names_the_model(view: View, got: Any) -> bool:
    """Tell whether a model name answers the requested one.

    Lenient on purpose: a gateway may strip or add a provider prefix (`openai/gpt-4o`), an alias may become a dated
    name or the reverse, and what the upstream itself called the model is always right.
    """
    if not isinstance(got, str) or not got:
        return False
    asked = _bare(view.asked.get("model"))
    named = _bare(got)
    if asked.startswith(named) or named.startswith(asked):
        return True
    upstream = view.upstream
    if upstream is None:
        return False
    return named in {_bare(name) for name in (*_models_of(upstream), upstream.asked.get("model"))}


def _bare(name: Any) -> str:
    return str(name).rpartition("/")[2].partition(":")[0].lower()


def _models_of(upstream: View) -> set[Any]:
    documents = [upstream.document, *(event.fields for event in upstream.chunks)]
    named = [value for fields in documents for value in (fields.get("model"), fields.get("modelVersion"))]
    started = [obj(fields.get("message")).get("model") for fields in documents]
    in_path = upstream.exchange.request.path.rpartition("/")[2].partition(":")[0]
    return {name for name in (*named, *started, in_path) if isinstance(name, str) and name}


@RULES.add("CHAT-014", both(_answered, lambda view: bool(view.asked.get("stop"))))
def stop_sequence_is_absent(view: View) -> Iterator[Finding]:
    stops = view.asked["stop"]
    wanted = [stops] if isinstance(stops, str) else [stop for stop in seq(stops) if isinstance(stop, str) and stop]
    for path, choice in _choices(view):
        content = obj(choice.get("message")).get("content")
        found = [stop for stop in wanted if isinstance(content, str) and stop in content]
        if found:
            yield flaw("the text holds a stop sequence", path=f"{path}.message.content", got=found)


@RULES.add("CHAT-017", no_error_body)
def no_native_keys(view: View) -> Iterator[Finding]:
    leaked = sorted(NATIVE_KEYS & view.document.keys())
    if leaked:
        yield flaw("members of another provider's answer", path="$", got=leaked)
    for path, choice in _choices(view):
        inner = sorted((NATIVE_KEYS - {"stop_reason"}) & choice.keys())
        if inner:
            yield flaw("members of another provider's answer", path=path, got=inner)


@RULES.add("CHAT-018", _answered)
def no_empty_tool_calls(view: View) -> Iterator[Finding]:
    for path, choice in _choices(view):
        message = obj(choice.get("message"))
        if "tool_calls" in message and not message["tool_calls"]:
            yield flaw("tool_calls is there and empty", path=f"{path}.message.tool_calls", got=message["tool_calls"])


def ids_are_unique(exchanges: Sequence[Exchange]) -> list[Finding] | None:
    """Judge CHAT-012 over several exchanges; an id that the upstream itself gave twice is not the gateway's fault."""
    seen: dict[str, Exchange] = {}
    found: list[Finding] = []
    judged = False
    for exchange in exchanges:
        answer_id = _answer_id(View(exchange))
        if answer_id is None:
            continue
        judged = True
        earlier = seen.setdefault(answer_id, exchange)
        if earlier is not exchange and not _same_source(earlier, exchange):
            found.append(Finding("CHAT-012", "two answers carry one id", path="$.id", got=answer_id))
    return found if judged else None


def _answer_id(view: View) -> str | None:
    if view.dialect != OPENAI or not view.ok:
        return None
    first = view.chunks[0].fields if view.streamed and view.chunks else view.document
    value = first.get("id")
    return value if isinstance(value, str) and value else None


def _same_source(one: Exchange, other: Exchange) -> bool:
    """Tell whether two answers were made from one upstream answer, as when a script is played twice."""
    if not one.upstream or not other.upstream:
        return False
    ids = [_upstream_ids(exchange.upstream[-1]) for exchange in (one, other)]
    return bool(ids[0] & ids[1]) or one.upstream[-1].body == other.upstream[-1].body


def _upstream_ids(exchange: Exchange) -> set[str]:
    view = View(exchange)
    documents = [obj(parse(exchange.body)), *(event.fields for event in view.events[:1])]
    found = [fields.get("id") or fields.get("responseId") for fields in documents]
    found += [obj(fields.get("message")).get("id") for fields in documents]
    return {value for value in found if isinstance(value, str)}


def _lists_models(view: View) -> bool:
    return view.dialect == MODELS and view.ok and view.exchange.request.path.rstrip("/").endswith("/models")


@RULES.add("MOD-001", _lists_models)
def model_list_shape(view: View) -> Iterator[Finding]:
    if view.document.get("object") != "list" or not isinstance(view.document.get("data"), list):
        yield flaw("the body is not {object: list, data: [...]}", path="$", got=sorted(view.document))


@RULES.add("MOD-002", _lists_models)
def model_members(view: View) -> Iterator[Finding]:
    kinds = {"id": str, "object": str, "created": int, "owned_by": str}
    for place, model in enumerate(seq(view.document.get("data"))):
        wrong = [key for key, kind in kinds.items() if not isinstance(obj(model).get(key), kind)]
        if wrong:
            yield flaw("a model lacks a member", path=f"$.data[{place}]", got=wrong, want=sorted(kinds))


@RULES.add("MOD-003", _lists_models)
def model_ids_are_unique(view: View) -> Iterator[Finding]:
    ids = [str(model.get("id")) for model in objects(view.document.get("data"))]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        yield flaw("model ids come twice", path="$.data[*].id", got=twice)
