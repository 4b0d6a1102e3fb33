"""Schemathesis against the gateway over a real socket, the simulator behind it.

Schemathesis contributes the inputs; the verdicts come from its schema checks and from our own judges.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from setu import _json
from setu.conformance.judges.finding import Finding
from setu.conformance.judges.registry import judge
from setu.conformance.tally import Tally
from setu.http import Exchange, Headers, Request

NO_5XX_VALID, NO_5XX_INVALID, ENVELOPE, CONFORMS = "FUZ-001", "FUZ-002", "FUZ-003", "FUZ-004"
_REFUSED = frozenset({400, 401, 403, 404, 405, 413, 415, 422})


def run(url: str, model: str, document: Mapping[str, Any], tally: Tally, *, seed: int, examples: int) -> None:
    """Send legal and illegal requests, streamed and not, and note what comes back."""
    import jsonschema_rs
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded

    schema = schemathesis.openapi.from_dict(dict(document))
    schema.config.update(base_url=url)
    schema.config.max_stream_events = 10_000  # by default it reads 20 and never sees the end
    operation = schema["/v1/chat/completions"]["POST"]
    takes = jsonschema_rs.validator_for(taken(document))
    profile = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )

    def trial(mode: Any, *, stream: bool) -> None:
        legal = mode is schemathesis.GenerationMode.POSITIVE

        @seeded(seed)
        @profile
        @given(case=operation.as_strategy(generation_mode=mode))
        def one(case: Any) -> None:
            _send(case, model, takes, tally, stream=stream, legal=legal)

        one()

    trial(schemathesis.GenerationMode.POSITIVE, stream=False)
    trial(schemathesis.GenerationMode.POSITIVE, stream=True)
    trial(schemathesis.GenerationMode.NEGATIVE, stream=False)


def _send(case: Any, model: str, takes: Any, tally: Tally, *, stream: bool, legal: bool) -> None:
    if legal and isinstance(case.body, dict):
        case.body["model"] = model
        case.body["stream"] = stream
    named = case.body.get("model") if isinstance(case.body, dict) else None
    if not legal and isinstance(named, str) and named:
        case.body["model"] = model  # the illegal part must be something else than a model nobody serves
    place = f"fuzz ({'legal' if legal else 'illegal'}{', stream' if stream and legal else ''})"
    try:
        response = case.call()
    except OSError as error:  # every error of requests is one: the connection broke, or what came was no HTTP
        check = NO_5XX_VALID if legal else NO_5XX_INVALID
        tally.add(check, [Finding(check, f"no answer: {error}: {case.as_curl_command()[:600]}")], place)
        return
    exchange = _exchange(response)
    shown = f"{case.as_curl_command()[:600]} -> {exchange.status} {exchange.body[:200].decode('utf-8', 'replace')}"
    broken = [Finding(NO_5XX_VALID if legal else NO_5XX_INVALID, shown)] if exchange.status >= 500 else []
    tally.add(NO_5XX_VALID if legal else NO_5XX_INVALID, broken, place)
    if exchange.status in _REFUSED:
        problem = [] if _is_envelope(exchange.body) else [Finding(ENVELOPE, shown)]
        tally.add(ENVELOPE, problem, place)
    for check, unfit in _against_document(case, response, takes, legal=legal):
        tally.add(check, [Finding(check, f"{unfit}: {shown}")] if unfit else [], place)
    verdicts = judge(exchange)
    wrong = [finding for findings in verdicts.values() for finding in findings]
    tally.add(CONFORMS, [Finding(CONFORMS, f"{found.check}: {found.message}: {shown}") for found in wrong[:1]], place)
    for check, findings in verdicts.items():
        tally.add(check, findings, place)


_TAKES = "x-setu-takes"
"""What stands in the document beside a schema that is narrower than the truth, so that every upstream takes what is
generated: a tool's schema may be any JSON Schema, and a function tool may leave out its type."""


def taken(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of every request that may be taken: the document's, in its wide spelling."""
    schemas = _widened(document["components"]["schemas"])
    return {"$ref": "#/components/schemas/ChatRequest", "components": {"schemas": schemas}}


def _widened(value: Any) -> Any:
    if isinstance(value, list):
        return [_widened(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _widened(inner) for name, inner in value.get(_TAKES, value).items()}


def _against_document(case: Any, response: Any, takes: Any, *, legal: bool) -> Iterator[tuple[str, str]]:
    """Yield what schemathesis's own checks say: does the answer fit our document, was illegal data refused?

    What only the narrow spelling of the document forbids may be taken: `takes` validates by the wide one.
    """
    from schemathesis.core.failures import Failure, FailureGroup
    from schemathesis.specs.openapi import checks as rules

    wanted: dict[str, tuple[Any, ...]] = {CONFORMS: (rules.content_type_conformance, rules.response_schema_conformance)}
    if not legal:
        wanted[ENVELOPE] = (rules.negative_data_rejection,)
    for check, chosen in wanted.items():
        try:
            case.validate_response(response, checks=list(chosen))
        except (Failure, FailureGroup) as failure:
            yield check, "" if check == ENVELOPE and _fits(takes, case.body) else str(failure)[:300]
        else:
            yield check, ""


def _fits(takes: Any, body: Any) -> bool:
    """Tell whether a body fits the wide schema; what is no object, or no JSON at all, fits none."""
    return isinstance(body, dict) and bool(takes.is_valid(body))


def _exchange(response: Any) -> Exchange:
    prepared = response.request
    body = prepared.body or b""
    path, _, query = prepared.path_url.partition("?")
    request = Request(
        method=prepared.method,
        path=path,
        query=query,
        headers=Headers.of({name: str(value) for name, value in prepared.headers.items()}),
        body=body.encode() if isinstance(body, str) else body,
    )
    fields = [(name, value) for name, values in response.headers.items() for value in values]
    return Exchange(request=request, status=response.status_code, headers=Headers.of(fields), body=response.content)


def _is_envelope(body: bytes) -> bool:
    try:
        parsed = _json.decode(body)
    except _json.JsonError:
        return False
    error = parsed.get("error") if isinstance(parsed, dict) else None
    return isinstance(error, dict) and isinstance(error.get("message"), str)
