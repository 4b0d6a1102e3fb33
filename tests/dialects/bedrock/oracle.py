"""What AWS's own service model thinks of a request: botocore's shapes, and the patterns and ranges it does not "
"check."""

import json
import re
from functools import cache
from itertools import pairwise
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator

from setu.framing.eventstream import EventStreamDecoder
from setu.framing.kinds import of_media_type
from setu.http import Exchange


@cache
def _model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"))


def request_problems(body: bytes, model: str = "amazon.nova-lite-v1:0") -> list[str]:
    """Return what is wrong with a body of Converse, in AWS's words and by its rules of turns."""
    value = json.loads(body)
    shape = _model().operation_model("Converse").input_shape
    report = ParamValidator().validate({"modelId": model, **value}, shape)
    if report.has_errors():
        return [report.generate_report()]
    return [*_bounds(value, shape, "$", skip=("modelId",)), *_turns(value["messages"])]


def response_problems(body: bytes) -> list[str]:
    shape = _model().operation_model("Converse").output_shape
    report = ParamValidator().validate(json.loads(body), shape)
    return [report.generate_report()] if report.has_errors() else []


def event_problems(name: str, data: bytes) -> list[str]:
    shape = _model().shape_for("ConverseStreamOutput").members[name]
    value = {key: inner for key, inner in json.loads(data).items() if key != "p"}  # padding that no shape has
    report = ParamValidator().validate(value, shape)
    return [report.generate_report()] if report.has_errors() else []


def exchange_problems(exchange: Exchange) -> list[str]:
    """Return what is wrong with an answer: its shape by status, each event's by its type."""
    if exchange.status >= 400:
        return [] if json.loads(exchange.body).keys() == {"message"} else ["an error is more than a message"]
    if of_media_type(exchange.headers.get("content-type")) is None:
        return response_problems(exchange.body)
    decoder = EventStreamDecoder()
    frames = decoder.feed(exchange.body) + decoder.close()
    return [problem for frame in frames for problem in event_problems(frame.event or "", frame.data or b"")]


def _bounds(value: Any, shape: Shape, path: str, skip: tuple[str, ...] = ()) -> Any:
    """Check what ParamValidator leaves to the service: enums, patterns, and ranges of numbers."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict) and not getattr(shape, "is_document_type", False):
        for key, inner in value.items():
            if key in shape.members and key not in skip:
                yield from _bounds(inner, shape.members[key], f"{path}.{key}")
    elif kind == "list" and isinstance(value, list):
        if len(value) > shape.metadata.get("max", len(value)):
            yield f"{path}: too many"
        for index, inner in enumerate(value):
            yield from _bounds(inner, shape.member, f"{path}[{index}]")
    elif kind == "string" and isinstance(value, str):
        if shape.enum and value not in shape.enum:
            yield f"{path}: {value!r} is none of {shape.enum}"
        pattern = shape.metadata.get("pattern")
        if pattern and not re.fullmatch(pattern, value):
            yield f"{path}: {value!r} does not match {pattern}"
        if len(value) > shape.metadata.get("max", len(value)):
            yield f"{path}: too long"
    elif kind in ("float", "integer") and value > shape.metadata.get("max", value):
        yield f"{path}: {value} is too much"


def _turns(messages: list[dict[str, Any]]) -> Any:
    """Check the rules of Converse's guide that no shape holds."""
    names: set[str] = set()
    for one, other in pairwise(messages):
        if one["role"] == other["role"]:
            yield f"two turns of {one['role']}"
    for index, message in enumerate(messages):
        blocks = message["content"]
        if not blocks:
            yield f"messages[{index}] is empty"
        for block in blocks:
            if "text" in block and not block["text"].strip():
                yield f"messages[{index}] has a blank text"
            if "toolResult" in block and not block["toolResult"]["content"]:
                yield f"messages[{index}] has an empty result"
            if "document" in block:
                name = block["document"]["name"]
                if name in names or not re.fullmatch(r"(?!.*\s\s)[a-zA-Z0-9\s\-()\[\]]{1,200}", name):
                    yield f"messages[{index}] has the document name {name!r}"
                names.add(name)
        if any("document" in block for block in blocks) and not any("text" in block for block in blocks):
            yield f"messages[{index}] has a document and no text"
