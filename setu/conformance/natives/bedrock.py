"""Amazon Bedrock Converse, natively.

Source: docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and _ConverseStream (2026-11).
"""

from typing import Any

from setu._json import Raw
from setu.conformance.natives import exact
from setu.conformance.natives.record import Json, Lanes, Native, cut, frame, get, read_options
from setu.conformance.natives.values import Answer, Call, Item, Result, Say, Show, Story, Think, Tokens, Tool, Turn
from setu.framing.frame import Frame

OPTIONS = {
    "max_tokens": "inferenceConfig.maxTokens",
    "temperature": "inferenceConfig.temperature",
    "top_p": "inferenceConfig.topP",
    "stop": "inferenceConfig.stopSequences",
    "top_k": "additionalModelRequestFields.top_k",
}
WORDS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "content_filtered"}


def read(body: Json) -> Story:
    names: dict[str, str] = {}
    turns = tuple(Turn(message["role"], tuple(_read_blocks(message["content"], names))) for message in body["messages"])
    tools = get(body, "toolConfig.tools") or []
    choice = get(body, "toolConfig.toolChoice") or {}
    named = get(choice, "tool.name")
    return Story(
        system=tuple(block["text"] for block in body.get("system") or () if "text" in block),
        turns=turns,
        tools=tuple(
            Tool(tool["toolSpec"]["name"], exact.plain(tool["toolSpec"]["inputSchema"]["json"]))
            for tool in tools
            if "toolSpec" in tool
        ),
        choice=named or ("required" if "any" in choice else "auto" if "auto" in choice else None),
        schema=get(body, "outputConfig.textFormat.structure.jsonSchema.schema"),
        effort="on" if get(body, "additionalModelRequestFields.thinking") else None,
        options=read_options(body, OPTIONS),
    )


def _read_blocks(blocks: list[Json], names: dict[str, str]) -> list[Item]:
    items: list[Item] = []
    for block in blocks:
        (kind,) = block
        value: Any = block[kind]
        match kind:
            case "text":
                items.append(Say(value))
            case "image":
                items.append(Show("image", f"image/{value['format']}", value["source"]["bytes"]))
            case "document":
                items.append(Show("document", f"application/{value['format']}", value["source"]["bytes"]))
            case "toolUse":
                names[value["toolUseId"]] = value["name"]
                items.append(Call(value["toolUseId"], value["name"], exact.dump(value["input"])))
            case "toolResult":
                items.append(_read_result(value, names))
            case "reasoningContent":
                words = value["reasoningText"]
                items.append(Think(words["text"], words.get("signature")))
            case _:
                raise ValueError(f"no block of a message: {kind!r}")
    return items


def _read_result(value: Json, names: dict[str, str]) -> Result:
    content = tuple(_read_blocks(value["content"], names))
    failed = value.get("status") == "error"
    return Result(value["toolUseId"], names.get(value["toolUseId"], ""), content, failed)  # type: ignore[arg-type]  # results hold text and media


def plain(answer: Answer) -> Json:
    choice = answer.choices[0]
    return {
        "output": {"message": {"role": "assistant", "content": [_block(item) for item in choice.items]}},
        "stopReason": choice.word or WORDS.get(choice.finish or ""),
        "usage": _usage(answer.tokens),
        "metrics": {"latencyMs": 9},
    }


def _block(item: Item) -> Json:
    match item:
        case Say():
            return {"text": item.text}
        case Think():
            return {"reasoningContent": {"reasoningText": {"text": item.text, "signature": item.seal}}}
        case Call():
            return {"toolUse": {"toolUseId": item.id, "name": item.name, "input": Raw(item.arguments.encode())}}
    raise TypeError(f"no part of an answer: {item!r}")


def _usage(counts: Tokens) -> Json:
    cached = counts.cached or 0
    return {
        "inputTokens": (counts.input or 0) - cached,
        "cacheReadInputTokens": cached,
        "outputTokens": counts.output,
        "totalTokens": (counts.input or 0) + (counts.output or 0),
    }


def lanes(answer: Answer, size: int) -> Lanes:
    choice = answer.choices[0]
    lane = tuple(event for index, item in enumerate(choice.items) for event in _events(index, item, size))
    word = choice.word or WORDS.get(choice.finish or "")
    tail = (
        frame({"stopReason": word}, "messageStop"),
        frame({"usage": _usage(answer.tokens), "metrics": {"latencyMs": 9}}, "metadata"),
    )
    return Lanes((frame({"role": "assistant"}, "messageStart"),), (lane,), tail)


def _events(index: int, item: Item, size: int) -> list[Frame]:
    start: Json = {}
    match item:
        case Say():
            deltas: list[Json] = [{"text": piece} for piece in cut(item.text, size)]
        case Think():
            deltas = [{"reasoningContent": {"text": piece}} for piece in cut(item.text, size)]
            deltas.append({"reasoningContent": {"signature": item.seal}})
        case Call():
            start = {"toolUse": {"toolUseId": item.id, "name": item.name}}
            deltas = [{"toolUse": {"input": piece}} for piece in cut(item.arguments, size)]
        case _:
            raise TypeError(f"no part of an answer: {item!r}")
    place = {"contentBlockIndex": index}
    opening = [frame({**place, "start": start}, "contentBlockStart")] if start else []
    said = [frame({**place, "delta": delta}, "contentBlockDelta") for delta in deltas]
    return [*opening, *said, frame(place, "contentBlockStop")]


NATIVE = Native(
    name="bedrock",
    read=read,
    turns=lambda body: list(body["messages"]),
    plain=plain,
    lanes=lanes,
    words=WORDS,
    others=("stop_sequence", "guardrail_intervened", "malformed_tool_use", "brand_new"),
    ids=r"[a-zA-Z0-9_.:-]{1,64}",
    names=r"[a-zA-Z0-9_-]{1,64}",
    options=OPTIONS,
    limits={"temperature": (0, 1), "top_p": (0, 1)},
    thinks=True,
    seals_thoughts=True,
    counts=frozenset({"input", "output", "cached"}),
    separate=True,
    alternates=True,
    forbids_blank=True,
    noise=(frame({"value": 1}, "brandNewEvent"), frame({"p": "abc"}, "padding")),
    fault=frame({"message": "the model fell over"}, "internalServerException"),
)
