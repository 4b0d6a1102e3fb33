"""The language of model strings: `[provider/]model[:preference][?key=value&flag]`.

Only what is understood is taken apart: `deepseek-ai/DeepSeek-R1`, `…-v1:0` and `llama3:8b` are ids, not syntax. The
provider is the table's affair; here is what follows it. `write(read(text))` is `text`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from setu import _json
from setu._json import Json
from setu.errors import LocalDialectError
from setu.providers.deployment import Deployment
from setu.routing.preferences import HOSTS, SORTS


class ModelString(msgspec.Struct, frozen=True, kw_only=True):
    """A model's id, the preference among OpenRouter's hosts, and the settings as written; a bare flag has no value."""

    model: str
    preference: str | None = None
    params: tuple[tuple[str, str | None], ...] = ()


class Meaning(msgspec.Struct, frozen=True, kw_only=True):
    """What a model string asks of the upstream: `options` by canonical name, `members` as raw members of its body."""

    model: str
    options: Mapping[str, object] = {}
    members: Mapping[str, Json] = {}


def is_openrouter(deployment: Deployment) -> bool:
    """Tell whether a deployment understands OpenRouter's own settings."""
    return deployment.provider.name == "openrouter"


def read(text: str, *, openrouter: bool = False) -> ModelString:
    """Take a model string apart, as far as its pieces are known; the rest is the model's id."""
    known = _OPTIONS.keys() | _MEMBERS.keys() if openrouter else _OPTIONS.keys()
    base, params = _parted(text, known)
    model, colon, preference = base.rpartition(":")
    if openrouter and colon and model and (preference.lower() in SORTS or preference.lower() in HOSTS):
        return ModelString(model=model, preference=preference, params=params)
    return ModelString(model=base, params=params)


def write(string: ModelString) -> str:
    """Return the text of a model string."""
    preference = "" if string.preference is None else f":{string.preference}"
    pairs = "&".join(key if value is None else f"{key}={value}" for key, value in string.params)
    return f"{string.model}{preference}{'?' + pairs if pairs else ''}"


def bare(text: str) -> str:
    """Return a model string without its settings; a preference stays."""
    return _parted(text, _OPTIONS.keys() | _MEMBERS.keys())[0] if "?" in text else text


def settings(text: str) -> str:
    """Return what `bare` takes away, with its question mark."""
    return text[len(bare(text)) :]


def meaning(text: str, deployment: Deployment) -> Meaning:
    """Return what a model string asks of a deployment.

    Raises:
        LocalDialectError: a known setting has a value of the wrong kind.
    """
    openrouter = is_openrouter(deployment)
    if "?" not in text and not (openrouter and ":" in text):
        return Meaning(model=text)
    string = read(text, openrouter=openrouter)
    options: dict[str, object] = {}
    members: dict[str, Json] = {}
    wishes: dict[str, object] = _wished(string.preference)
    for key, value in string.params:
        if key in _OPTIONS:
            option, parsed = _OPTIONS[key]
            options[option] = _value(key, value, parsed)
        elif key in _WISHES:
            wishes |= _WISHES[key](_value(key, value, _MEMBERS[key]))
        else:
            members[key] = _json.encode(_value(key, value, _MEMBERS[key]))
    if wishes:
        members["provider"] = _json.encode(wishes)
    return Meaning(model=string.model, options=options, members=members)


def _wished(preference: str | None) -> dict[str, object]:
    """Return a preference as OpenRouter's `provider` object says it."""
    if preference is None:
        return {}
    slug = preference.lower()
    return {"sort": SORTS[slug]} if slug in SORTS else {"only": [HOSTS[slug]]}


def _parted(text: str, known: Any) -> tuple[str, tuple[tuple[str, str | None], ...]]:
    base, mark, query = text.partition("?")
    if not mark or not base:
        return text, ()
    pairs = tuple(
        (key, value if equals else None) for key, equals, value in (piece.partition("=") for piece in query.split("&"))
    )
    return (base, pairs) if all(key in known for key, _ in pairs) else (text, ())


def _value(key: str, value: str | None, parse: "Parse") -> object:
    try:
        return parse("true" if value is None else value)
    except ValueError as error:
        raise LocalDialectError(f"model: '{key}' {error}", param="model", code="invalid_model_string") from None


Parse = Callable[[str], object]


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"must be a whole number, not '{text[:40]}'") from None


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not abs(number) < 1e300:
        raise ValueError(f"must be a number, not '{text[:40]}'")
    return int(number) if number.is_integer() and "." not in text and "e" not in text.lower() else number


def _flag(text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise ValueError(f"must be true or false, not '{text[:40]}'")
    return _FLAGS[text.lower()]


_FLAGS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def _one_of(*words: str) -> Parse:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}, not '{text[:40]}'")
        return text

    return parse


def _hidden(text: str) -> bool:
    return not _flag(text)


_OPTIONS: Mapping[str, tuple[str, Parse]] = {
    "temperature": ("temperature", _number),
    "top_p": ("top_p", _number),
    "top_k": ("top_k", _integer),
    "max_tokens": ("max_tokens", _integer),
    "seed": ("seed", _integer),
    "frequency_penalty": ("frequency_penalty", _number),
    "presence_penalty": ("presence_penalty", _number),
    "top_logprobs": ("top_logprobs", _integer),
    "think": ("think", _integer),
    "thoughts": ("thoughts", _flag),
    "effort": ("effort", _one_of("none", "minimal", "low", "medium", "high", "xhigh", "max")),
    "reasoning": ("reasoning", _flag),
    # OpenRouter's words for a budget and for hiding thoughts; every dialect has its own for both.
    "reasoning_max_tokens": ("think", _integer),
    "reasoning_exclude": ("thoughts", _hidden),
}
"""Settings that every provider may be asked for: canonical name and kind."""

_MEMBERS: Mapping[str, Parse] = {
    "repetition_penalty": _number,
    "min_p": _number,
    "top_a": _number,
    "sort": _one_of("price", "throughput", "latency"),
    "quantization": _one_of("int4", "int8", "fp4", "fp6", "fp8", "fp16", "bf16", "fp32"),
}
"""Settings that only OpenRouter knows."""

_WISHES: Mapping[str, Callable[[object], dict[str, object]]] = {
    "sort": lambda value: {"sort": value},
    "quantization": lambda value: {"quantizations": [value]},
}
"""Those of them that stand in its `provider` object."""
