"""Probes of parameters: what is wrong is refused and named, what is unknown or null does no harm."""

from typing import Any

from setu.conformance.judges.view import View, told
from setu.conformance.lab import Lab, accepted_or_refused, error_of, refused, unsent
from setu.conformance.probes.probe import Probes

PROBES = Probes()

NULLABLE = ("temperature", "top_p", "n", "stop", "seed", "max_tokens", "logprobs", "stream_options", "logit_bias")
MISTYPED: dict[str, Any] = {"temperature": "hot", "max_tokens": "many", "messages": {"role": "user"}, "stream": "yes"}
OPTIONS: dict[str, Any] = {"seed": 42, "frequency_penalty": 0.5, "presence_penalty": 0.5, "logit_bias": {"50256": -100}}


@PROBES.add("PAR-001")
async def unknown_parameter(lab: Lab) -> None:
    exchange = await lab.ask(lab.chat(x_setu_unknown={"a": 1}))
    lab.hold("PAR-001", exchange, accepted_or_refused(exchange))


@PROBES.add("PAR-002")
async def too_hot(lab: Lab) -> None:
    exchange = await lab.ask(lab.chat(temperature=2.1))
    lab.hold("PAR-002", exchange, refused(exchange, 400, 422))


@PROBES.add("PAR-003")
async def wrong_types(lab: Lab) -> None:
    """`param` says which one it was."""
    for name, value in MISTYPED.items():
        exchange = await lab.ask({**lab.chat(), name: value})
        problem = refused(exchange, 400, 422)
        error = error_of(exchange)
        if problem is None and name not in f"{error.get('param')} {error.get('message')}":
            problem = f"the error does not name {name}"
        lab.hold("PAR-003", exchange, problem)


@PROBES.add("PAR-004")
async def nulls(lab: Lab) -> None:
    exchange = await lab.ask({**lab.chat(), **dict.fromkeys(NULLABLE)})
    problem = None if exchange.status == 200 else f"status {exchange.status} for null, which OpenAI's document allows"
    lab.hold("PAR-004", exchange, problem)


@PROBES.add("PAR-005")
async def no_messages(lab: Lab) -> None:
    exchange = await lab.ask({**lab.chat(), "messages": []})
    lab.hold("PAR-005", exchange, refused(exchange, 400, 422))


@PROBES.add("PAR-006")
async def no_model(lab: Lab) -> None:
    """A target that declares `default_model` may answer."""
    body = lab.chat()
    del body["model"]
    exchange = await lab.ask(body)
    allowed = "default_model" in (lab.aim.capabilities or frozenset()) and exchange.status == 200
    lab.hold("PAR-006", exchange, None if allowed else refused(exchange, 400, 404, 422))


@PROBES.add("PAR-007")
async def unknown_role(lab: Lab) -> None:
    exchange = await lab.ask({**lab.chat(), "messages": [{"role": "wizard", "content": "hi"}]})
    lab.hold("PAR-007", exchange, refused(exchange, 400, 422))


@PROBES.add("PAR-008")
async def five_stops(lab: Lab) -> None:
    exchange = await lab.ask(lab.chat(stop=["a1", "b2", "c3", "d4", "e5"]))
    lab.hold("PAR-008", exchange, refused(exchange, 400, 422))


@PROBES.add("PAR-010")
async def developer_role(lab: Lab) -> None:
    turns = [{"role": "developer", "content": "You are brief."}, {"role": "user", "content": "Say hello."}]
    exchange = await lab.ask({**lab.chat(), "messages": turns})
    accepted = exchange.status == 200
    problem = unsent(exchange, "You are brief.") if accepted else f"status {exchange.status}, expected 200"
    lab.hold("PAR-010", exchange, problem)


@PROBES.add("PAR-011")
async def seed(lab: Lab) -> None:
    exchange = await lab.ask(lab.chat(seed=42))
    lab.hold("PAR-011", exchange, None if exchange.status == 200 else f"status {exchange.status}, expected 200")


@PROBES.add("PAR-012", scripted=True)
async def dropped(lab: Lab) -> None:
    """What an upstream was not sent, and no 400 refused, some header field of the answer must name."""
    for name, value in OPTIONS.items():
        exchange = await lab.ask(lab.chat("Say hello.", **{name: value}))
        sent = exchange.upstream[-1].request.body if exchange.upstream else b""
        camel = "".join(word.capitalize() if turn else word for turn, word in enumerate(name.split("_")))
        # Mistral's is random_seed; Google writes in camel case.
        carried = isinstance(sent, bytes) and any(f'{word}":'.encode() in sent for word in (name, camel))
        silent = exchange.status == 200 and exchange.upstream and not carried and not told(View(exchange), name)
        lab.hold("PAR-012", exchange, f"{name} was dropped, and no header field says so" if silent else None)
