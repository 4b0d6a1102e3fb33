"""Scalar options, the form of the answer and thinking, both ways."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from setu import _json
from setu._json import Json, Raw, kind_of
from setu.chat.request import Options, Output, Thinking
from setu.chat.seals import Extra
from setu.dialects.efforts import effort_of, nearest
from setu.dialects.extras import lose, put_back
from setu.dialects.openai_responses.extras import known
from setu.dialects.openai_responses.words import NAME, SERVICE_TIERS
from setu.dialects.params import Param, read_options, write_options
from setu.dialects.reader import Obj
from setu.dialects.record import Loss, Target

PARAMS = (
    Param(field="max_tokens", wire="max_output_tokens", kind="integer", low=1),
    Param(field="temperature", wire="temperature", kind="number", low=0, high=2),
    Param(field="top_p", wire="top_p", kind="number", low=0, high=1),
    Param(field="top_logprobs", wire="top_logprobs", kind="integer", low=0, high=20),
    Param(field="service_tier", wire="service_tier", kind="text"),
    Param(field="user", wire="user", kind="text"),
    Param(field="metadata", wire="metadata", kind="labels"),
    Param(field="cache_key", wire="prompt_cache_key", kind="text"),
    Param(field="cache_retention", wire="prompt_cache_retention", kind="text"),
    Param(field="cache_options", wire="prompt_cache_options", kind="json"),
    Param(field="safety_identifier", wire="safety_identifier", kind="text"),
    Param(field="moderation", wire="moderation", kind="json"),
    Param(field="truncation", wire="truncation", kind="text", choices=("auto", "disabled")),
)
"""https://platform.openai.com/docs/api-reference/responses/create, 2026-11."""

_LEAST_OUTPUT = 16
"""OpenAI refuses a smaller cap: "integer below minimum value"."""

_WRITTEN = tuple(
    msgspec.structs.replace(param, low=_LEAST_OUTPUT) if param.field == "max_tokens" else param for param in PARAMS
)

ENCRYPTED = "reasoning.encrypted_content"
LOGPROBS = "message.output_text.logprobs"


def parse_options(obj: Obj, text: Obj | None, include: list[str]) -> Options:
    """Take the scalar options, those under `text` and `include` with them."""
    values = read_options(obj, PARAMS)
    if isinstance(values.get("cache_options"), bytes):
        values["cache_options"] = _shared_with_chat(obj, values["cache_options"])
    if text is not None and text.has("verbosity"):
        values["verbosity"] = text.text("verbosity")
    if LOGPROBS in include:
        include.remove(LOGPROBS)
        values["logprobs"] = True
    return Options(**values)


_CACHE_OPTIONS = ("mode", "ttl")
"""What both of OpenAI's APIs know of `prompt_cache_options`; the rest is this one's own (`openai.types` 3.52)."""


def _shared_with_chat(obj: Obj, raw: Json) -> Json | UnsetType:
    """Return the cache options that chat has, too; the others stay behind for the extra."""
    given = Obj(raw, obj.at("prompt_cache_options"), lenient=obj.lenient)
    shared = {name: Raw(given.members.pop(name)) for name in _CACHE_OPTIONS if name in given.members}
    put_back(obj, "prompt_cache_options", given)
    return _json.encode(shared) if shared or not given.members else UNSET


def render_options(options: Options, include: list[str], losses: list[Loss]) -> dict[str, Any]:
    """Return the wire members of the options; those under `text` are the caller's, and so is `n`."""
    plain = msgspec.structs.replace(options, verbosity=UNSET, logprobs=UNSET, n=UNSET)
    if options.modalities == ("text",):
        plain = msgspec.structs.replace(plain, modalities=UNSET)
    members, lost = write_options(plain, _WRITTEN)
    losses += lost
    if isinstance(options.cache_options, bytes) and kind_of(options.cache_options) == "object":
        split = _json.split(options.cache_options)
        members["prompt_cache_options"] = {name: Raw(raw) for name, raw in split.items()}
    tier = members.get("service_tier")
    if tier is not None and tier not in SERVICE_TIERS:
        lose(losses, ("service_tier",), f"{tier} is not a service tier of this API", info=True)
        del members["service_tier"]
    if options.logprobs is True:
        include.append(LOGPROBS)
    return members


def parse_output(text: Obj | None) -> Output | None:
    """Take `text.format`; a kind this version does not know stays with the request's extra."""
    raw = text.members.get("format") if text is not None else None
    if text is None or raw is None or raw == b"null":
        if text is not None:
            text.raw("format")
        return None
    form = Obj(raw, text.at("format"), lenient=text.lenient)
    kind = form.text("type")
    if kind is None:
        raise form.missing("type")
    if kind == "json_schema":
        output = _schema(form)
    elif kind in {"text", "json_object"}:
        output = Output(kind="text" if kind == "text" else "json")
    else:
        return None
    text.raw("format")
    put_back(text, "format", form)
    return output


def _schema(form: Obj) -> Output:
    inner = form.obj("json_schema") or form  # chat's nested shape is read too
    schema = inner.raw("schema")
    if schema is None:
        raise inner.missing("schema")
    if kind_of(schema) != "object":
        raise inner.wrong("schema", "an object")
    output = Output(
        kind="schema",
        name=inner.text("name"),
        schema=schema,
        strict=inner.flag("strict"),
        description=inner.text("description"),
        dialect=NAME,
    )
    if inner is not form:
        put_back(form, "json_schema", inner)
    return output


def render_output(output: Output, losses: list[Loss]) -> dict[str, Any] | None:
    """Return `text.format`."""
    match output.kind:
        case "text":
            return {"type": "text"}
        case "json":
            return {"type": "json_object"}
        case "grammar":
            lose(losses, ("output",), "this API takes no grammar for the answer")
            return None
    if output.schema is None:
        lose(losses, ("output",), "a schema that was not given became any JSON object")
        return {"type": "json_object"}
    form: dict[str, Any] = {"type": "json_schema", "name": output.name or "response"}
    if output.description is not None:
        form["description"] = output.description
    form["schema"] = Raw(output.schema)
    strict = output.strict
    if strict is None and output.dialect not in {NAME, "openai_chat"}:
        # Anthropic and Gemini keep to a schema always; here only a strict one is kept to (B-SCH-17).
        strict = is_strict(output.schema)
    if strict is not None:
        form["strict"] = strict
    return form


def is_strict(schema: Json) -> bool:
    """Tell a schema that OpenAI takes as strict: closed objects, with every property required."""
    try:
        return _closed(_json.decode(schema))
    except (_json.JsonError, RecursionError):
        return False


def _closed(schema: Any) -> bool:
    if isinstance(schema, list):
        return all(map(_closed, schema))
    if not isinstance(schema, dict):
        return True
    properties = schema.get("properties")
    if schema.get("type") == "object" or properties is not None:
        named = properties if isinstance(properties, dict) else {}
        required = schema.get("required", [])
        if schema.get("additionalProperties") is not False or not isinstance(required, list):
            return False
        if any(name not in required for name in named) or not all(map(_closed, named.values())):
            return False
    rest = {key: value for key, value in schema.items() if key not in {"properties", "enum", "const", "default"}}
    return all(map(_closed, rest.values()))


def parse_thinking(obj: Obj, include: list[str]) -> Thinking | None:
    """Take `reasoning`, and from `include` whether its proof is wanted."""
    said: dict[str, Any] = {}
    reasoning = obj.obj("reasoning")
    if reasoning is not None:
        effort = reasoning.text("effort")
        said = {"effort": effort, "mode": "off" if effort == "none" else None, "show": _shown(reasoning)}
        put_back(obj, "reasoning", reasoning)
    if ENCRYPTED in include:
        include.remove(ENCRYPTED)
        said["sealed"] = True
    said = {key: value for key, value in said.items() if value is not None}
    return Thinking(**said) if said else None


_SHOWN = {"auto": "summary", "detailed": "full"}


def _shown(reasoning: Obj) -> str | None:
    """Take how much is shown; a word of this API's own stays in the extra as well."""
    if reasoning.is_null("generate_summary"):
        reasoning.raw("generate_summary")
    if reasoning.is_null("summary"):
        reasoning.raw("summary")
    key = "summary" if reasoning.has("summary") else "generate_summary"
    if not reasoning.has(key):
        return None
    kept = reasoning.members[key]
    word = reasoning.text(key) or ""
    if word not in _SHOWN or key != "summary":
        reasoning.members[key] = kept
    return _SHOWN.get(word, "summary")


_WORDS = {"summary": "auto", "full": "detailed"}


def render_thinking(thinking: Thinking, own: Json | None, target: Target, losses: list[Loss]) -> dict[str, Any]:
    """Return `reasoning`; `own` is what the client's extra holds of it."""
    if target.facts.thinking == "none":
        if thinking.mode != "off":
            lose(losses, ("thinking",), "the model does not think")
        return {}
    members: dict[str, Any] = {}
    effort = _effort(thinking, target, losses)
    if effort is not None:
        members["effort"] = effort
    kept = _json.split(own) if own is not None and kind_of(own) == "object" else {}
    if thinking.show in _WORDS and not kept.keys() & {"summary", "generate_summary"}:
        members["summary"] = _WORDS[thinking.show]
    return members


def _effort(thinking: Thinking, target: Target, losses: list[Loss]) -> str | None:
    effort = thinking.effort
    if thinking.mode == "off":
        # Models disagree whether "none" is an effort; a client of this wire has said so itself.
        if effort == "none" or "none" in target.facts.efforts:
            return "none"
        lose(losses, ("thinking", "mode"), "thinking cannot be switched off", info=target.facts.thinking is None)
        return None
    if effort is None and thinking.budget is not None and thinking.budget > 0:
        effort = effort_of(thinking.budget)
        reason = f"a budget of {thinking.budget} tokens became effort {effort}"
        lose(losses, ("thinking", "budget"), reason, info=True)
    return None if effort is None else _allowed(effort, target.facts.efforts, losses)


def _allowed(effort: str, efforts: tuple[str, ...], losses: list[Loss]) -> str:
    """Return the effort, or the nearest that the model knows (B-PRM-12)."""
    found = None if effort in efforts else nearest(effort, efforts)
    if found is None:
        return effort
    lose(losses, ("thinking", "effort"), f"effort {effort} became {found}")
    return found


def own_reasoning(extra: Extra | None) -> Json | None:
    """Return what a client of this dialect said of thinking that the model does not hold."""
    return known(extra).get("reasoning")
