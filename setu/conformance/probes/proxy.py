"""Probes of what only something in the middle can do wrong: cancelling, retrying, leaking, mixing up."""

import asyncio
from typing import Any

from setu.conformance.judges.view import View, obj, seq
from setu.conformance.lab import Lab, refused
from setu.conformance.probes.probe import Probes
from setu.conformance.subject import HangUp
from setu.http import Ending, Exchange, Request

PROBES = Probes()

TOGETHER = 6
CANCEL_SECONDS = 1.0
STALL_SECONDS = 5
"""Longer than a gateway may take to notice, so that only a cancelled upstream ends early."""


@PROBES.add("PRX-001", scripted=True)
async def left_before_the_head(lab: Lab) -> None:
    await _leave(lab, f"latency={STALL_SECONDS}s", stream=True)


@PROBES.add("PRX-001", scripted=True)
async def left_before_the_first_event(lab: Lab) -> None:
    await _leave(lab, f"stall={STALL_SECONDS}s@event=0", stream=True)


@PROBES.add("PRX-001", scripted=True)
async def left_in_mid_stream(lab: Lab) -> None:
    await _leave(lab, f"stall={STALL_SECONDS}s@event=4", stream=True)


@PROBES.add("PRX-001", scripted=True)
async def left_a_plain_answer(lab: Lab) -> None:
    await _leave(lab, f"latency={STALL_SECONDS}s", stream=False)


async def _leave(lab: Lab, fault: str, *, stream: bool) -> None:
    """Hang up while the upstream keeps silent; it must be let go within a second."""
    event = asyncio.Event()
    stand = lab.stand
    before = stand.received

    async def leave() -> None:
        await lab.until(lambda: stand.received > before)
        await asyncio.sleep(0.15)  # so that what came before the silence has come
        event.set()

    leaving = asyncio.ensure_future(leave())
    asking = asyncio.ensure_future(
        lab.ask(
            lab.chat("Tell me of the river, at length.", stream=stream),
            plan=fault,
            hang_up=HangUp(event=event),
            judged=False,
            settle=False,
        )
    )
    await leaving
    exchange = await asking
    freed = await lab.until(lambda: stand.under_way == 0, CANCEL_SECONDS)
    endings = [one.end for one in stand.taken()]
    if not freed:
        problem: str | None = f"the upstream was still being read {CANCEL_SECONDS:g} s after the client had left"
        await lab.until(lambda: stand.under_way == 0, STALL_SECONDS)
    elif Ending.COMPLETE in endings:
        problem = "the upstream's answer was read to its end although nobody wanted it"
    else:
        problem = None
    lab.hold("PRX-001", exchange, problem, got=[str(ending) for ending in endings])


@PROBES.add("PRX-002", scripted=True)
async def retried(lab: Lab) -> None:
    """Whatever a gateway retries, the client gets one answer, once."""
    asked = lab.chat("Tell me of the river, at length.", stream=True)
    whole = _text(await lab.ask(asked))
    for fault in ("503", "close@event=0", "rst@event=0"):
        exchange = await lab.ask(asked, plan=fault)
        said = _text(exchange)
        lab.hold("PRX-002", exchange, None if said in ("", whole) else "the answer is not the one that came", got=said)
    for fault in ("close@event=4", "rst@event=4", "stall=200ms@event=4"):
        exchange = await lab.ask(asked, plan=fault)
        said = _text(exchange)
        twice = not whole.startswith(said)
        lab.hold("PRX-002", exchange, "what came after a break is no continuation" if twice else None, got=said)


@PROBES.add("PRX-005", scripted=True)
async def options_of_others(lab: Lab) -> None:
    """Clients ask at once, every other one with a prompt, a stop sequence and a name of its own; then one with none.

    Nothing that one of them set may be in what the upstream is asked for another one.
    """
    words = [f"setu{turn}y" for turn in range(TOGETHER)]
    bodies = [_marked(lab, word) if turn % 2 else lab.chat(f"I am {word}.") for turn, word in enumerate(words)]
    exchanges = await lab.ask_together(bodies)
    sent = [exchange.request for exchange in lab.stand.taken()]
    exchanges.append(await lab.ask(lab.chat("I am nobody.")))
    sent += [exchange.request for exchange in exchanges[-1].upstream]
    for own, exchange in zip([*words, "nobody"], exchanges, strict=True):
        asked = [_body(request) for request in sent if f"I am {own}." in _body(request)]
        foreign = [word for word in words if word != own and any(word in body for body in asked)]
        problem = f"the upstream was asked with {foreign[0]}, which another client set" if foreign else None
        lab.hold("PRX-005", exchange, problem)


def _marked(lab: Lab, word: str) -> dict[str, Any]:
    turns = [{"role": "system", "content": f"You serve {word}."}, {"role": "user", "content": f"I am {word}."}]
    return {**lab.chat(stop=[f"HALT{word}"], user=word), "messages": turns}


def _body(request: Request) -> str:
    return request.body.decode("utf-8", "replace") if isinstance(request.body, bytes) else ""


@PROBES.add("SSE-001", "SSE-003", "STR-011", scripted=True)
async def dripped(lab: Lab) -> None:
    """The same bytes, cut at every seventh and slowly, are the same answer."""
    asked = lab.chat("Tell me of the river, at length.", stream=True)
    whole = await lab.ask(asked)
    for fault in ("split=7", "split=1", "slow-drip=20000"):
        exchange = await lab.ask(asked, plan=fault)
        same = _text(exchange) == _text(whole)
        lab.hold("STR-011", exchange, None if same else "cut elsewhere, the answer is another one")


@PROBES.add("TRN-010", "AUTH-004", "AUTH-005", scripted=True)
async def hygiene(lab: Lab) -> None:
    """Neither side's keys are shown to the other one, not even in errors."""
    for plan in (None, "401", "500"):
        exchange = await lab.ask(lab.chat(), plan=plan)
        head = "\n".join(f"{name}: {value}" for name, value in exchange.headers.items())
        shown = [secret for secret in lab.aim.secrets if secret.encode() in exchange.body or secret in head]
        lab.hold("AUTH-005", exchange, "a key of the upstream's is in the answer" if shown else None)


@PROBES.add("AUTH-001", "AUTH-002", "AUTH-003", needs=("auth",))
async def keys(lab: Lab) -> None:
    none = await lab.ask(lab.chat(), headers={"authorization": None, "x-api-key": None}, judged=False)
    lab.hold("AUTH-001", none, refused(none, 401))
    bad = await lab.ask(lab.chat(), headers={"authorization": "Bearer sk-setu-no-such-key"})
    problem = refused(bad, 401)
    code = obj(View(bad).document.get("error")).get("code")
    if problem is None and code != "invalid_api_key":
        problem = f"code is {code!r}, expected 'invalid_api_key'"
    lab.hold("AUTH-002", bad, problem)
    basic = await lab.ask(lab.chat(), headers={"authorization": "Basic c2V0dTpzZXR1"}, judged=False)
    lab.hold("AUTH-003", basic, refused(basic, 401))


def _text(exchange: Exchange) -> str:
    """Return the text that a client has put together."""
    return "".join(
        str(obj(obj(choice).get("delta")).get("content") or "")
        for event in View(exchange).chunks
        for choice in seq(event.fields.get("choices"))
    )
