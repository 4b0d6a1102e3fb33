"""The request fields that the vendors' own packages know, so that no table of ours decides what a field is."""

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, NotRequired, Required, Union, get_args, get_origin, get_type_hints

from anthropic.types import message_create_params as claude
from anthropic.types.beta import message_create_params as claude_beta
from google.genai import types as google
from openai.types.chat import completion_create_params as chat
from openai.types.responses import response_create_params as responses
from pydantic import BaseModel
from pydantic.alias_generators import to_camel
from typing_extensions import is_typeddict

_TYPED_DICTS: Mapping[str, tuple[Any, ...]] = {
    "openai_chat": (chat.CompletionCreateParamsStreaming,),
    "openai_responses": (responses.ResponseCreateParamsStreaming,),
    "anthropic": (claude.MessageCreateParamsStreaming, claude_beta.MessageCreateParamsStreaming),
}

NO_OPTIONS: Mapping[str, frozenset[str]] = {
    "openai_chat": frozenset({"messages", "model"}),
    "openai_responses": frozenset({"input", "model"}),
    # The package sends `betas` as the header `anthropic-beta`.
    "anthropic": frozenset({"messages", "model", "betas"}),
    # What the package does itself; nothing of it is in a body.
    "gemini": frozenset(
        {"automaticContinuation", "automaticFunctionCalling", "httpOptions", "shouldReturnHttpResponse"}
    ),
}
"""Fields that are no options: the conversation, which the scenarios hold, and what a package keeps to itself."""


def sdk_fields(client: str) -> frozenset[str]:
    """Return the options that a client's package can send; of an object with fixed members, each member."""
    found = _of_google() if client == "gemini" else _of_typed_dicts(_TYPED_DICTS[client])
    return frozenset(name for name in found if name.partition(".")[0] not in NO_OPTIONS[client])


def _of_typed_dicts(requests: tuple[Any, ...]) -> Iterator[str]:
    for request in requests:
        for name, hint in get_type_hints(request).items():
            value = _bare(hint)
            members = get_type_hints(value) if is_typeddict(value) else {}
            yield from (f"{name}.{member}" for member in members) if members else (name,)


def _bare(hint: Any) -> Any:
    """Return a type without its wrappers; of an optional type, what it may be."""
    origin = get_origin(hint)
    if origin in (Required, NotRequired, Annotated):
        return _bare(get_args(hint)[0])
    if origin in (Union, UnionType):
        others = [inner for inner in get_args(hint) if inner is not type(None)]
        return _bare(others[0]) if len(others) == 1 else hint
    return hint


_BESIDE = frozenset(
    {
        *("cachedContent", "continuationToken", "generationOutputConfig", "labels", "modelArmorConfig"),
        *("safetySettings", "serviceTier", "store", "systemInstruction", "toolConfig", "tools"),
    }
)
"""Options of the package's one flat config that stand beside `generationConfig` in a body."""

_WITHIN = ("generationConfig.thinkingConfig", "toolConfig")
"""Objects whose members mean different things."""


def _of_google() -> Iterator[str]:
    for field in google.GenerateContentConfig.model_fields:
        name = to_camel(field)
        beside = name in _BESIDE or name in NO_OPTIONS["gemini"]
        yield from _within(google.GenerateContentConfig, field, name if beside else f"generationConfig.{name}")
    for field in google.GenerationConfig.model_fields:
        yield from _within(google.GenerationConfig, field, f"generationConfig.{to_camel(field)}")


def _within(model: type[BaseModel], field: str, name: str) -> Iterator[str]:
    value = _bare(model.model_fields[field].annotation)
    candidates = [value, *get_args(value)]
    inner = next((kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
    if name in _WITHIN and inner is not None:
        yield from (f"{name}.{to_camel(member)}" for member in inner.model_fields)
    else:
        yield name
