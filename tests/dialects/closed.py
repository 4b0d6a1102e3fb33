"""An SDK's request types as a closed JSON Schema: what a body holds and the SDK has no name for is a mistake."""

import json
from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import pydantic


class Closed:
    """A TypedDict of an SDK in which no object may have members beside those that it lists.

    Pydantic alone would not do: it takes unknown members of a TypedDict, its configuration reaches the top level only,
    and iterables are checked when they are drained. `besides` are schemas of members that the SDK has left behind.
    """

    def __init__(self, kind: Any, besides: Mapping[str, Any] | None = None) -> None:
        schema = pydantic.TypeAdapter(kind).json_schema()
        _close(schema)
        schema["properties"] |= besides or {}
        self._validator = jsonschema_rs.validator_for(schema)

    def problems(self, body: bytes) -> list[str]:
        """Return what a body has and the SDK has not, and what it lacks, each with its place."""
        found = self._validator.iter_errors(json.loads(body))
        return [f"{list(error.instance_path)}: {error.message[:300]}" for error in found]


def _close(schema: Any) -> None:
    if isinstance(schema, dict):
        lists = schema.get("type") == "object" and "properties" in schema
        if lists and schema.get("additionalProperties", True) is True:  # True: echoed answers, whose models take all
            schema["additionalProperties"] = False
        for value in schema.values():
            _close(value)
    elif isinstance(schema, list):
        for value in schema:
            _close(value)
