"""Judge any gateway from both sides: Setu is its client and its every upstream."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Self

import msgspec

from setu import build
from setu.bundled import data_dir
from setu.cassette.match import route_of
from setu.cassette.script import Script, Wait
from setu.config.model import Config
from setu.conformance import scenario
from setu.conformance.gateways import Model
from setu.conformance.lab import Aim, Lab
from setu.conformance.probes import registry
from setu.conformance.probes.probe import Probe
from setu.conformance.scenario import Kind, Scenario, client_request, script
from setu.conformance.stand import Stand
from setu.conformance.subject import Remote, Subject
from setu.conformance.tally import Tally
from setu.errors import ConfigError, SetuError
from setu.http import Exchange, Request
from setu.server.serve import Background
from setu.transport.httpx_ import HttpxTransport

TIMEOUT_SECONDS = 30.0
LONGEST_SECONDS = 5.0
"""What a scenario may take of real time; the longer ones are about clocks, and are judged where one can be set."""

DIALECTS: Mapping[str, str] = {"openai": "openai_chat", "anthropic": "anthropic", "gemini": "gemini"}
"""What `--model NAME=…` may name, and the dialect that the stand then hears; other names are dialects themselves."""


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway to be judged. `models` are its models by the dialect of the upstream behind them, `capabilities` what
    it declares to have with each (a dialect that is not there declares nothing); `headers` go with every request.
    """

    url: str
    models: Mapping[str, Model]
    headers: Mapping[str, str] = {}
    capabilities: Mapping[str, frozenset[str]] = {}
    embedding: Model | None = None
    secrets: tuple[str, ...] = ()


class Standing:
    """The scripted upstream on a port of its own, as a context manager."""

    def __init__(self, port: int = 0) -> None:
        self.stand = Stand(build.SystemClock())
        self._server = Background(build.app(self.stand, Config(), dict), port=port)
        self.url = self._server.url

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()


async def run(
    sight: Sight,
    stand: Stand,
    tally: Tally,
    *,
    probes: Iterable[Probe] = registry.PROBES,
    scenarios: Sequence[Scenario] | None = None,
) -> None:
    """Run probes and scenarios (the bundled ones), model by model.

    Raises:
        AbsentError: nobody listens there.
    """
    probes = tuple(probes)
    transport = HttpxTransport(read_timeout=TIMEOUT_SECONDS, verbatim=True)
    subject = Remote(transport, build.SystemClock(), sight.url)
    if scenarios is None:
        scenarios = scenario.load(data_dir("conformance") / "scenarios")
    try:
        for dialect, model in sight.models.items():
            aim = await registry.fed(subject, _aim(sight, dialect, model), stand)
            await registry.run(subject, aim, tally, stand=stand, probes=probes)
            for one in scenarios:
                await _play(one, subject, aim, sight, stand, tally)
    finally:
        await transport.aclose()


def _aim(sight: Sight, dialect: str, model: Model) -> Aim:
    embedding = sight.embedding.name if sight.embedding is not None and dialect == "openai_chat" else None
    return Aim(
        model=model.name,
        embedding=embedding,
        spoken=dialect,
        capabilities=sight.capabilities.get(dialect),
        headers={**sight.headers, **model.headers},
        url=sight.url,
        always=model.members,
        secrets=sight.secrets,
    )


async def _play(one: Scenario, subject: Subject, aim: Aim, sight: Sight, stand: Stand, tally: Tally) -> None:
    """Play a scenario's upstream and judge both sides; what it expects of Setu alone is not asked of others."""
    if aim.spoken not in one.upstream or one.models or one.client.dialect not in sight.models[aim.spoken].clients:
        return
    if one.client.path is not None or one.client.method != "POST" or one.tried_again:
        return  # endpoints and settings of one server, not of every gateway
    done: dict[Kind, Exchange] = {}
    for mode in one.modes:
        place = f"scenario {one.id}, {mode}"
        lab = Lab(subject, aim, tally, stand=stand, name=place)
        plan = {dialect: script(upstream, mode) for dialect, upstream in one.upstream.items() if not upstream.skip}
        silence = max(_silence(answer) for answer in plan.values())
        if silence > LONGEST_SECONDS:
            tally.skipped[f"{place} ({aim.model})"] = f"it keeps silent for {silence:g} s"
            continue
        try:
            exchange = await lab.send(_request(one, aim, mode), plan=plan, judged=False)
        except SetuError as error:
            tally.skipped[f"{place} ({aim.model})"] = str(error)
            continue
        heard = [route.dialect if (route := route_of(one.request)) else "?" for one in exchange.upstream]
        if not heard or heard[-1] not in plan:
            asked = f"upstream it asked for {heard[-1]}" if heard else "nothing was asked upstream"
            tally.skipped[f"{place} ({aim.model})"] = f"{asked}; status {exchange.status}"
            continue
        lab.judge(exchange)
        done[mode] = exchange
    if len(done) == 2:
        Lab(subject, aim, tally, stand=stand, name=f"scenario {one.id}").judge_pair(done["stream"], done["plain"])


def _silence(answer: Script) -> float:
    return sum(step.seconds for step in answer if isinstance(step, Wait))


def _request(one: Scenario, aim: Aim, mode: Kind) -> Request:
    client = one.client
    if aim.always and client.dialect == "openai_chat" and not aim.always.keys() & client.body.keys():
        client = msgspec.structs.replace(client, body={**client.body, **aim.always})
    request = client_request(client, aim.model, mode)
    for name, value in aim.headers.items():
        request.headers.set(name, value)
    return request


def models_of(texts: Iterable[str], clients: frozenset[str]) -> dict[str, Model]:
    """Read `openai=gpt-x,anthropic=claude-x`: the gateway's names of models, by what stands behind them.

    `clients` are the dialects in which each of them can be asked.

    Raises:
        ConfigError: a part is not NAME=MODEL.
    """
    found: dict[str, Model] = {}
    for part in (part for text in texts for part in text.split(",") if part):
        name, sign, model = part.partition("=")
        if not (name.strip() and sign and model.strip()):
            raise ConfigError(f"--model {part!r} is not NAME=MODEL, such as openai=gpt-5")
        found[DIALECTS.get(name.strip(), name.strip())] = Model(name=model.strip(), clients=clients)
    return found
