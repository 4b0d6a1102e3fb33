"""What is indifferent and what is wrong in OpenAI's requests: members that may be null, ways to spoil one."""

from typing import Any

CHAT_NULLABLE = (
    *(
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "max_completion_tokens",
        "max_tokens",
        "n",
        "stop",
    ),
    *("presence_penalty", "seed", "service_tier", "temperature", "top_p", "metadata", "stream_options"),
)

RESPONSES_NULLABLE = (
    *("instructions", "max_output_tokens", "metadata", "parallel_tool_calls", "reasoning", "store", "temperature"),
    *("top_p", "truncation", "service_tier", "include", "max_tool_calls"),
)

CHAT_ILLEGAL = {
    "no messages": lambda body: {**body, "messages": []},
    "messages missing": lambda body: {name: value for name, value in body.items() if name != "messages"},
    "unknown role": lambda body: {**body, "messages": [*body["messages"], {"role": "wizard", "content": "hi"}]},
    "content is a number": lambda body: {**body, "messages": [*body["messages"], {"role": "user", "content": 5}]},
    "a message is text": lambda body: {**body, "messages": [*body["messages"], "hi"]},
    "temperature out of range": lambda body: {**body, "temperature": 2.5},
    "tools is text": lambda body: {**body, "tools": "none"},
    "max_tokens is text": lambda body: {**body, "max_tokens": "many"},
    "orphan result": lambda body: {
        **body,
        "messages": [*body["messages"], {"role": "tool", "tool_call_id": "call_nobody_made", "content": "x"}],
    },
}


def _more(item: Any) -> Any:
    return lambda body: {**body, "input": [*body["input"], item]}


RESPONSES_ILLEGAL = {
    "input missing": lambda body: {name: value for name, value in body.items() if name != "input"},
    "unknown role": _more({"role": "wizard", "content": "hi"}),
    "content is a number": _more({"role": "user", "content": 5}),
    "an item is text": _more("hi"),
    "temperature out of range": lambda body: {**body, "temperature": 2.5},
    "tools is text": lambda body: {**body, "tools": "none"},
    "max_tokens is text": lambda body: {**body, "max_output_tokens": "many"},
    "orphan result": _more({"type": "function_call_output", "call_id": "call_nobody_made", "output": "x"}),
}
