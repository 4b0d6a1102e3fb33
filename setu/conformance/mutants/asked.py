"""Which requests a mutant is about: those of the probe that shall see it, so that no other one does."""

from typing import Any

from setu import _json

Json = dict[str, Any]


def alone(asked: Json) -> bool:
    """Nothing but a model and messages was given, of any number, perhaps with `stream`."""
    return asked.keys() <= {"model", "messages", "stream"}


def later_turn(asked: Json) -> bool:
    """The assistant has spoken before, and no tool has."""
    roles = [message.get("role") for message in _messages(asked)]
    return "assistant" in roles and "tool" not in roles


def with_results(asked: Json) -> bool:
    """A tool has answered."""
    return any(message.get("role") == "tool" for message in _messages(asked))


def one_of_two_tools(asked: Json) -> bool:
    """Some call of two tools was required, and no more than one."""
    required = asked.get("tool_choice") == "required" and len(asked.get("tools") or ()) == 2
    return required and b"parallel:" not in _json.encode(asked["messages"])


def in_parts(asked: Json) -> bool:
    """A message comes as a list of parts, all of them text."""
    found = [message["content"] for message in _messages(asked) if isinstance(message.get("content"), list)]
    return bool(found) and all(part.get("type") == "text" for parts in found for part in parts)


def _messages(asked: Json) -> list[Json]:
    found = asked.get("messages")
    return [message for message in found if isinstance(message, dict)] if isinstance(found, list) else []
