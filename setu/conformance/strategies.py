"""Hypothesis strategies: legal chat requests as turn grammars, hostile text, arbitrary JSON.

Imported lazily: hypothesis costs a tenth of a second.
"""

from typing import Any

from hypothesis import strategies as st

NASTY = (
    "data: [DONE]", "[DONE]", "\u2028", "\u2029", "\u0085", "\r\n", "\r", "\n\n", "\ufeff", "e\u0301", "\u202egnp",
    "\U0001f469\u200d\U0001f680", '"', "\\", "\\u0000", "</s>", "<think>", "{", "}", "0", "null", " ", "\t",
)  # fmt: skip
"""Pieces of text that break decoders."""


def texts(*, blank: bool = False) -> st.SearchStrategy[str]:
    """Text of every script, spiced with what breaks decoders; never blank unless asked for."""
    plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    made = st.lists(st.one_of(plain, st.sampled_from(NASTY)), min_size=1, max_size=5).map("".join)
    return made if blank else made.filter(lambda text: text.strip() != "" and "\0" not in text)


def json_values() -> st.SearchStrategy[Any]:
    """Any JSON value, integers beyond 64 bits included."""
    numbers = st.one_of(st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False))
    scalars = st.one_of(st.none(), st.booleans(), numbers, texts(blank=True))
    return st.recursive(
        scalars,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts(blank=True), inner, max_size=3)),
        max_leaves=8,
    )


NAMES = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_]{0,15}", fullmatch=True)


def tools() -> st.SearchStrategy[list[dict[str, Any]]]:
    """One to three function tools with unique names and simple object schemas."""
    kinds = st.sampled_from(("string", "integer", "number", "boolean"))
    properties = st.dictionaries(NAMES, kinds.map(lambda kind: {"type": kind}), max_size=3)

    def tool(name: str, members: dict[str, Any]) -> dict[str, Any]:
        schema = {"type": "object", "properties": members, "required": sorted(members)}
        return {"type": "function", "function": {"name": name, "description": "does it", "parameters": schema}}

    def kit(drawn: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        return [tool(name, members) for name, members in drawn.items()]

    return st.dictionaries(NAMES, properties, min_size=1, max_size=3).map(kit)


def _content() -> st.SearchStrategy[Any]:
    part = texts().map(lambda text: {"type": "text", "text": text})
    return st.one_of(texts(), st.lists(part, min_size=1, max_size=3))


def _call_turn(names: list[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """An assistant turn with parallel calls and all their results, in any order."""
    call = st.tuples(st.sampled_from(names), st.dictionaries(NAMES, texts(), max_size=2))

    def turn(calls: list[tuple[str, dict[str, str]]], results: list[str], reverse: bool) -> list[dict[str, Any]]:
        import json

        ids = [f"call_{index}_{len(calls)}" for index in range(len(calls))]
        made = [
            {"id": ids[i], "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for i, (name, arguments) in enumerate(calls)
        ]
        answers = [{"role": "tool", "tool_call_id": ids[i], "content": results[i]} for i in range(len(calls))]
        return [
            {"role": "assistant", "content": None, "tool_calls": made},
            *(reversed(answers) if reverse else answers),
        ]

    return st.integers(1, 3).flatmap(
        lambda size: st.builds(
            turn,
            st.lists(call, min_size=size, max_size=size),
            st.lists(texts(), min_size=size, max_size=size),
            st.booleans(),
        )
    )


def conversations(names: list[str]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """A legal history: system first, then user and assistant turns, the last one the user's or a tool's."""
    system = st.lists(
        st.builds(
            lambda role, text: {"role": role, "content": text}, st.sampled_from(("system", "developer")), _content()
        ),
        max_size=2,
    )
    user = _content().map(lambda content: [{"role": "user", "content": content}])
    assistant = _content().map(lambda content: [{"role": "assistant", "content": content}])
    answered = _call_turn(names) if names else assistant
    exchange = st.tuples(user, st.one_of(assistant, answered)).map(lambda pair: pair[0] + pair[1])
    middle = st.lists(exchange, max_size=2).map(lambda turns: [message for turn in turns for message in turn])
    return st.tuples(system, middle, user).map(lambda parts: parts[0] + parts[1] + parts[2])


def options() -> st.SearchStrategy[dict[str, Any]]:
    """Scalar options every provider documents or drops with notice."""
    return st.fixed_dictionaries(
        {},
        optional={
            "temperature": st.sampled_from((0, 0.5, 1, 1.7)),
            "top_p": st.sampled_from((0.1, 1)),
            "max_tokens": st.integers(1, 60),
            "stop": st.one_of(texts(), st.lists(texts(), min_size=1, max_size=4)),
            "seed": st.integers(0, 2**31 - 1),
            "user": texts(),
        },
    )


def requests(model: str) -> st.SearchStrategy[dict[str, Any]]:
    """A legal chat request in OpenAI's words."""

    def body(
        kit: list[dict[str, Any]], messages: list[dict[str, Any]], extra: dict[str, Any], choice: Any
    ) -> dict[str, Any]:
        made = {"model": model, "messages": messages, **extra}
        return {**made, "tools": kit, **({"tool_choice": choice} if choice else {})} if kit else made

    kits = st.one_of(st.just([]), tools())
    return kits.flatmap(
        lambda kit: st.builds(
            body,
            st.just(kit),
            conversations([tool["function"]["name"] for tool in kit]),
            options(),
            st.sampled_from((None, "auto", "required", "none")) if kit else st.none(),
        )
    )
