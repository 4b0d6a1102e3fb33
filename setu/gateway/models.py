"""What models there are, in the words of whoever asks."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from setu import _json
from setu.dialects.record import Facts
from setu.errors import RouteNotFoundError
from setu.providers.deployment import Deployment
from setu.routing.table import available


class UnknownModelError(RouteNotFoundError):
    """No such model on GET /v1/models/{id}."""

    status = 404


def listing(deployments: Mapping[str, Deployment], created: int) -> bytes:
    """Return every model as one list that OpenAI's and Anthropic's SDKs both read."""
    entries = [
        entry(f"{name}/{model}", deployment, facts, created)
        for name, deployment in deployments.items()
        for model, facts in deployment.models.items()
    ]
    body: dict[str, Any] = {
        "object": "list",
        "data": entries,
        "has_more": False,
        "first_id": entries[0]["id"] if entries else None,
        "last_id": entries[-1]["id"] if entries else None,
    }
    return _json.encode(body)


def single(model: str, deployments: Mapping[str, Deployment], created: int) -> bytes:
    """Return one model, by its prefixed or its bare id.

    Raises:
        UnknownModelError: nobody lists it.
    """
    prefix, _, rest = model.partition("/")
    owner = deployments.get(prefix)
    if owner is not None and rest in owner.models:
        return _json.encode(entry(model, owner, owner.models[rest], created))
    for deployment in deployments.values():
        if model in deployment.models:
            return _json.encode(entry(model, deployment, deployment.models[model], created))
    raise UnknownModelError(
        f"Model '{model}' not found in any configured provider", available_models=available(deployments)
    )


def entry(model_id: str, deployment: Deployment, facts: Facts, created: int) -> dict[str, Any]:
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
        # Anthropic's members, so that its SDK reads the same list.
        "type": "model",
        "display_name": model_id,
        "created_at": datetime.fromtimestamp(created, UTC).isoformat().replace("+00:00", "Z"),
    }


def gemini_listing(deployments: Mapping[str, Deployment], model: str | None) -> bytes:
    """Return the list, or one model, in Gemini's form."""
    entries = [
        {
            "name": f"models/{name}/{listed}",
            "displayName": listed,
            "supportedGenerationMethods": ["generateContent", "streamGenerateContent"],
            **({"inputTokenLimit": facts.context} if facts.context else {}),
            **({"outputTokenLimit": facts.max_output} if facts.max_output else {}),
        }
        for name, deployment in deployments.items()
        for listed, facts in deployment.models.items()
    ]
    if model is None:
        return _json.encode({"models": entries})
    for found in entries:
        if found["name"] == f"models/{model}" or found["displayName"] == model:
            return _json.encode(found)
    raise UnknownModelError(
        f"Model '{model}' not found in any configured provider", available_models=available(deployments)
    )
