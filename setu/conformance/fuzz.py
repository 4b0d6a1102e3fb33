"""Schemathesis against a server over a real socket: the gateway with the simulator behind it, or any URL.

Schemathesis contributes the inputs; the verdicts come from our own reading of the document and from our judges.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from setu.conformance.fuzzing.contract import Contract, generated
from setu.conformance.fuzzing.endpoints import CHAT, Endpoint
from setu.conformance.fuzzing.failures import Failures, Problem
from setu.conformance.fuzzing.wire import NoAnswerError, called, sent
from setu.conformance.judges.finding import Finding
from setu.conformance.judges.registry import judge
from setu.conformance.judges.view import obj, parse
from setu.conformance.tally import Tally
from setu.http import Exchange, Request

NO_5XX_VALID, NO_5XX_INVALID, ENVELOPE, CONFORMS = "FUZ-001", "FUZ-002", "FUZ-003", "FUZ-004"
_REFUSED = frozenset({400, 401, 403, 404, 405, 413, 415, 422})
_REDUCTIONS = 60
"""Requests that go into making one failure smaller."""


class Mode(msgspec.Struct, frozen=True):
    """What a request is meant to be: legal or not, streamed or not."""

    legal: bool
    stream: bool

    def __str__(self) -> str:
        return f"{'legal' if self.legal else 'illegal'}{', stream' if self.stream else ''}"


class Sent(msgspec.Struct, kw_only=True):
    """How many requests went to an endpoint, and how many of the legal ones were answered with a success."""

    endpoint: str
    legal: int = 0
    illegal: int = 0
    answered: int = 0


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How to fuzz.

    `model` answers chats, `embedding` embeds (the same where it is None). `headers` go with every request and are
    shown nowhere; `tries` is how many requests go into making one failure smaller.
    """

    model: str
    seed: int
    examples: int
    embedding: str | None = None
    headers: Mapping[str, str] = {}
    tries: int = _REDUCTIONS


def run(
    url: str,
    model: str,
    document: Mapping[str, Any],
    tally: Tally,
    *,
    seed: int,
    examples: int,
    endpoints: Iterable[Endpoint] = (CHAT,),
    embedding: str | None = None,
    headers: Mapping[str, str] | None = None,
    tries: int = _REDUCTIONS,
) -> list[Sent]:
    """Send legal and illegal requests, streamed and not, to endpoints of the server at `url`; note what comes back.

    A run with the same seed, examples and document sends the same requests.
    """
    import schemathesis

    settings = Settings(
        model=model, seed=seed, examples=examples, embedding=embedding, headers=headers or {}, tries=tries
    )
    schema = schemathesis.openapi.from_dict(generated(document))
    schema.config.update(base_url=url)
    schema.config.max_stream_events = 10_000  # by default it reads 20 and never sees the end
    return [_Trial(schema, document, endpoint, settings, tally).run() for endpoint in endpoints]


class _Trial:
    """One endpoint under fire."""

    def __init__(
        self, schema: Any, document: Mapping[str, Any], endpoint: Endpoint, settings: Settings, tally: Tally
    ) -> None:
        self._operation = schema[endpoint.path][endpoint.method.upper()]
        self._contract = Contract(document, endpoint.path, endpoint.method)
        self._endpoint = endpoint
        self._settings = settings
        self._tally = tally
        self._failures = Failures()
        self._sent = Sent(endpoint=endpoint.name)

    def run(self) -> Sent:
        for mode in self._modes():
            self._generate(mode)
        self._failures.report(
            self._tally,
            self._again,
            tries=self._settings.tries,
            secrets=frozenset(name.lower() for name in self._settings.headers),
        )
        return self._sent

    def _modes(self) -> Iterator[Mode]:
        streams = self._endpoint.streams
        if streams != "path":
            yield Mode(legal=True, stream=False)
        if streams is not None:
            yield Mode(legal=True, stream=True)
        if self._contract.takes is not None:
            yield Mode(legal=False, stream=streams == "path")
            if streams == "body":
                yield Mode(legal=False, stream=True)

    def _generate(self, mode: Mode) -> None:
        """Send as many requests of a mode as the endpoint's share allows; two halves where illegal ones may stream."""
        import schemathesis
        from hypothesis import HealthCheck, Phase, given, reject, settings
        from hypothesis import seed as seeded

        modes = schemathesis.GenerationMode
        halves = not mode.legal and self._endpoint.streams == "body"
        examples = round(self._settings.examples * self._endpoint.share / (2 if halves else 1))

        @seeded(self._settings.seed + mode.stream)
        @settings(
            max_examples=max(1, examples),
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=self._operation.as_strategy(generation_mode=modes.POSITIVE if mode.legal else modes.NEGATIVE))
        def one(case: Any) -> None:
            self._aim(case, mode)
            if mode.legal and isinstance(case.body, dict) and not self._contract.takes.is_valid(case.body):
                reject()  # a member that is withheld came back by its name, with whatever value
            self._send(case, mode)

        one()

    def _aim(self, case: Any, mode: Mode) -> None:
        """Point a case at a model that is served: what is illegal must be something else than a stranger's name."""
        model = (self._endpoint.embeds and self._settings.embedding) or self._settings.model
        if "model" in case.path_parameters and self._endpoint.method == "post":
            case.path_parameters["model"] = model
        if not isinstance(case.body, dict):
            return
        if "{model}" not in self._endpoint.path and (mode.legal or _named(case.body)):
            case.body["model"] = model
        if self._endpoint.streams == "body" and (mode.legal or isinstance(case.body.get("stream", False), bool)):
            case.body["stream"] = mode.stream

    def _send(self, case: Any, mode: Mode) -> None:
        place = self._place(mode)
        check = NO_5XX_VALID if mode.legal else NO_5XX_INVALID
        try:
            exchange = called(case, self._settings.headers)
        except NoAnswerError as error:
            self._failures.note(_silence(check, error), error.exchange, place)
            return
        self._count(exchange, mode)
        verdicts = self._verdicts(exchange, mode)
        for name, problems in verdicts.items():
            if not problems:
                self._tally.add(name, [], place)
            for problem in problems:
                self._failures.note(problem, exchange, place)

    def _count(self, exchange: Exchange, mode: Mode) -> None:
        self._sent.legal += mode.legal
        self._sent.illegal += not mode.legal
        self._sent.answered += mode.legal and exchange.status < 300

    def _place(self, mode: Mode) -> str:
        return f"fuzz {self._endpoint.name} ({mode})"

    def _again(self, place: str) -> Callable[[Request], list[Problem]]:
        """Return the way to ask once more what was asked at a place."""
        mode = next(mode for mode in self._modes() if self._place(mode) == place)

        def ask(request: Request) -> list[Problem]:
            body = request.body if isinstance(request.body, bytes) else b""
            if self._contract.allows(body) is not mode.legal:
                return []
            try:
                exchange = sent(request)
            except NoAnswerError as error:
                return [_silence(NO_5XX_VALID if mode.legal else NO_5XX_INVALID, error)]
            return [problem for problems in self._verdicts(exchange, mode).values() for problem in problems]

        return ask

    def _verdicts(self, exchange: Exchange, mode: Mode) -> dict[str, list[Problem]]:
        """Return what each check says that applies; an empty list is a pass."""
        said = f"{exchange.status} {exchange.body[:200].decode('utf-8', 'replace')}"
        no_5xx = NO_5XX_VALID if mode.legal else NO_5XX_INVALID
        failed = [Problem(check=no_5xx, message=f"answered {said}", kind=str(exchange.status))]
        verdicts = {no_5xx: failed if exchange.status >= 500 else []}
        if not mode.legal and self._contract.allows(_body(exchange)):
            verdicts = {}  # pointed at a served model, what was drawn as illegal is legal after all
        envelope = self._refusal(exchange, mode, said)
        if envelope is not None:
            verdicts[ENVELOPE] = envelope
        judged = judge(exchange)
        misfits = [
            Problem(check=CONFORMS, message=f"{misfit.message}; answered {said}", kind=misfit.kind)
            for misfit in self._contract.misfits(exchange)
        ]
        verdicts[CONFORMS] = misfits + [
            _problem(CONFORMS, found, f"{found.check}: ") for findings in judged.values() for found in findings[:1]
        ]
        for check, findings in judged.items():
            verdicts[check] = [_problem(check, found) for found in findings[:1]]
        return verdicts

    def _refusal(self, exchange: Exchange, mode: Mode, said: str) -> list[Problem] | None:
        """Judge a refusal, or that there was none; None where neither was due."""
        if exchange.status in _REFUSED:
            problem = Problem(check=ENVELOPE, message=f"no envelope: {said}", kind="no envelope")
            return [] if _is_envelope(exchange) else [problem]
        if mode.legal or exchange.status >= 400 or self._contract.allows(_body(exchange)):
            return None if mode.legal else []
        return [Problem(check=ENVELOPE, message=f"an illegal request was answered: {said}", kind="accepted")]


def _body(exchange: Exchange) -> bytes:
    body = exchange.request.body
    return body if isinstance(body, bytes) else b""


def _named(body: Mapping[str, Any]) -> bool:
    named = body.get("model")
    return isinstance(named, str) and bool(named)


def _problem(check: str, found: Finding, lead: str = "") -> Problem:
    where = f" at {found.path}" if found.path else ""
    return Problem(check=check, message=f"{lead}{found.message}{where}", kind=f"{found.check} {found.message[:40]}")


def _silence(check: str, error: NoAnswerError) -> Problem:
    return Problem(check=check, message=f"no answer: {error}", kind="no answer")


def _is_envelope(exchange: Exchange) -> bool:
    error = obj(obj(parse(exchange.body)).get("error"))
    return isinstance(error.get("message"), str)
