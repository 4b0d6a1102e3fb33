"""What the OpenAPI document says of one operation, and where an answer departs from it.

Schemathesis could judge answers, too; of an event that fits none of its kinds it says just that. Here the kind that
the event claims to be is looked up first, so that a misfit names the member.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from setu.conformance.judges.view import MISSING, View, parse
from setu.http import Exchange

_GENERATE = "x-setu-generate"
_FURTHER: Mapping[Any, Any] = {"closed": False, "flat": {"type": ["string", "number", "boolean", "null"]}}
"""What members that a schema does not name are generated for it: none, or small ones."""

_TAGS = ("type", "object", "role")
_SHOWN = 200
_VARYING = re.compile(r"\d+|'[^']*'|\"[^\"]*\"")


class Misfit(msgspec.Struct, frozen=True):
    """A departure: `kind` is the same for all departures of a kind, whatever the values."""

    message: str
    kind: str


class Contract:
    """One operation: the schema of its requests, and of its answers by status and media type."""

    def __init__(self, document: Mapping[str, Any], path: str, method: str) -> None:
        self._components = document["components"]
        self._operation = document["paths"][path][method]
        self._compiled: dict[int, Any] = {}

    @cached_property
    def takes(self) -> Any:
        """The validator of request bodies; None where there is no body."""
        content = self._operation.get("requestBody", {}).get("content", {})
        return self._validator(content["application/json"]["schema"]) if content else None

    def allows(self, body: bytes) -> bool:
        """Tell whether a request body fits; where there is none, everything does."""
        if self.takes is None:
            return True
        value = parse(body)
        return value is not MISSING and bool(self.takes.is_valid(value))

    def misfits(self, exchange: Exchange) -> Iterator[Misfit]:
        """Yield where an answer departs from what the document says of its status and media type."""
        responses = self._operation["responses"]
        described = responses.get(str(exchange.status)) or responses.get("default")
        if described is None:
            yield Misfit(f"status {exchange.status} is not described", f"status {exchange.status}")
            return
        view = View(exchange)
        media = described.get("content", {}).get(view.content_type)
        if media is None:
            said = f"content type {view.content_type or '(none)'} is not described for status {exchange.status}"
            yield Misfit(said, said)
        elif "itemSchema" in media:
            for event in view.events:
                yield from self._event(media["itemSchema"], event.frame.event, event.data, event.index)
        elif view.content_type == "application/json":
            yield from self._value(media["schema"], view.json, "")

    def _event(self, schema: Any, name: str | None, data: bytes, index: int) -> Iterator[Misfit]:
        item = {"data": data.decode("utf-8", "replace")} | ({} if name is None else {"event": name})
        where = f"event {index}"
        yield from self._value(schema, item, where)
        inner = _content(self._resolved(schema)["properties"]["data"], item["data"])
        if inner is not None:
            yield from self._value(inner, parse(data), where)

    def _value(self, schema: Any, value: Any, where: str) -> Iterator[Misfit]:
        if value is MISSING:
            yield Misfit(f"{where} is no JSON".strip(), f"{_plain(where)} no JSON")
            return
        error = next(iter(self._validator(schema).iter_errors(value)), None)
        if error is not None:
            path, said, keyword = _blamed(error)
            shown = said if len(said) <= _SHOWN else f"{said[: _SHOWN // 2]} … {said[-_SHOWN // 2 :]}"
            yield Misfit(f"{where} {path}: {shown}".strip(), f"{_plain(where)} {_plain(path)} {keyword}")

    def _resolved(self, schema: Any) -> Any:
        reference = schema.get("$ref")
        return schema if reference is None else self._components["schemas"][reference.rpartition("/")[2]]

    def _validator(self, schema: Any) -> Any:
        import jsonschema_rs

        if id(schema) not in self._compiled:
            self._compiled[id(schema)] = jsonschema_rs.validator_for(
                {"allOf": [schema], "components": self._components}
            )
        return self._compiled[id(schema)]


def _content(schema: Mapping[str, Any], data: str) -> Any:
    """Return the schema of the JSON in an event's data; None for an end mark, which is no JSON."""
    branches: Sequence[Mapping[str, Any]] = schema.get("anyOf", [schema])
    if any(branch.get("const") == data for branch in branches):
        return None
    return next((branch["contentSchema"] for branch in branches if "contentSchema" in branch), None)


def _blamed(error: Any) -> tuple[str, str, str]:
    """Return path, message and keyword of the error that matters: that of the kind which the value claims to be."""
    depth = len(error.instance_path)
    branches = [branch for branch in getattr(error.kind, "context", None) or () if _meant(branch, depth)]
    if branches:
        # Of kinds without a tag, the one of which the fewest members are missing.
        nearest = min(branches, key=lambda branch: sum(len(found.instance_path) == depth for found in branch))
        return _blamed(nearest[0])
    path = "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.instance_path)
    return path, error.message, _keyword(error)


def _meant(branch: Sequence[Any], depth: int) -> bool:
    """Tell whether a value claims to be of a kind: neither its tag nor its type is another's."""
    wrong_tag = any(len(found.instance_path) == depth + 1 and found.instance_path[-1] in _TAGS for found in branch)
    wrong_type = any(len(found.instance_path) == depth and _keyword(found) == "Type" for found in branch)
    return bool(branch) and not wrong_tag and not wrong_type


def _keyword(error: Any) -> str:
    return type(error.kind).__name__.rpartition("_")[2]


def _plain(text: str) -> str:
    return _VARYING.sub("N", text)


def narrowed(value: Any) -> Any:
    """Return a document (or a part of one) as requests are generated from it: in its narrow spelling."""
    if isinstance(value, list):
        return [narrowed(item) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get(_GENERATE), dict):
        return narrowed(value[_GENERATE])
    narrow = {name: narrowed(inner) for name, inner in value.items() if not _withheld(inner)}
    further = _FURTHER.get(narrow.pop(_GENERATE, None))
    return narrow if further is None else {**narrow, "additionalProperties": further}


def _withheld(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get(_GENERATE) is False


def generated(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document that only generates: request schemas narrow, nothing else touched that matters."""
    whole = narrowed(document)
    assert isinstance(whole, dict)
    return whole
