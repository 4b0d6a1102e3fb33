"""What a probe works with: it asks a subject, has every answer judged, and says what it found."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from setu import _json
from setu.conformance.judges.finding import Finding, show
from setu.conformance.judges.registry import SET_JUDGES, judge_pair
from setu.conformance.judges.view import View
from setu.conformance.stand import Plan, Stand
from setu.conformance.subject import HangUp, Subject
from setu.conformance.tally import Tally
from setu.http import Exchange, Headers, Request

CHAT = "/v1/chat/completions"
SETTLE_SECONDS = 2.0
"""How long an upstream's side of an exchange may outlast the client's."""
_TIMED = ("SSE-007",)
"""Checks that read a clock: a busy machine makes pauses of its own, so a probe that asks again concludes on them."""


class Aim(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a subject.

    `model` answers chats, `embedding` embeds. `capabilities` is what the subject declares to have; None means that it
    declares nothing, and every probe is tried. `spoken` names the dialect behind `model` where a stand plays it.
    `url` is where other clients reach it, without `/v1`. `secrets` are the keys in use, which no answer may show;
    `tries` is how often a model is asked that does not do what it was asked for. `always` is in every chat: what the
    subject will not do without, which one check says, and the others need not say again. `excused` are checks of
    streams that the upstream gives nothing for.
    """

    model: str
    embedding: str | None = None
    spoken: str = ""
    capabilities: frozenset[str] | None = None
    headers: Mapping[str, str] = {}
    url: str | None = None
    always: Mapping[str, Any] = {}
    excused: frozenset[str] = frozenset()
    secrets: tuple[str, ...] = ()
    tries: int = 1


class Lab:
    """One probe's room. Every exchange in it is judged by all judges that apply."""

    def __init__(self, subject: Subject, aim: Aim, tally: Tally, *, stand: Stand | None = None, name: str = "") -> None:
        self.subject = subject
        self.aim = aim
        self.tally = tally
        self._stand = stand
        self._name = name

    @property
    def stand(self) -> Stand:
        """The scripted upstream; only probes that are marked as needing one ask for it."""
        assert self._stand is not None
        return self._stand

    @property
    def simulated(self) -> bool:
        return self._stand is not None

    @property
    def place(self) -> str:
        return f"probe {self._name} ({self.aim.model})"

    def chat(self, text: str = "Say hello.", **members: Any) -> dict[str, Any]:
        """Return the body of a chat with one user message."""
        always = {} if "max_completion_tokens" in members else self.aim.always
        return {"model": self.aim.model, "messages": [{"role": "user", "content": text}], **always, **members}

    async def ask(
        self,
        body: Any = None,
        *,
        path: str = CHAT,
        query: str = "",
        method: str = "POST",
        headers: Mapping[str, str | None] | None = None,
        plan: Plan | None = None,
        hang_up: HangUp | None = None,
        times: int = 1,
        judged: bool = True,
        settle: bool = True,
    ) -> Exchange:
        """Ask, with both sides on record. `body` is bytes as they are, or a JSON value.

        `plan` answers upstream, so many times if it is asked again. Without `settle` the upstream's side is left to
        the caller, who wants to see when it ends.
        """
        request = self._request(body, path, query, method, headers or {})
        return await self.send(request, plan=plan, hang_up=hang_up, times=times, judged=judged, settle=settle)

    async def send(
        self,
        request: Request,
        *,
        plan: Plan | None = None,
        hang_up: HangUp | None = None,
        times: int = 1,
        judged: bool = True,
        settle: bool = True,
    ) -> Exchange:
        """Ask by a request that is written already."""
        if self._stand is not None:
            self._stand.clear()
            if plan is not None:
                self._stand.play(*[plan] * times)
        exchange = await self.subject.exchange(request, hang_up=hang_up)
        if self._stand is not None and settle:
            await self.until(lambda: self.stand.under_way == 0)
            exchange = msgspec.structs.replace(exchange, upstream=self._stand.taken())
        self.tally.keep(self.place, exchange)
        if judged:
            self.judge(exchange)
        return exchange

    async def ask_together(self, bodies: Sequence[Any], *, path: str = CHAT) -> list[Exchange]:
        """Ask several things at once; the stand has their upstream exchanges, and knows not whose is whose."""
        if self._stand is not None:
            self._stand.clear()
        asking = [self.subject.exchange(self._request(body, path, "", "POST", {})) for body in bodies]
        exchanges = await asyncio.gather(*asking)
        if self._stand is not None:
            await self.until(lambda: self.stand.under_way == 0)
        return exchanges

    def _request(self, body: Any, path: str, query: str, method: str, headers: Mapping[str, str | None]) -> Request:
        """Write a request; a header of None takes away what would be there."""
        fields: dict[str, str | None] = {"content-type": "application/json"} if body is not None else {}
        fields |= dict(self.aim.headers) | dict(headers)
        return Request(
            method=method,
            path=path,
            query=query,
            headers=Headers.of({name: value for name, value in fields.items() if value is not None}),
            body=body if isinstance(body, bytes) else b"" if body is None else _json.encode(body),
        )

    def judge(self, exchange: Exchange) -> None:
        """Have an exchange judged; what the upstream's own bytes have wrong is not the subject's."""
        client = View(exchange).dialect
        spoken = View(exchange.upstream[-1]).dialect if exchange.upstream else None
        same = client is not None and client == spoken
        excused = self.aim.excused if View(exchange).wants_stream else ()
        self.tally.judge(exchange, self.place, same=same, again=exchange.request, but=(*_TIMED, *excused))

    def judge_pair(self, stream: Exchange, plain: Exchange) -> None:
        for check, found in judge_pair(stream, plain).items():
            if check not in self.aim.excused:
                self.tally.add(check, found, self.place, stream.request)

    def judge_set(self, exchanges: Sequence[Exchange]) -> None:
        """Have exchanges judged that must differ from one another."""
        for check, rule in SET_JUDGES.items():
            found = rule(exchanges)
            if found is not None:
                self.tally.add(check, found, self.place, exchanges[-1].request)

    def hold(self, check: str, exchange: Exchange, problem: str | None, *, got: Any = msgspec.UNSET) -> None:
        """Conclude on a check: it holds, or this is the problem."""
        shown = _got(exchange) if got is msgspec.UNSET else show(got)
        found = [] if problem is None else [Finding(check, problem, got=shown)]
        self.tally.add(check, found, self.place, exchange.request)

    def say(self, check: str, problem: str | None) -> None:
        """Conclude on a check without an exchange to show: a client of somebody else's asked."""
        self.tally.add(check, [] if problem is None else [Finding(check, problem)], self.place)

    def unsupported(self, check: str, reason: str) -> None:
        """Say that a check cannot be made here."""
        self.tally.unsupported.setdefault(check, reason)

    def inconclusive(self, check: str, reason: str) -> None:
        """Say that the subject did not cooperate, which is neither a pass nor a failure."""
        self.tally.inconclusive.setdefault(check, reason)

    async def until(self, holds: Callable[[], bool], seconds: float = SETTLE_SECONDS) -> bool:
        """Wait until something holds; False when it does not in time."""
        for _ in range(round(seconds / 0.01)):
            if holds():
                return True
            await asyncio.sleep(0.01)
        return holds()


def refused(exchange: Exchange, *statuses: int) -> str | None:
    """Say why an exchange is not a refusal with an OpenAI error envelope; without statuses any 4xx will do."""
    if exchange.status not in (statuses or range(400, 500)):
        wanted = " or ".join(map(str, statuses)) or "a 4xx"
        return f"status {exchange.status}, expected {wanted}"
    error = error_of(exchange)
    if not isinstance(error.get("message"), str) or not error["message"]:
        return f"status {exchange.status} without an error envelope"
    return None


def accepted_or_refused(exchange: Exchange) -> str | None:
    """Say why an exchange is neither a success nor an orderly refusal."""
    return None if 200 <= exchange.status < 300 else refused(exchange)


def unsent(exchange: Exchange, *texts: str) -> str | None:
    """Say which text of the client's did not go on, where it can be seen what did."""
    sent = exchange.upstream[-1].request.body if exchange.upstream else None
    lost = [text for text in texts if isinstance(sent, bytes) and text.encode() not in sent]
    return f"{lost[0]!r} did not reach the upstream" if lost else None


def error_of(exchange: Exchange) -> dict[str, Any]:
    error = View(exchange).document.get("error")
    return error if isinstance(error, dict) else {}


def choices(exchange: Exchange) -> list[dict[str, Any]]:
    found = View(exchange).document.get("choices")
    return [choice for choice in found if isinstance(choice, dict)] if isinstance(found, list) else []


def text_of(exchange: Exchange) -> str:
    """Return the text of the first choice of a plain answer."""
    for choice in choices(exchange):
        message = choice.get("message")
        content = message.get("content") if isinstance(message, dict) else None
        return content if isinstance(content, str) else ""
    return ""


def calls_of(exchange: Exchange) -> list[dict[str, Any]]:
    """Return the tool calls of the first choice of a plain answer."""
    for choice in choices(exchange):
        message = choice.get("message")
        calls = message.get("tool_calls") if isinstance(message, dict) else None
        return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    return []


def _got(exchange: Exchange) -> str:
    return f"{exchange.status} {exchange.body[:160].decode('utf-8', 'replace')}"
