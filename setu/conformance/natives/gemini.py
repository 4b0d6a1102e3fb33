"""Gemini generateContent, natively. Source: ai.google.dev/api/generate-content (2026-11)."""

from typing import Any

from setu._json import Raw
from setu.conformance.natives import exact
from setu.conformance.natives.record import (
    Asking,
    Json,
    Lanes,
    Native,
    cut,
    filled,
    frame,
    get,
    put,
    read_options,
    write_options,
)
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
    texts,
)
from setu.framing.frame import Frame

OPTIONS = {
    "max_tokens": "generationConfig.maxOutputTokens",
    "temperature": "generationConfig.temperature",
    "top_p": "generationConfig.topP",
    "top_k": "generationConfig.topK",
    "stop": "generationConfig.stopSequences",
    "seed": "generationConfig.seed",
    "frequency_penalty": "generationConfig.frequencyPenalty",
    "presence_penalty": "generationConfig.presencePenalty",
    "logprobs": "generationConfig.responseLogprobs",
    "top_logprobs": "generationConfig.logprobs",
    "n": "generationConfig.candidateCount",
}
WORDS = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "content_filter": "SAFETY"}
MEANINGS = {"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "content_filter", "PROHIBITED_CONTENT": "content_filter"}
MODES = {"auto": "AUTO", "required": "ANY", "none": "NONE"}

# Requests ------------------------------------------------------------------------------------------------------------


def ask(story: Story) -> Json:
    body: Json = {"contents": [_content(turn) for turn in story.turns]}
    if story.system:
        body["systemInstruction"] = {"parts": [{"text": text} for text in story.system]}
    if story.tools:
        declared = [{"name": tool.name, "parametersJsonSchema": tool.schema} for tool in story.tools]
        body["tools"] = [{"functionDeclarations": declared}]
        if story.choice is not None:
            named = story.choice not in MODES
            calling = {"mode": "ANY" if named else MODES[story.choice]}
            body["toolConfig"] = {
                "functionCallingConfig": calling | ({"allowedFunctionNames": [story.choice]} if named else {})
            }
    if story.schema is not None:
        put(body, "generationConfig.responseMimeType", "application/json")
        put(body, "generationConfig.responseJsonSchema", story.schema)
    if story.effort is not None:
        put(body, "generationConfig.thinkingConfig.thinkingBudget", 2048)
    write_options(body, story, OPTIONS)
    return body


def _content(turn: Turn) -> Json:
    role = "model" if turn.role == "assistant" else "user"
    parts = [_part(item) for item in turn.items]
    parts.sort(key=lambda part: "functionResponse" not in part if role == "user" else False)
    return {"role": role, "parts": parts}


def _part(item: Item) -> Json:
    match item:
        case Say():
            return {"text": item.text}
        case Show():
            return {"inlineData": {"mimeType": item.mime, "data": item.data}}
        case Think():
            return {"text": item.text, "thought": True} | filled(thoughtSignature=item.seal)
        case Call():
            made = {"id": item.id, "name": item.name, "args": Raw(item.arguments.encode())}
            return {"functionCall": made} | filled(thoughtSignature=item.seal)
        case Result():
            key = "error" if item.failed else "result"
            said = {key: "\n".join(texts(item.content))}
            return {"functionResponse": {"id": item.id, "name": item.name, "response": said}}


def read(body: Json) -> Story:
    calling = get(body, "toolConfig.functionCallingConfig") or {}
    named = calling.get("allowedFunctionNames") or []
    meant = {word: name for name, word in MODES.items()}
    system = [_read_part(part) for part in get(body, "systemInstruction.parts") or ()]
    declared = [tool for group in body.get("tools") or () for tool in group.get("functionDeclarations") or ()]
    return Story(
        system=tuple(item.text for item in system if isinstance(item, Say)),
        turns=tuple(
            Turn(
                "assistant" if content.get("role") == "model" else "user",
                tuple(_read_part(part) for part in content.get("parts") or ()),
            )
            for content in body["contents"]
        ),
        tools=tuple(
            Tool(tool["name"], exact.plain(tool.get("parametersJsonSchema") or tool.get("parameters")))
            for tool in declared
        ),
        choice=named[0] if len(named) == 1 else meant.get(calling.get("mode", "")),
        schema=exact.plain(
            get(body, "generationConfig.responseJsonSchema") or get(body, "generationConfig.responseSchema")
        ),
        effort="on" if get(body, "generationConfig.thinkingConfig") else None,
        options=read_options(body, OPTIONS),
    )


def _read_part(part: Json) -> Item:
    seal = part.get("thoughtSignature")
    if "functionCall" in part:
        made = part["functionCall"]
        return Call(made.get("id") or "", made["name"], exact.dump(made.get("args") or {}), seal)
    if "functionResponse" in part:
        return _read_result(part["functionResponse"])
    if "inlineData" in part:
        mime = part["inlineData"]["mimeType"]
        return Show("image" if mime.startswith("image/") else "document", mime, part["inlineData"]["data"])
    if part.get("thought") is True:
        return Think(part["text"], seal)
    if "text" in part:
        return Say(part["text"])
    raise ValueError(f"no part of a content: {sorted(part)}")


def _read_result(made: Json) -> Result:
    """A response is an object of the tool's own; what a text-only result is put under is the writer's choice."""
    response = exact.plain(made["response"])
    wrapped = len(response) == 1 and response.keys() <= {"output", "result", "error"}
    said = next(iter(response.values())) if wrapped else response
    text = Say(said if isinstance(said, str) else exact.dump(said))
    shown = [_read_part(part) for part in made.get("parts") or ()]
    content = (text, *(item for item in shown if isinstance(item, (Say, Show))))
    return Result(made.get("id") or "", made["name"], content, "error" in response)


# Answers -------------------------------------------------------------------------------------------------------------


def plain(answer: Answer) -> Json:
    return {
        "candidates": [
            {
                "index": index,
                "content": {"role": "model", "parts": [_part(item) for item in choice.items]},
                "finishReason": choice.word or WORDS.get(choice.finish or ""),
            }
            for index, choice in enumerate(answer.choices)
        ],
        **_tail(answer),
    }


def _tail(answer: Answer) -> Json:
    counts = answer.tokens
    thought = counts.reasoning or 0
    usage = {
        "promptTokenCount": counts.input,
        "candidatesTokenCount": (counts.output or 0) - thought,
        "thoughtsTokenCount": thought,
        "cachedContentTokenCount": counts.cached or 0,
        "totalTokenCount": (counts.input or 0) + (counts.output or 0),
    }
    return {"usageMetadata": usage, "modelVersion": answer.model, "responseId": answer.id}


def lanes(answer: Answer, size: int) -> Lanes:
    tail = _tail(answer)

    def chunk(index: int, parts: list[Json], finish: str | None = None) -> Frame:
        candidate = {"index": index, "content": {"role": "model", "parts": parts}} | filled(finishReason=finish)
        return frame({"candidates": [candidate], **tail})

    rows = [
        tuple(chunk(index, [part]) for item in choice.items for part in _pieces(item, size))
        for index, choice in enumerate(answer.choices)
    ]
    # Google closes a candidate with an empty text and the reason.
    last = tuple(
        chunk(index, [{"text": ""}], choice.word or WORDS.get(choice.finish or ""))
        for index, choice in enumerate(answer.choices)
    )
    return Lanes((), tuple(rows), last)


def _pieces(item: Item, size: int) -> list[Json]:
    if isinstance(item, Say):
        return [{"text": piece} for piece in cut(item.text, size)]
    if isinstance(item, Think):
        parts: list[Json] = [{"text": piece, "thought": True} for piece in cut(item.text, size)]
        if item.seal is not None:
            parts[-1]["thoughtSignature"] = item.seal
        return parts
    return [_part(item)]


def hear(document: Json) -> Answer:
    usage = document.get("usageMetadata") or {}
    thought, said = usage.get("thoughtsTokenCount"), usage.get("candidatesTokenCount")
    return Answer(
        id=document.get("responseId") or "",
        model=document.get("modelVersion") or "",
        choices=tuple(
            _choice(candidate) for candidate in sorted(document["candidates"], key=lambda one: int(one.get("index", 0)))
        ),
        tokens=Tokens(
            input=usage.get("promptTokenCount"),
            output=None if said is None and thought is None else (said or 0) + (thought or 0),
            cached=usage.get("cachedContentTokenCount"),
            reasoning=thought,
        ),
    )


def _choice(candidate: Json) -> Choice:
    items = tuple(_read_part(part) for part in get(candidate, "content.parts") or ())
    meaning = MEANINGS.get(candidate.get("finishReason") or "")
    # Gemini ends a turn that calls with STOP.
    called = any(isinstance(item, Call) for item in items)
    return Choice(
        items=items,
        finish="tool_calls" if meaning == "stop" and called else meaning,
        word=candidate.get("finishReason"),
    )


def _partial(document: Json) -> dict[int, str]:
    return {one.get("index", 0): "".join(texts(_choice(one).items)) for one in document.get("candidates", ())}


def echo(request: Json, answer: Json) -> Json:
    return {**request, "contents": [*request["contents"], answer["candidates"][0]["content"]]}


def answered(request: Json, results: tuple[Result, ...]) -> Json:
    """Add the results of the calls that were echoed."""
    return {**request, "contents": [*request["contents"], _content(Turn("user", results))]}


# What is wrong or indifferent ----------------------------------------------------------------------------------------


def _more(content: Any) -> Any:
    return lambda body: {**body, "contents": [*body["contents"], content]}


ILLEGAL = {
    "no contents": lambda body: {**body, "contents": []},
    "contents missing": lambda body: {name: value for name, value in body.items() if name != "contents"},
    "unknown role": _more({"role": "wizard", "parts": [{"text": "hi"}]}),
    "parts is a number": _more({"role": "user", "parts": 5}),
    "a content is text": _more("hi"),
    "two things in a part": _more({"role": "user", "parts": [{"text": "hi", "functionCall": {"name": "f"}}]}),
    "temperature out of range": lambda body: {**body, "generationConfig": {"temperature": 2.5}},
    "tools is text": lambda body: {**body, "tools": "none"},
    "max_tokens is text": lambda body: {**body, "generationConfig": {"maxOutputTokens": "many"}},
    "orphan result": _more(_content(Turn("user", (Result("nobody", "f", (Say("x"),)),)))),
}


def _fragments(chunk: Json) -> list[tuple[int, int, str | None, str | None, str]]:
    """Gemini has no index and never cuts a call: each is its own first piece."""
    found = []
    for candidate in chunk.get("candidates", ()):
        for part in get(candidate, "content.parts") or ():
            if "functionCall" in part:
                made = part["functionCall"]
                found.append(
                    (candidate.get("index", 0), -1, made.get("id"), made["name"], exact.dump(made.get("args") or {}))
                )
    return found


def _finishes(chunk: Json) -> list[tuple[int, str]]:
    return [(c.get("index", 0), c["finishReason"]) for c in chunk.get("candidates", ()) if c.get("finishReason")]


NATIVE = Native(
    name="gemini",
    read=read,
    turns=lambda body: list(body["contents"]),
    plain=plain,
    lanes=lanes,
    words=WORDS,
    others=(
        "RECITATION",
        "PROHIBITED_CONTENT",
        "MALFORMED_FUNCTION_CALL",
        "OTHER",
        "BRAND_NEW",
    ),
    ids=r".{0,}",
    names=r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}",
    options=OPTIONS,
    limits={"temperature": (0, 2), "top_p": (0, 1)},
    choices=3,
    thinks=True,
    seals_thoughts=True,
    seals_calls=True,
    counts=frozenset({"input", "output", "cached", "reasoning"}),
    separate=True,
    alternates=True,
    noise=(Frame(comment=b" keep-alive"), frame({"candidates": []})),
    fault=frame({"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}),
    asking=Asking(
        path=lambda model, stream: (
            f"/v1beta/models/{model}:{'streamGenerateContent' if stream else 'generateContent'}",
            "alt=sse" if stream else "",
        ),
        ask=ask,
        hear=hear,
        echo=echo,
        answered=answered,
        words=("RECITATION", "PROHIBITED_CONTENT", "MALFORMED_FUNCTION_CALL", "OTHER"),
        nullable=("systemInstruction", "tools", "toolConfig", "generationConfig", "safetySettings", "cachedContent"),
        illegal=ILLEGAL,
        fragments=_fragments,
        finishes=_finishes,
        ends=None,
        partial=_partial,
        stamps=lambda chunk: {name: chunk.get(name) for name in ("responseId", "modelVersion")},
    ),
)
