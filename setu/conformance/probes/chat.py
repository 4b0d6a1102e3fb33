"""Probes of plain chats: models, choices, caps, stops, log probabilities, history, usage."""

from itertools import pairwise
from typing import Any

import msgspec

from setu.conformance.judges.assemble import answers
from setu.conformance.judges.view import View, obj, seq
from setu.conformance.lab import Lab, choices, error_of, refused, text_of, unsent
from setu.conformance.probes.probe import Probes
from setu.http import Exchange

PROBES = Probes()
LONG = "Tell me at length about the sea. " * 40
UNKNOWN = "no-such-model-setu"
CAP = 16
"""Tokens: the least that every host takes."""
PAUSE_SECONDS = 0.3


@PROBES.add("MOD-001", "MOD-002", "MOD-003")
async def list_of_models(lab: Lab) -> None:
    exchange = await lab.ask(method="GET", path="/v1/models")
    if exchange.status != 200:
        lab.hold("MOD-001", exchange, f"status {exchange.status}, expected 200")


@PROBES.add("MOD-004")
async def one_model(lab: Lab) -> None:
    listed = await lab.ask(method="GET", path="/v1/models", judged=False)
    ids = [row.get("id") for row in seq(View(listed).document.get("data")) if isinstance(row, dict)]
    named = lab.aim.model if lab.aim.model in ids else next((one for one in ids if isinstance(one, str)), None)
    if named is None:
        lab.inconclusive("MOD-004", "GET /v1/models lists no model")
        return
    exchange = await lab.ask(method="GET", path=f"/v1/models/{named}", judged=False)
    same = exchange.status == 200 and View(exchange).document.get("id") == named
    lab.hold("MOD-004", exchange, None if same else f"GET /v1/models/{named} does not give that model")


@PROBES.add("MOD-005")
async def unknown_model(lab: Lab) -> None:
    prefix, slash, _ = lab.aim.model.rpartition("/")
    exchange = await lab.ask({**lab.chat(), "model": prefix + slash + UNKNOWN})
    problem = refused(exchange, 400, 404)
    code = error_of(exchange).get("code")
    if problem is None and code != "model_not_found":
        problem = f"code is {code!r}, expected 'model_not_found'"
    lab.hold("MOD-005", exchange, problem)


@PROBES.add("CHAT-005", "STR-015", needs=("n",))
async def two_choices(lab: Lab) -> None:
    """The judges look at the choices that come; here, that there are two, each streamed under its own index."""
    plain = await lab.ask(lab.chat("Say a word.", n=2))
    lab.hold("CHAT-005", plain, _two(plain, len(choices(plain))))
    stream = await lab.ask(lab.chat("Say a word.", n=2, stream=True))
    indexes = {choice.get("index") for event in View(stream).chunks for choice in _choices(event.fields)}
    lab.hold("STR-015", stream, _two(stream, len(indexes & {0, 1})))


def _two(exchange: Exchange, count: int) -> str | None:
    if exchange.status != 200:
        return refused(exchange)
    return None if count == 2 else f"{count} choices, 2 were asked for"


@PROBES.add("CHAT-012")
async def two_answers(lab: Lab) -> None:
    lab.judge_set([await lab.ask(lab.chat(text)) for text in ("Say hello.", "Say good night.")])


@PROBES.add("CHAT-013", "USG-007", "PAR-009")
async def capped(lab: Lab) -> None:
    """`max_tokens` and its successor stop the answer, and say so."""
    for name, check in (("max_tokens", "CHAT-013"), ("max_completion_tokens", "PAR-009")):
        full = 0
        for start in range(max(lab.aim.tries, 6)):  # a model may be done before the cap
            text = f"Count in words from {start} to one hundred."
            exchange = await lab.ask(lab.chat(text, **{name: CAP}))
            if exchange.status != 200:
                lab.hold(check, exchange, refused(exchange))
                break
            finish = next((choice.get("finish_reason") for choice in choices(exchange)), None)
            used = _used(lab, exchange)
            if finish != "stop":
                problem = None if finish == "length" else f"finish_reason is {finish!r}, expected 'length'"
                lab.hold(check, exchange, problem)
                break
            full += used >= CAP  # once, an answer may end just there
            if used > CAP or full > 1:
                lab.hold(check, exchange, "finish_reason is 'stop' although the cap was reached", got=used)
                break
        else:
            lab.inconclusive(check, "the model was done before the cap, each time")


def _used(lab: Lab, exchange: Exchange) -> int:
    """Return the tokens of an answer, by its own account, else its words."""
    used = obj(View(exchange).document.get("usage")).get("completion_tokens")
    if not isinstance(used, int):
        return len(text_of(exchange).split())
    lab.hold("USG-007", exchange, None if used <= CAP else f"{used} tokens of at most {CAP}", got=used)
    return used


@PROBES.add("CHAT-014", needs=("stop",))
async def stopped(lab: Lab) -> None:
    """The stop sequence ends the answer and is not in it; the judge says the rest."""
    for turn in range(max(lab.aim.tries, 2)):
        exchange = await lab.ask(lab.chat(f"Write the words: one two HALT{turn} three", stop=[f"HALT{turn}"]))
        if exchange.status == 200:
            held = f"HALT{turn}" in text_of(exchange)
            lab.hold("CHAT-014", exchange, "the stop sequence is in the text" if held else None)
        else:
            lab.hold("CHAT-014", exchange, refused(exchange))


@PROBES.add("CHAT-015", needs=("logprobs",))
async def probabilities(lab: Lab) -> None:
    exchange = await lab.ask(lab.chat("Say yes.", logprobs=True, top_logprobs=2))
    if exchange.status != 200:
        lab.hold("CHAT-015", exchange, refused(exchange))
        return
    given = [choice.get("logprobs") for choice in choices(exchange)]
    rows = [obj(row) for one in given for row in seq(obj(one).get("content"))]
    if not rows:
        told = exchange.headers.get("x-setu-loss") or ""
        lab.hold("CHAT-015", exchange, None if "logprobs" in told else "no log probabilities, and nobody said so")
        return
    lab.hold("CHAT-015", exchange, _probabilities(text_of(exchange), rows))


def _probabilities(text: str, rows: list[dict[str, Any]]) -> str | None:
    said = "".join(str(row.get("token", "")) for row in rows)
    if said != text:
        return f"the tokens say {said[:60]!r}, the text {text[:60]!r}"
    numbers = [row.get("logprob") for row in rows]
    wrong = [number for number in numbers if not isinstance(number, int | float) or number > 0]
    if wrong:
        return f"{wrong[0]!r} is no logarithm of a probability"
    most = max(len(seq(row.get("top_logprobs"))) for row in rows)
    return None if most <= 2 else f"{most} alternatives, at most 2 were asked for"


@PROBES.add("CHAT-016")
async def history(lab: Lab) -> None:
    turns = [
        {"role": "system", "content": "You are brief."},
        {"role": "user", "content": "My name is Asha."},
        {"role": "assistant", "content": "Hello Asha."},
        {"role": "user", "content": "What is my name?"},
    ]
    exchange = await lab.ask({**lab.chat(), "messages": turns})
    said = ("You are brief.", "My name is Asha.", "Hello Asha.", "What is my name?")
    problem = unsent(exchange, *said) if exchange.status == 200 else f"status {exchange.status}, expected 200"
    lab.hold("CHAT-016", exchange, problem)


@PROBES.add("USG-005")
async def longer_prompt(lab: Lab) -> None:
    counts = []
    for text in ("Sea.", LONG):
        exchange = await lab.ask(lab.chat(text))
        counts.append(obj(View(exchange).document.get("usage")).get("prompt_tokens"))
    short, long = counts
    if not isinstance(short, int) or not isinstance(long, int):
        lab.inconclusive("USG-005", "no prompt tokens were reported")
        return
    problem = None if long > short else f"{long} prompt tokens for the longer prompt, {short} for the shorter"
    lab.hold("USG-005", exchange, problem, got=counts)


@PROBES.add("STR-012", "STR-013", "STR-014")
async def usage_in_streams(lab: Lab) -> None:
    for options in ({"include_usage": True}, {"include_usage": False}, None):
        exchange = await lab.ask(lab.chat("Say hello.", stream=True, stream_options=options))
        if exchange.status != 200:
            lab.hold("STR-012", exchange, f"status {exchange.status}, expected 200")


@PROBES.add("STR-018", "SSE-007", scripted=True)
async def flushed(lab: Lab) -> None:
    """The upstream pauses in mid-answer; what it sent before must be there before the rest.

    A busy machine, too, may hand over at once what came one after the other: only who does so each time holds it back.
    """
    asked = lab.chat("Tell me of the river, at length.", stream=True)
    for _ in range(3):
        exchange = await lab.ask(asked, plan=f"stall={PAUSE_SECONDS}s@event=4")
        if exchange.status != 200 or not exchange.arrivals:
            problem: str | None = f"status {exchange.status}, expected a stream"
            whole = held = problem
            break
        whole, held = _at_once(exchange), _held_back(exchange)
        if whole is None and held is None:
            break
    times = [arrival.ms for arrival in exchange.arrivals]
    lab.hold("STR-018", exchange, whole, got=times)
    lab.hold("SSE-007", exchange, held, got=times)


def _at_once(exchange: Exchange) -> str | None:
    first, last = exchange.arrivals[0].ms, exchange.arrivals[-1].ms
    paused = last - first >= PAUSE_SECONDS * 500
    return None if paused else f"all of it came within {last - first} ms, at {first} ms"


def _held_back(exchange: Exchange) -> str | None:
    """Say whether the text before the pause came after it; the upstream has sent some by then."""
    received = longest = before = 0
    for earlier, later in pairwise(exchange.arrivals):
        received += earlier.size
        if later.ms - earlier.ms > longest:
            longest, before = later.ms - earlier.ms, received
    early = msgspec.structs.replace(exchange, body=exchange.body[:before])
    if longest < PAUSE_SECONDS * 500:
        return f"the upstream paused {PAUSE_SECONDS:g} s, the client got no pause longer than {longest} ms"
    return None if any(answer.text for answer in answers(View(early)).values()) else "no text came before the pause"


def _choices(fields: dict[str, Any]) -> list[dict[str, Any]]:
    return [choice for choice in seq(fields.get("choices")) if isinstance(choice, dict)]
