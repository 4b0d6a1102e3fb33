"""Ollama's chat, natively; nobody's client speaks it to Setu. Source: docs.ollama.com/api/chat (2026-11)."""

from typing import Any

from setu._json import Raw
from setu.conformance.natives import exact
from setu.conformance.natives.record import Json, Lanes, Native, cut, filled, frame, read_options
from setu.conformance.natives.values import (
    Answer,
    Call,
    Choice,
    Item,
    Result,
    Say,
    Show,
    Story,
    Think,
    Tokens,
    Tool,
    Turn,
    calls,
    texts,
)
from setu.framing.frame import Frame

OPTIONS = {
    "max_tokens": "options.num_predict",
    "temperature": "options.temperature",
    "top_p": "options.top_p",
    "top_k": "options.top_k",
    "stop": "options.stop",
    "seed": "options.seed",
    "frequency_penalty": "options.frequency_penalty",
    "presence_penalty": "options.presence_penalty",
    "logprobs": "logprobs",
    "top_logprobs": "top_logprobs",
}
WORDS = {"stop": "stop", "length": "length", "tool_calls": "stop"}
"""Ollama has no word for a filter."""

# Requests ------------------------------------------------------------------------------------------------------------


def read(body: Json) -> Story:
    system: list[str] = []
    turns: list[Turn] = []
    for message in body["messages"]:
        items = _read_content(message)
        match message["role"]:
            case "system":
                system += texts(items)
            case "tool":
                result = Result(message.get("tool_call_id") or "", message.get("tool_name") or "", items)
                turns.append(Turn("user", (result,)))
            case "assistant":
                thought = (Think(message["thinking"]),) if message.get("thinking") else ()
                made = (_read_call(call) for call in message.get("tool_calls") or ())
                turns.append(Turn("assistant", (*thought, *items, *made)))
            case role:
                turns.append(Turn(role, items))
    form = body.get("format")
    return Story(
        model=body["model"],
        system=tuple(system),
        turns=tuple(turns),
        tools=tuple(
            Tool(tool["function"]["name"], exact.plain(tool["function"].get("parameters")))
            for tool in body.get("tools") or ()
        ),
        schema=exact.plain(form) if isinstance(form, dict) else None,
        effort="on" if body.get("think") else None,
        options=read_options(body, OPTIONS),
        stream=body.get("stream") is not False,
    )


def _read_content(message: Json) -> tuple[Say | Show, ...]:
    said = (Say(message["content"]),) if message.get("content") else ()
    # Images stand beside the text and name no type.
    return (*said, *(Show("image", "image/png", image) for image in message.get("images") or ()))


def _read_call(call: Json) -> Call:
    return Call(call.get("id") or "", call["function"]["name"], exact.dump(call["function"]["arguments"]))


# Answers -------------------------------------------------------------------------------------------------------------


def plain(answer: Answer) -> Json:
    (choice,) = answer.choices
    thought = "".join(item.text for item in choice.items if isinstance(item, Think))
    made = [_call(call, index) for index, call in enumerate(calls(choice.items))]
    message = {"role": "assistant", "content": "".join(texts(choice.items))}
    return (
        _head(answer)
        | {"message": message | filled(thinking=thought or None, tool_calls=made or None)}
        | _done(choice, answer.tokens)
    )


def _head(answer: Answer) -> Json:
    return {"model": answer.model, "created_at": "2026-11-20T09:00:00.123456789Z"}


def _call(call: Call, index: int) -> Json:
    function = {"index": index, "name": call.name, "arguments": Raw(call.arguments.encode())}
    return {"id": call.id, "function": function}


def _done(choice: Choice, counts: Tokens) -> Json:
    return {
        "done": True,
        "done_reason": choice.word or WORDS.get(choice.finish or ""),
        **filled(prompt_eval_count=counts.input, eval_count=counts.output),
        "eval_duration": 9,
    }


def lanes(answer: Answer, size: int) -> Lanes:
    """Ollama streams one thing after the other, a call whole: there is one lane."""
    (choice,) = answer.choices
    index = 0
    row: list[Frame] = []
    for item in choice.items:
        if isinstance(item, Call):
            row.append(_line(answer, {"content": "", "tool_calls": [_call(item, index)]}))
            index += 1
        else:
            row += [_line(answer, message) for message in _pieces(item, size)]
    last = _head(answer) | {"message": {"role": "assistant", "content": ""}} | _done(choice, answer.tokens)
    return Lanes((), (tuple(row),), (frame(last),))


def _line(answer: Answer, message: Json) -> Frame:
    return frame(_head(answer) | {"message": {"role": "assistant", **message}, "done": False})


def _pieces(item: Item, size: int) -> list[Json]:
    assert isinstance(item, (Say, Think))
    if isinstance(item, Say):
        return [{"content": piece} for piece in cut(item.text, size)]
    return [{"content": "", "thinking": piece} for piece in cut(item.text, size)]


def _noise() -> tuple[Frame, ...]:
    empty: Any = _head(Answer()) | {"message": {"role": "assistant", "content": ""}, "done": False}
    return Frame(raw=b"\n"), frame(empty)


NATIVE = Native(
    name="ollama",
    read=read,
    turns=lambda body: list(body["messages"]),
    plain=plain,
    lanes=lanes,
    words=WORDS,
    others=("load", "unload", "BRAND_NEW"),
    ids=r"[!-~]{1,40}",
    names=r"[A-Za-z0-9_.:/-]{1,128}",
    options=OPTIONS,
    thinks=True,
    ordered=False,
    noise=_noise(),
    fault=frame({"error": "model runner has unexpectedly stopped"}),
)
