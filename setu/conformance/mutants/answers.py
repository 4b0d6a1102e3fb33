"""Mutants of plain chat answers and their token counts."""

from typing import Any

from setu.conformance.mutants.asked import alone, in_parts, later_turn
from setu.conformance.mutants.edits import (
    CHAT,
    DocumentEdit,
    Json,
    choices,
    drop,
    each,
    events,
    plain,
    put,
    refusals,
    requests,
    when,
)
from setu.conformance.mutants.mutant import Mutants

MUTANTS = Mutants()
_LITERAL = ("CHAT-001", "SDK-001")
"""What the documented model and OpenAI's own client say of a value that is none of those it may be."""


def _milliseconds(made: Json, _asked: Json) -> Json:
    return {**made, "created": made["created"] * 1000}


def _one_index(choice: Json) -> Json:
    return {**choice, "index": 0}


def _first_choice(made: Json, _asked: Json) -> Json:
    return {**made, "choices": made["choices"][:1]}


def _blocks(choice: Json) -> Json:
    return _said(choice, [{"type": "text", "text": choice["message"]["content"]}])


def _said(choice: Json, content: Any) -> Json:
    return {**choice, "message": {**choice["message"], "content": content}}


def finish(was: str, becomes: str) -> DocumentEdit:
    """Return an edit that gives another reason for an end."""
    return choices(lambda choice: {**choice, "finish_reason": becomes} if choice["finish_reason"] == was else choice)


def _stop_kept(made: Json, asked: Json) -> Json:
    made["choices"] = [_said(one, one["message"]["content"] + asked["stop"][0]) for one in made["choices"]]
    return made


def _last_turn(asked: Json) -> Json:
    return {**asked, "messages": asked["messages"][-1:]} if later_turn(asked) else asked


def _stops(asked: Json) -> bool:
    return isinstance(asked.get("stop"), list)


MUTANTS.front("CHAT-001", "no_id", "An answer has no id.", plain(drop("/id")), implies="SDK-001")
MUTANTS.front("CHAT-001", "empty_id", "An answer's id is empty.", plain(put("/id", "")))
MUTANTS.front(
    "CHAT-002",
    "chunk_object",
    "An answer calls itself a chunk.",
    plain(put("/object", "chat.completion.chunk")),
    implies=_LITERAL,
)
MUTANTS.front("CHAT-003", "milliseconds", "The time is in milliseconds.", plain(_milliseconds))
MUTANTS.front("CHAT-004", "same_index", "Two choices have one index.", plain(choices(_one_index)))
MUTANTS.front("CHAT-005", "one_of_two", "Of two choices one comes.", plain(_first_choice))
MUTANTS.front(
    "CHAT-005",
    "one_whatever_is_asked",
    "The number of choices is not passed on.",
    requests(lambda asked: {**asked, "n": 1} if "n" in asked else asked, CHAT),
    implies="STR-015",
)
MUTANTS.front(
    "CHAT-006", "role_model", "The role is Google's.", plain(put("/choices/0/message/role", "model")), implies=_LITERAL
)
MUTANTS.front(
    "CHAT-007",
    "content_blocks",
    "Who asks in parts is answered in parts.",
    plain(when(in_parts, choices(_blocks))),
    implies="CHAT-001",
)
MUTANTS.front(
    "CHAT-008",
    "end_turn",
    "In a later turn the end has Anthropic's name.",
    plain(when(later_turn, finish("stop", "end_turn"))),
    implies="CHAT-001",
)
MUTANTS.front(
    "CHAT-009", "no_refusal", "A message has no member for refusals.", plain(drop("/choices/0/message/refusal"))
)
MUTANTS.front(
    "CHAT-010",
    "empty_success",
    "A later turn says nothing.",
    plain(when(later_turn, put("/choices/0/message/content", None))),
)
MUTANTS.front("CHAT-011", "another_model", "An answer names another model.", plain(put("/model", "claude-opus-5")))
MUTANTS.front("CHAT-012", "one_id", "Every answer has one id.", plain(put("/id", "chatcmpl-1")), implies="TRN-009")
MUTANTS.front(
    "CHAT-013",
    "cut_without_a_word",
    "An answer that was cut claims to be whole.",
    plain(when(lambda asked: "max_tokens" in asked, finish("length", "stop"))),
)
MUTANTS.front("CHAT-014", "stop_kept", "The stop sequence stays in the text.", plain(when(_stops, _stop_kept)))
MUTANTS.front(
    "CHAT-015",
    "logprobs_dropped",
    "Log probabilities are asked for and not given.",
    plain(put("/choices/0/logprobs", None)),
)
MUTANTS.front("CHAT-016", "one_turn_only", "A history with the assistant's turns is refused.", refusals(later_turn))
MUTANTS.front("CHAT-016", "last_turn_only", "Of a history the last turn goes on.", requests(_last_turn, CHAT))
MUTANTS.front(
    "CHAT-017",
    "usage_metadata",
    "Google's account of tokens is in the answer.",
    plain(put("/usageMetadata", {"totalTokenCount": 9})),
)
MUTANTS.front(
    "CHAT-018",
    "empty_calls",
    "A later turn has an empty list of calls.",
    plain(when(later_turn, put("/choices/0/message/tool_calls", []))),
)


def _one_more_in_all(made: Json, _asked: Json) -> Json:
    made["usage"]["total_tokens"] += 1
    return made


def _spent(made: Json, **counts: int) -> Json:
    usage = {**made["usage"], **counts}
    return {**made, "usage": {**usage, "total_tokens": usage["prompt_tokens"] + usage["completion_tokens"]}}


def _more_in_streams(event: Json, _asked: Json) -> Json:
    return _spent(event, prompt_tokens=event["usage"]["prompt_tokens"] + 1) if event.get("usage") else event


def _more_than_allowed(made: Json, asked: Json) -> Json:
    cut = "max_tokens" in asked and made["choices"][0]["finish_reason"] == "length"
    return _spent(made, completion_tokens=made["usage"]["completion_tokens"] + 5) if cut else made


MUTANTS.front("USG-001", "no_usage", "A later turn costs nothing.", plain(when(later_turn, drop("/usage"))))
MUTANTS.front("USG-002", "off_by_one", "The sum is one too many.", plain(when(later_turn, _one_more_in_all)))
MUTANTS.front(
    "USG-003",
    "no_prompt",
    "A prompt of no tokens.",
    plain(when(later_turn, lambda made, _: _spent(made, prompt_tokens=0))),
)
MUTANTS.front(
    "USG-004",
    "cached_above_prompt",
    "More of the prompt is cached than there is.",
    plain(put("/usage/prompt_tokens_details/cached_tokens", 10**6)),
)
MUTANTS.front(
    "USG-005",
    "same_for_all",
    "Every prompt has ten tokens.",
    plain(when(alone, lambda made, _: _spent(made, prompt_tokens=10))),
)
MUTANTS.front("USG-006", "more_in_streams", "A stream counts one token more.", events(each(_more_in_streams)))
MUTANTS.front("USG-007", "more_than_allowed", "More tokens are counted than were allowed.", plain(_more_than_allowed))
