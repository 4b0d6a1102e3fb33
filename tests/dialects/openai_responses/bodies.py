"""Legal bodies of the dialect, and its streams written without its encoder."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.cuts import cut
from tests.dialects.openai_responses.wire import answer, call, message, output, user

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)

_PART = st.one_of(
    TEXT.map(lambda text: {"type": "input_text", "text": text}),
    st.just({"type": "input_text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit"}}),
    st.just({"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"}),
    st.just({"type": "input_image", "image_url": "https://x.test/a.png", "detail": "auto"}),
    st.just({"type": "input_image", "file_id": "file-1", "detail": "auto"}),
    st.just({"type": "input_file", "file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"}),
    st.just({"type": "input_file", "file_url": "https://x.test/a.pdf"}),
    st.just({"type": "input_file", "file_id": "file-2"}),
    st.builds(lambda value: {"type": "novelty", "value": value}, JSON),
)
_THOUGHT = st.builds(
    lambda summary, seal: (
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": text} for text in summary],
        }
        | ({"encrypted_content": seal} if seal else {})
    ),
    st.lists(TEXT, max_size=2),
    st.sampled_from(["", "gAAA"]),
)
_ITEMS = st.one_of(
    st.builds(lambda role, text: [{"role": role, "content": text}], st.sampled_from(["user", "system", "developer"]), TEXT),
    st.lists(_PART, min_size=1, max_size=3).map(lambda parts: [user(parts)]),
    TEXT.map(lambda text: [{"role": "assistant", "content": text}]),
    st.lists(TEXT, min_size=1, max_size=2).map(lambda texts: [message(*texts)]),
    st.builds(
        lambda number, text, thought: [thought, call(f"call_{number}", arguments=text, id="fc_1"), output(f"call_{number}", text)],
        st.integers(0, 9),
        TEXT,
        _THOUGHT,
    ),
    st.just([{"type": "custom_tool_call", "call_id": "c1", "name": "c", "input": "x"},
             {"type": "custom_tool_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "y"}, {"type": "input_text", "text": "z"}]}]),
    st.just([{"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}]),
    st.builds(lambda value: [{"type": "agent_message", "value": value}], JSON),
    st.just([{"type": "item_reference", "id": "msg_9"}]),
)  # fmt: skip
_FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}
_MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "instructions": TEXT,
        "temperature": st.sampled_from([0, 0.5, 2]),
        "top_p": st.sampled_from([0.1, 1]),
        "max_output_tokens": st.integers(16, 10**6),
        "top_logprobs": st.integers(0, 20),
        "stream": st.just(True),
        "store": st.booleans(),
        "previous_response_id": st.just("resp_0"),
        "background": st.booleans(),
        "include": st.sampled_from([["reasoning.encrypted_content"], ["message.output_text.logprobs", "novelty"]]),
        "reasoning": st.sampled_from([{"effort": "low"}, {"effort": "none"}, {"summary": "concise"}, {"summary": "auto"}, {"context": "all_turns"}]),
        "text": st.sampled_from([{"verbosity": "low"}, {"format": {"type": "json_object"}}, {"format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}, "strict": True}}]),
        "tools": st.just([_FUNCTION, {"type": "custom", "name": "c", "format": {"type": "grammar", "syntax": "regex", "definition": "x"}},
                          {"type": "web_search"}, {"type": "namespace", "name": "n", "description": "d", "tools": [_FUNCTION | {"name": "g"}]}]),
        "tool_choice": st.sampled_from(["auto", {"type": "function", "name": "f"}, {"type": "web_search"}, {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]}]),
        "parallel_tool_calls": st.booleans(),
        "metadata": st.just({"a": "b"}),
        "truncation": st.just("auto"),
        "max_tool_calls": st.just(3),
        "novelty": JSON.filter(lambda value: value is not None),
    },
)  # fmt: skip


def _request(turns: list[list[dict[str, Any]]], members: dict[str, Any]) -> dict[str, Any]:
    # Neighbouring assistant texts are one turn and may be joined; here each has a user's after it.
    inputs = [item for turn in turns for item in (*turn, user("next"))]
    if isinstance(members.get("tool_choice"), dict) and "tools" not in members:
        members = members | {"tool_choice": "auto"}
    return {"model": "m", "input": inputs} | members


REQUESTS = st.builds(_request, st.lists(_ITEMS, min_size=1, max_size=4), _MEMBERS)

_CITE = {"type": "url_citation", "start_index": 0, "end_index": 1, "title": "t", "url": "https://x.test"}


def _numbered(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item | ({"id": f"{item['id']}{index}"} if "id" in item else {}) for index, item in enumerate(items)]


_OUTPUT = st.one_of(
    st.builds(lambda texts: message(*texts, identity="msg_"), st.lists(TEXT, min_size=1, max_size=2)),
    st.builds(lambda text: message(identity="msg_", content=[{"type": "output_text", "text": text, "annotations": [_CITE], "logprobs": []}]), TEXT),
    st.builds(lambda text: message(identity="msg_", content=[{"type": "refusal", "refusal": text}]), TEXT),
    st.builds(lambda text: message(text, identity="msg_", phase="commentary"), TEXT),
    st.builds(lambda text, n: call(f"call_{n}", arguments=text, id="fc_", status="completed"), TEXT, st.integers(0, 9)),
    st.builds(lambda text: {"type": "custom_tool_call", "id": "ctc_", "call_id": "c", "name": "c", "input": text}, TEXT),
    st.builds(lambda summary, text: {"type": "reasoning", "id": "rs_", "summary": [{"type": "summary_text", "text": s} for s in summary],
                                     "content": [{"type": "reasoning_text", "text": t} for t in text], "encrypted_content": "gA"},
              st.lists(TEXT, max_size=2), st.lists(TEXT, max_size=2)),
    st.just({"type": "web_search_call", "id": "ws_", "status": "completed", "action": {"type": "search", "query": "q"}}),
    st.just({"type": "image_generation_call", "id": "ig_", "status": "completed", "result": "AAAA", "output_format": "png"}),
    st.just({"type": "compaction", "id": "cmp_", "encrypted_content": "gA"}),
)  # fmt: skip
ANSWERS = st.builds(
    lambda items, ending: answer(*_numbered(items), **ending),
    st.lists(_OUTPUT, max_size=4),
    st.sampled_from(
        [
            {},
            {"service_tier": "default"},
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
        ]
    ),
)


def streamed(whole: dict[str, Any], places: list[int]) -> list[dict[str, Any]]:
    """Write an answer as OpenAI streams it, its texts and arguments cut at will."""
    head = whole | {"status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
    events: list[dict[str, Any]] = [{"type": "response.created", "response": head}]
    events.append({"type": "response.in_progress", "response": head})
    for index, item in enumerate(whole["output"]):
        events += [event | {"output_index": index} for event in _item_events(item, places)]
    events.append({"type": f"response.{whole['status']}", "response": whole})
    return [{"type": event.pop("type"), "sequence_number": n} | event for n, event in enumerate(events)]


def _item_events(item: dict[str, Any], places: list[int]) -> Iterator[dict[str, Any]]:
    bare = item | ({"status": "in_progress"} if "status" in item else {})
    for key, empty in (("content", []), ("summary", []), ("arguments", ""), ("input", ""), ("result", None)):
        if key in bare:
            bare[key] = empty
    bare.pop("encrypted_content", None)
    yield {"type": "response.output_item.added", "item": bare}
    for event in _growth(item, places):
        yield event | {"item_id": item["id"]}
    yield {"type": "response.output_item.done", "item": item}


def _growth(item: dict[str, Any], places: list[int]) -> Iterator[dict[str, Any]]:
    match item["type"]:
        case "message":
            for index, part in enumerate(item["content"]):
                yield from _content(index, part, places)
        case "reasoning":
            for index, section in enumerate(item["content"]):
                yield from _texts("response.reasoning_text", {"content_index": index}, section["text"], "text", places)
            for index, section in enumerate(item["summary"]):
                place = {"summary_index": index}
                yield {"type": "response.reasoning_summary_part.added", "part": section | {"text": ""}} | place
                yield from _texts("response.reasoning_summary_text", place, section["text"], "text", places)
                yield {"type": "response.reasoning_summary_part.done", "part": section} | place
        case "function_call":
            yield from _texts("response.function_call_arguments", {}, item["arguments"], "arguments", places)
        case "custom_tool_call":
            yield from _texts("response.custom_tool_call_input", {}, item["input"], "input", places)
        case "web_search_call":
            yield {"type": "response.web_search_call.searching"}


def _content(index: int, part: dict[str, Any], places: list[int]) -> Iterator[dict[str, Any]]:
    place = {"content_index": index}
    key = "text" if part["type"] == "output_text" else "refusal"
    kind = "response.output_text" if key == "text" else "response.refusal"
    bare = part | {key: ""} | ({"annotations": []} if key == "text" else {})
    yield {"type": "response.content_part.added", "part": bare} | place
    yield from _texts(kind, place, part[key], key, places)
    for number, cite in enumerate(part.get("annotations", ())):
        yield {"type": "response.output_text.annotation.added", "annotation": cite, "annotation_index": number} | place
    yield {"type": "response.content_part.done", "part": part} | place


def _texts(kind: str, place: dict[str, int], text: str, key: str, places: list[int]) -> Iterator[dict[str, Any]]:
    for piece in cut(text, places):
        yield {"type": f"{kind}.delta", "delta": piece} | place
    yield {"type": f"{kind}.done", key: text} | place


def data(events: list[dict[str, Any]]) -> bytes:
    return b"".join(b"event: %b\ndata: %b\n\n" % (e["type"].encode(), json.dumps(e).encode()) for e in events)
