"""Chat requests as clients write them, rendered for an upstream-only dialect."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from setu.dialects.openai_chat.codec import DIALECT as CHAT
from setu.dialects.record import Dialect, Facts, Loss, Rendered, Route, Target

CHATS = CHAT.client["chat"].parse_request
UNKNOWN = Facts()
PNG = "iVBORw0KGgo="
WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def renders(dialect: Dialect, model: str) -> Callable[..., Rendered]:
    """Return a function that renders a chat request with some members; `facts` are the target's."""
    codec = dialect.upstream["chat"]

    def render(*messages: dict[str, Any], facts: Facts = UNKNOWN, **members: Any) -> Rendered:
        asked = {"model": "m", "messages": list(messages) or [{"role": "user", "content": "Hi."}], **members}
        request = CHATS(json.dumps(asked).encode(), Route(dialect="openai_chat", operation="chat"))
        return codec.render_request(request, Target(model=model, facts=facts))

    return render


def called(*ids: str, arguments: str = '{"city": "Oslo"}', **members: Any) -> dict[str, Any]:
    """An assistant message that calls `weather` once for each id."""
    calls = [{"id": one, "type": "function", "function": {"name": "weather", "arguments": arguments}} for one in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls, **members}


def result(identity: str, content: Any = "rain") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": identity, "content": content}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def pointers(losses: tuple[Loss, ...]) -> list[str]:
    return [loss.pointer for loss in losses]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda text: text.strip() != ""
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)


@st.composite
def histories(draw: Any) -> list[dict[str, Any]]:
    """A legal history: system, then turns with and without calls, the user's or a result last."""
    history = [{"role": role, "content": draw(TEXTS)} for role in draw(st.sampled_from([(), ("system",)]))]
    for turn in range(draw(st.integers(0, 3))):
        history.append(user(draw(TEXTS)))
        if draw(st.booleans()):
            history.append({"role": "assistant", "content": draw(TEXTS)})
            continue
        ids = [f"call_{turn}_{number}" for number in range(draw(st.integers(1, 3)))]
        arguments = draw(st.sampled_from(['{"city": "Oslo"}', "", "{", "[]"]))
        history.append(called(*ids, arguments=arguments, reasoning_content=draw(st.sampled_from(["", "Hm."]))))
        history += [result(identity, draw(TEXTS)) for identity in draw(st.permutations(ids))]
    return [*history, user(draw(TEXTS))]


def settings_of_a_request() -> st.SearchStrategy[dict[str, Any]]:
    """Members that a chat request may have beside its messages."""
    choices: tuple[dict[str, Any], ...] = (
        {},
        {"tool_choice": "required"},
        {"tool_choice": {"type": "function", "function": {"name": "weather"}}},
    )
    return st.fixed_dictionaries(
        {},
        optional={
            "temperature": st.sampled_from((0, 0.5, 1.7)),
            "top_p": st.sampled_from((0, 0.5, 1)),
            "max_tokens": st.integers(1, 99),
            "stop": st.lists(TEXTS, max_size=4),
            "seed": st.integers(0, 2**31),
            "presence_penalty": st.sampled_from((-2, 0.5)),
            "stream": st.booleans(),
            "tools": st.just([WEATHER]),
            "reasoning_effort": st.sampled_from(("none", "low", "xhigh")),
            "response_format": st.just({"type": "json_object"}),
        },
    ).flatmap(
        lambda members: st.sampled_from(choices).map(
            lambda choice: {**members, **(choice if "tools" in members else {})}
        )
    )
