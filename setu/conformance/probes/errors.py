"""Probes of failure: what an upstream says when it says no, and what a client is told of it."""

from collections.abc import Mapping

from setu import _json
from setu.cassette.script import End, Script, script
from setu.conformance.lab import Lab, error_of, refused
from setu.conformance.probes.probe import Probes
from setu.http import Ending, Headers

PROBES = Probes()

STATUSES = (400, 401, 403, 404, 429, 500, 503)
BEGUN = 5
"""Events: late enough for Anthropic's stream to have begun its text; what breaks before has a status of its own."""
ATTEMPTS = 8
"""More than anybody makes for one request, so that none of them is answered."""
MESSAGE = "setu-marker: the upstream's own words"

_OVERFLOWS: Mapping[str, object] = {
    "anthropic": {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens > 200000 maximum"},
    },
    "gemini": {
        "error": {
            "code": 400,
            "message": "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).",
            "status": "INVALID_ARGUMENT",
        }
    },
    "bedrock": {"message": "Input is too long for requested model."},
    "cohere": {"message": "too many tokens: the prompt has 300000 tokens, the most is 128000"},
    "ollama": {"error": "the input exceeds the available context size"},
}
_OPENAI_OVERFLOW = {
    "error": {
        "message": "This model's maximum context length is 128000 tokens. However, your messages resulted in 200000.",
        "type": "invalid_request_error",
        "param": "messages",
        "code": "context_length_exceeded",
    }
}


def answer(status: int, body: object, **headers: str) -> Script:
    """Return a JSON answer of an upstream."""
    fields = {"content-type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
    return script(status, Headers.of(fields), _json.encode(body))


@PROBES.add("ERR-004", "ERR-001", "ERR-003", "ERR-013", scripted=True)
async def statuses(lab: Lab) -> None:
    """Every class of failure keeps its class, streamed or not; the judges compare both sides."""
    for status in STATUSES:
        for stream in (False, True):
            await lab.ask(lab.chat(stream=stream), plan=f"{status}")


@PROBES.add("ERR-005", scripted=True)
async def limited(lab: Lab) -> None:
    exchange = await lab.ask(lab.chat(), plan="429x3 retry-after=3")
    asked = exchange.status != 429 or exchange.headers.get("retry-after") is not None
    lab.hold("ERR-005", exchange, None if asked else "a 429 without retry-after; the upstream had one")


@PROBES.add("ERR-006", scripted=True)
async def overflow(lab: Lab) -> None:
    exchange = await lab.ask(lab.chat(), plan=answer(400, _OVERFLOWS.get(lab.aim.spoken, _OPENAI_OVERFLOW)))
    problem = refused(exchange, 400)
    code = error_of(exchange).get("code")
    if problem is None and code != "context_length_exceeded":
        problem = f"code is {code!r}, expected 'context_length_exceeded'"
    lab.hold("ERR-006", exchange, problem)


@PROBES.add("ERR-007", scripted=True)
async def refused_stream(lab: Lab) -> None:
    exchange = await lab.ask(lab.chat(stream=True), plan="503x3")
    problem = (
        f"status {exchange.status} for an answer that failed before its first byte" if exchange.status < 400 else None
    )
    lab.hold("ERR-007", exchange, problem)


@PROBES.add("ERR-008", scripted=True)
async def error_in_mid_stream(lab: Lab) -> None:
    await lab.ask(lab.chat("Tell me of the river, at length.", stream=True), plan=f"inject-error@event={BEGUN}")


@PROBES.add("ERR-009", scripted=True)
async def truncated_stream(lab: Lab) -> None:
    """A stream that ends early, cleanly or not, is no success; neither is a plain answer that breaks off."""
    for fault in (*(f"{fault}@event={BEGUN}" for fault in ("close", "rst", "half-chunk")), "drop-done"):
        await lab.ask(lab.chat("Tell me of the river, at length.", stream=True), plan=fault)
    exchange = await lab.ask(lab.chat("Tell me of the river, at length."), plan="close@byte=20")
    told = exchange.status >= 500 or exchange.end != Ending.COMPLETE
    lab.hold("ERR-009", exchange, None if told else "half an answer is passed on as a whole one")


@PROBES.add("ERR-010", scripted=True)
async def no_answer(lab: Lab) -> None:
    """The upstream hangs up before it has said anything, however often it is asked; the judge looks at what is told."""
    for kind in (Ending.TRUNCATED, Ending.RESET):
        for stream in (False, True):
            await lab.ask(lab.chat(stream=stream), plan=(End(kind),), times=ATTEMPTS)


@PROBES.add("ERR-011", scripted=True)
async def no_json(lab: Lab) -> None:
    page = script(200, Headers.of({"content-type": "text/html"}), b"<html><body>Welcome</body></html>")
    exchange = await lab.ask(lab.chat(), plan=page)
    lab.hold("ERR-011", exchange, refused(exchange, 502))


@PROBES.add("ERR-012", scripted=True)
async def nothing_of_the_inside(lab: Lab) -> None:
    """An upstream's page of its own troubles, and one's own, show no traceback and no key."""
    page = script(500, Headers.of({"content-type": "text/html"}), b"<html><title>oops</title></html>")
    exchange = await lab.ask(lab.chat(), plan=page)
    shown = [mark for mark in (b"Traceback (most recent", b'.py", line') if mark in exchange.body]
    lab.hold("ERR-012", exchange, "a traceback is shown" if shown else None)


@PROBES.add("ERR-014", scripted=True)
async def error_in_a_success(lab: Lab) -> None:
    """Hosts that say 200 and mean an error."""
    body = {"error": {"message": MESSAGE, "code": 502}}
    exchange = await lab.ask(lab.chat(), plan=answer(200, body))
    lab.hold("ERR-014", exchange, "status 200 for an error" if exchange.status == 200 else None)
