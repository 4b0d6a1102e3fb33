"""The document that the gateway serves: whole, true to its own references, and about every endpoint there is."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
import schemathesis
from schemathesis.core.result import Ok

from setu import build
from setu.config.model import Config
from setu.conformance.fuzzing.contract import generated
from setu.conformance.fuzzing.endpoints import ENDPOINTS
from setu.dialects.registry import DIALECTS
from setu.dialects.routes import classify
from setu.server.openapi import document
from setu.server.serve import Background
from setu.transport.simulate.simulator import Simulator

SCHEMAS = document()["components"]["schemas"]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)


@pytest.mark.parametrize("narrow", [False, True], ids=["as served", "as requests are generated"])
def test_every_reference_resolves(narrow: bool) -> None:
    whole = generated(document()) if narrow else document()

    wanted = {reference.removeprefix("#/components/schemas/") for reference in references(whole)}

    assert wanted <= whole["components"]["schemas"].keys()


def test_every_schema_is_used() -> None:
    wanted = {reference.rpartition("/")[2] for reference in references(document())}

    assert SCHEMAS.keys() == wanted


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one(name: str) -> None:
    whole = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}

    jsonschema_rs.meta.validate(SCHEMAS[name])
    jsonschema_rs.validator_for(whole)


def test_it_is_an_openapi_3_2_document_that_schemathesis_reads() -> None:
    schema = schemathesis.openapi.from_dict(document())

    read = set()
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        read.add((operation.method.upper(), operation.path))

    assert document()["openapi"] == "3.2.0"
    assert read == {(method.upper(), path) for path, item in document()["paths"].items() for method in item}


def test_operations_have_names_of_their_own_and_tell_every_error() -> None:
    operations = [(path, one) for path, item in document()["paths"].items() for one in item.values()]
    names = [one["operationId"] for _, one in operations]

    assert len(set(names)) == len(names)
    assert all("default" in one["responses"] for _, one in operations if "operations" not in one["tags"])


def test_every_client_operation_of_every_dialect_is_described_and_fuzzed() -> None:
    described = set()
    for path, item in document()["paths"].items():
        for method in item:
            route = classify(method.upper(), path.replace("{model}", "m"))
            if route is not None:
                described.add((route.dialect, route.operation))
    served = {(name, operation) for name, dialect in DIALECTS.items() for operation in dialect.client}
    listed = {("openai_chat", "models"), ("gemini", "models")}
    tags = {path: next(iter(item.values()))["tags"] for path, item in document()["paths"].items()}
    about_models = {path for path, own in tags.items() if "operations" not in own}

    assert described == served | listed
    assert {endpoint.path for endpoint in ENDPOINTS} == about_models


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    deployed = build.deployments(Config(), {}, offline_key="k")
    gateway = build.gateway({"openai": deployed["openai"]}, Simulator(build.SystemClock()), on_call=lambda _call: None)
    with Background(build.app(gateway, Config(), dict)) as server:
        yield server.url


def test_the_gateway_serves_it(served: str) -> None:
    answer = httpx.get(f"{served}/openapi.json")

    assert answer.json() == json.loads(json.dumps(document()))


@pytest.mark.parametrize("path", ["/", "/health", "/healthz", "/livez", "/readyz", "/openapi.json"])
def test_the_operations_answer_as_described(served: str, path: str) -> None:
    answer = httpx.get(f"{served}{path}")
    media = answer.headers["content-type"].partition(";")[0]

    described = document()["paths"][path]["get"]["responses"][str(answer.status_code)]["content"][media]["schema"]

    whole = {"allOf": [described], "components": document()["components"]}
    value = answer.json() if media == "application/json" else answer.text
    assert jsonschema_rs.validator_for(whole).is_valid(value)
