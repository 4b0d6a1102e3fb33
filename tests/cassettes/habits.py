"""How single hosts differ from OpenAI's own types, undone: what is left must satisfy them."""

from typing import Any

HOSTS = ("mistral", "groq", "deepseek", "xai", "azure")
"""Hosts of OpenAI's dialect whose bodies are not quite OpenAI's."""


def plain(provider: str, payload: dict[str, Any]) -> dict[str, Any] | None:
    """Return a body or chunk as OpenAI would have written it; None for Azure's chunk of filter results."""
    if provider == "azure" and payload.get("object") == "":
        return None
    if provider == "groq" and payload.get("service_tier") == "on_demand":
        payload = {**payload, "service_tier": "auto"}
    if provider == "mistral":
        payload = {**payload, "choices": [_mistral(choice) for choice in payload["choices"]]}
    return payload


def _mistral(choice: dict[str, Any]) -> dict[str, Any]:
    """Give calls their type, and make one text of a list of thinking and text."""
    key = "message" if "message" in choice else "delta"
    message = dict(choice[key])
    if message.get("tool_calls"):
        message["tool_calls"] = [{"type": "function", **call} for call in message["tool_calls"]]
    if isinstance(message.get("content"), list):
        message["content"] = "".join(part.get("text", "") for part in message["content"])
    return {**choice, key: message}


def answers(provider: str, payloads: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for payload in payloads if (one := plain(provider, payload)) is not None]
