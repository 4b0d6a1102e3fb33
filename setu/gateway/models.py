"""What models there are, in the words of whoever asks."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from setu import _json
from setu.dialects.record import Facts
from setu.errors import RouteNotFoundError
from setu.providers.deployment import Deployment
from setu.routing.plan import Price


class UnknownModelError(RouteNotFoundError):
    """No such model on GET /v1/models/{id}."""

    status = 404


class Shelf:
    """What one client may see: deployments, what their models cost, and which of them it may use."""

    def __init__(
        self,
        deployments: Mapping[str, Deployment],
        prices: Callable[[str, str], Price | None],
        shows: Callable[[Deployment, str], bool],
    ) -> None:
        self.deployments = deployments
        self.prices = prices
        self._shows = shows

    def __iter__(self) -> Iterator[tuple[str, Deployment, str, Facts]]:
        for name, deployment in self.deployments.items():
            for model, facts in deployment.models.items():
                if self._shows(deployment, model):
                    yield name, deployment, model, facts

    def entry(self, model_id: str, name: str, model: str, created: int) -> dict[str, Any]:
        deployment = self.deployments[name]
        return entry(model_id, deployment, deployment.models[model], created, self.prices(name, model))


def listing(shelf: Shelf, created: int) -> bytes:
    """Return every model as one list that OpenAI's and Anthropic's SDKs both read, semaroute's members beside it."""
    entries = [shelf.entry(f"{name}/{model}", name, model, created) for name, _, model, _ in shelf]
    body: dict[str, Any] = {
        "object": "list",
        "data": entries,
        "has_more": False,
        "first_id": entries[0]["id"] if entries else None,
        "last_id": entries[-1]["id"] if entries else None,
        "models": [_brief(each) for each in entries],
        "total": len(entries),
        "providers": list(shelf.deployments),
    }
    return _json.encode(body)


def _brief(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model as semaroute lists it (docs/reference/predecessors.md)."""
    return {
        "id": entry["id"],
        "name": entry["id"].partition("/")[2],
        "provider": entry["provider"],
        "type": "chat_completion",
        "context_size": entry["context_length"],
        "max_tokens": entry["max_output_tokens"],
        "supported_features": entry["capabilities"],
    }


def single(model: str, shelf: Shelf, created: int) -> bytes:
    """Return one model, by its prefixed or its bare id.

    Raises:
        UnknownModelError: nobody lists it.
    """
    for name, _, listed, _ in shelf:
        if model in {f"{name}/{listed}", listed}:
            return _json.encode(shelf.entry(model, name, listed, created))
    raise _unknown(model, shelf)


def _unknown(model: str, shelf: Shelf) -> UnknownModelError:
    listed = [f"{name}/{each}" for name, _, each, _ in shelf]
    return UnknownModelError(f"Model '{model}' not found in any configured provider", available_models=listed)


def entry(model_id: str, deployment: Deployment, facts: Facts, created: int, price: Price | None) -> dict[str, Any]:
    capabilities = ["chat"]
    capabilities += ["tools"] if facts.tools else []
    capabilities += ["vision"] if facts.vision else []
    return {
        "id": model_id,
        "object": "model",
        "created": created,
        "owned_by": deployment.provider.owned_by or deployment.name,
        "provider": deployment.name,
        "capabilities": capabilities,
        "context_length": facts.context,
        "max_output_tokens": facts.max_output,
        **({} if price is None else {"pricing": pricing(price)}),
        # Anthropic's members, so that its SDK reads the same list.
        "type": "model",
        "display_name": model_id,
        "created_at": datetime.fromtimestamp(created, UTC).isoformat().replace("+00:00", "Z"),
    }


def pricing(price: Price) -> dict[str, Any]:
    """Return a price per 1,000 tokens, as the first Setu told it, and per million."""
    told: dict[str, Any] = {
        "input": _usd(price.input, 1_000),
        "output": _usd(price.output, 1_000),
        "unit": "USD per 1K tokens",
        "input_per_1m": _usd(price.input, 1_000_000),
        "output_per_1m": _usd(price.output, 1_000_000),
    }
    if price.cache_read is not None:
        told["cached_input_per_1m"] = _usd(price.cache_read, 1_000_000)
    return told


def _usd(nano: float, tokens: int) -> float:
    return round(nano * tokens / 1e9, 9)


def gemini_listing(shelf: Shelf, model: str | None) -> bytes:
    """Return the list, or one model, in Gemini's form."""
    entries = [
        {
            "name": f"models/{name}/{listed}",
            "displayName": listed,
            "supportedGenerationMethods": ["generateContent", "streamGenerateContent"],
            **({"inputTokenLimit": facts.context} if facts.context else {}),
            **({"outputTokenLimit": facts.max_output} if facts.max_output else {}),
        }
        for name, _, listed, facts in shelf
    ]
    if model is None:
        return _json.encode({"models": entries})
    for found in entries:
        if found["name"] == f"models/{model}" or found["displayName"] == model:
            return _json.encode(found)
    raise _unknown(model, shelf)
