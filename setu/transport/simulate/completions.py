"""OpenAI's legacy completions, from the provider's side.

Written to platform.openai.com/docs/api-reference/completions (2026-11), not to Setu's codecs.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from setu import _json
from setu.http import Headers
from setu.transport.simulate.answer import Answer, Ask, answer, count, groups
from setu.transport.simulate.dice import Dice, digest
from setu.transport.simulate.openai_chat_wording import Param, check_param
from setu.transport.simulate.refused import RefusedError, is_integer
from setu.transport.simulate.wire import BROKEN_MODEL, Reply, document

Json = dict[str, Any]

_CAP = 16
"""Tokens of an answer for which no cap is asked."""

_PARAMS: Mapping[str, Param] = {
    "best_of": Param("integer", 0, 20),
    "echo": Param("boolean"),
    "frequency_penalty": Param("decimal", -2, 2),
    "logit_bias": Param("object"),
    "logprobs": Param("integer", 0, 20),
    "max_tokens": Param("integer", 0),
    "n": Param("integer", 1, 128),
    "presence_penalty": Param("decimal", -2, 2),
    "seed": Param("integer"),
    "stream": Param("boolean"),
    "stream_options": Param("object"),
    "suffix": Param("string"),
    "temperature": Param("decimal", 0, 2),
    "top_p": Param("decimal", 0, 1),
    "user": Param("string"),
}

_FINISH = {"stop": "stop", "sequence": "stop", "length": "length", "call": "stop"}


def complete(body: Json, created: int, headers: dict[str, str]) -> Reply:
    """Answer a request, whole or as a stream.

    Raises:
        RefusedError: no model, a prompt of no legal form, or a member out of range.
    """
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise RefusedError("you must provide a model parameter")
    if model.rpartition("/")[2].startswith(BROKEN_MODEL):
        message = f"The model `{model}` does not exist or you do not have access to it."
        raise RefusedError(message, status=404, code="model_not_found")
    for name, rule in _PARAMS.items():
        check_param(body.get(name), name, rule)
    prompts = _prompts(body.get("prompt"))
    seed = digest({name: value for name, value in body.items() if name not in ("stream", "stream_options")})
    made = [
        (prompt, answer(_ask(body, prompt, seed), index))
        for index, prompt in enumerate(prompt for prompt in prompts for _ in range(_number(body, "n", 1)))
    ]
    shared = {
        "id": "cmpl-" + Dice(seed, "id").token(29),
        "object": "text_completion",
        "created": created,
        "model": model,
    }
    given, taken = max(count(prompts), 1), sum(one.tokens for _, one in made)
    usage = {"prompt_tokens": given, "completion_tokens": taken, "total_tokens": given + taken}
    if body.get("stream"):
        fields = Headers.of({"content-type": "text/event-stream", **headers})
        return Reply(headers=fields, pieces=tuple(_stream(body, shared, made, usage)))
    choices = [_choice(body, index, prompt, one) for index, (prompt, one) in enumerate(made)]
    return document({**shared, "choices": choices, "usage": usage}, headers)


def _prompts(given: Any) -> list[Any]:
    """Return the prompts: texts, or lists of tokens."""
    if isinstance(given, str):
        return [given]
    if isinstance(given, list) and given:
        if all(map(is_integer, given)):
            return [given]
        if all(isinstance(item, str) or (isinstance(item, list) and all(map(is_integer, item))) for item in given):
            return given
    raise RefusedError("'$.prompt' is invalid. Please check the API reference.", param="prompt")


def _number(body: Json, name: str, default: int) -> int:
    value = body.get(name)
    if value is None:
        return default
    if not is_integer(value) or value < 0:
        raise RefusedError(
            f"Invalid '{name}': integer below minimum value.", param=name, code="integer_below_min_value"
        )
    return int(value)


def _ask(body: Json, prompt: Any, seed: bytes) -> Ask:
    return Ask(
        seed=seed,
        text=prompt if isinstance(prompt, str) else "",
        cap=_number(body, "max_tokens", _CAP),
        stops=_stops(body.get("stop")),
    )


def _stops(given: Any) -> tuple[str, ...]:
    if isinstance(given, str):
        return (given,) if given else ()
    if given is None or (isinstance(given, list) and len(given) <= 4 and all(isinstance(one, str) for one in given)):
        return tuple(given or ())
    raise RefusedError("Invalid type for 'stop': expected a string or at most 4 of them.", param="stop")


def _choice(body: Json, index: int, prompt: Any, made: Answer) -> Json:
    echoed = prompt if body.get("echo") and isinstance(prompt, str) else ""
    ranked = _number(body, "logprobs", 0) if body.get("logprobs") is not None else None
    logprobs = None if ranked is None else _logprobs(made, ranked)
    return {"text": echoed + made.text, "index": index, "logprobs": logprobs, "finish_reason": _FINISH[made.end]}


def _logprobs(made: Answer, ranked: int) -> Json:
    dice = Dice(made.seed, "logprobs")
    scores = [-dice.between(1, 400) / 1000 for _ in made.pieces]
    offsets = [sum(map(len, made.pieces[:index])) for index in range(len(made.pieces))]
    top = [{piece: score} for piece, score in zip(made.pieces, scores, strict=True)] if ranked else None
    return {"tokens": list(made.pieces), "token_logprobs": scores, "top_logprobs": top, "text_offset": offsets}


def _stream(body: Json, shared: Json, made: list[tuple[Any, Answer]], usage: Json) -> Iterator[bytes]:
    asked = bool((body.get("stream_options") or {}).get("include_usage"))
    blank = {"usage": None} if asked else {}
    for index, (_, one) in enumerate(made):
        for text in groups(one.pieces, Dice(one.seed, "stream"), 2):
            yield _event({**shared, "choices": [_delta(index, text, None)], **blank})
        yield _event({**shared, "choices": [_delta(index, "", _FINISH[one.end])], **blank})
    if asked:
        yield _event({**shared, "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def _delta(index: int, text: str, finish: str | None) -> Json:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": finish}


def _event(chunk: Json) -> bytes:
    return b"data: " + _json.encode(chunk) + b"\n\n"
