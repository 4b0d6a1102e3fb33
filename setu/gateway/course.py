"""One request's tries: each at one target, each with permits that are given back exactly once."""

import asyncio
from collections.abc import Mapping

import msgspec

from setu.chat.response import Usage
from setu.dialects.record import Dialect, Loss, Operation, Reply, Route
from setu.errors import DeadlineError, ErrorInfo, SetuError
from setu.gateway import unsealed
from setu.gateway.answer import Answer
from setu.gateway.facts import gather, tenant_of
from setu.gateway.forward import upstream_request
from setu.gateway.keyless import keyless
from setu.gateway.masking import Options, mask_request, restore
from setu.gateway.options import with_members, with_options
from setu.gateway.perform import Tried
from setu.gateway.quirk import edited, quirks_of
from setu.gateway.ready import Failure, Ready
from setu.gateway.services import Services
from setu.gateway.turn import Turn
from setu.http import Ending, Request, Response
from setu.providers.deployment import Deployment, endpoint
from setu.resilience.deadlines import late
from setu.resilience.ledger import Permit, Refusal, Reservation, Result, Unit
from setu.resilience.outcome import OK, denied, failed
from setu.resilience.refusals import refusal_info
from setu.routing.plan import Ask, Target
from setu.signals import Attempt
from setu.translate.bridge import upstream_operation
from setu.translate.loss import HEADER, header_value, refuse
from setu.translate.open import open_translation, reply_for
from setu.translate.session import Destination
from setu.translate.splice import Head

_ID_PREFIX = {"openai_chat": "chatcmpl-", "openai_responses": "resp_", "anthropic": "msg_", "gemini": ""}
_NO_CHARGES = Reservation()


class Course:
    """What the tries of one request have in common."""

    def __init__(
        self, services: Services, request: Request, route: Route, dialect: Dialect, head: Head, ask: Ask, answer: Answer
    ) -> None:
        self.services = services
        self.request = request
        self.route = route
        self.dialect = dialect
        self.head = head
        self.ask = ask
        self.answer = answer
        self.reservation = _NO_CHARGES
        self.deadline: float | None = None
        self.masks: Mapping[str, str] = {}
        self.sent = False

    def mask(self, options: Options) -> None:
        """Take personal data out of the request.

        Raises:
            LocalDialectError: there is some, and such requests are refused.
        """
        masked = mask_request(self.head.body, options)
        self.masks = masked.table
        self.head = msgspec.structs.replace(self.head, body=masked.body)
        self.request = msgspec.structs.replace(self.request, body=masked.body)

    def restored(self, ready: Ready) -> Ready:
        """Put back what was masked in the request."""
        if self.masks:
            framing = None if isinstance(ready.body, bytes) else self.route.framing or "sse"
            ready.body = restore(Response(ready.status, ready.headers, ready.body), self.masks, framing).body
        return ready

    async def attempt(self, target: Target, number: int) -> Tried["Given"]:
        """Try one target once."""
        return await Leg(self, target, number).run()

    def speaks(self, deployment: Deployment, model: str) -> Dialect:
        """Return the dialect to speak; one that has the operation, if any of the host's has."""
        dialects = self.services.dialects
        best = deployment.dialect(self.dialect.name, model)
        able = [name for name in deployment.provider.dialects if self.route.operation in dialects[name].upstream]
        return dialects[best if best in able or not able else able[0]]

    def reply(self) -> Reply:
        services = self.services
        prefix = "cmpl-" if self.route.operation == "complete" else _ID_PREFIX.get(self.route.dialect, "")
        return reply_for(self.head, mint=services.mint, created=int(services.clock.now()), prefix=prefix)

    async def settled(self, usage: Usage | None, target: Target) -> None:
        """Correct what the client was charged to what it used."""
        reservation, self.reservation = self.reservation, _NO_CHARGES
        if reservation.charges:
            await self.services.ledger.settle(reservation, self._used(usage, target))

    async def left(self) -> None:
        """Let the estimate stand once something was sent: a client that leaves must not ask for nothing."""
        reservation, self.reservation = self.reservation, _NO_CHARGES
        if reservation.charges:
            await self.services.ledger.settle(reservation, {} if self.sent else _NOTHING)

    async def refunded(self) -> None:
        """Give the client back what a request without an answer was charged, but that it asked."""
        reservation, self.reservation = self.reservation, _NO_CHARGES
        if reservation.charges:
            await self.services.ledger.settle(reservation, _NOTHING)

    def _used(self, usage: Usage | None, target: Target) -> Mapping[Unit, int]:
        if self.route.operation == "count_tokens":
            return _NOTHING
        if usage is None:
            return {}
        price = self.services.prices(target.deployment.name, target.model)
        return used(usage) if price is None else {**used(usage), "nano_usd": price.of(usage)}


class Given:
    """A try's answer; whoever does not take it closes it."""

    __slots__ = ("leg", "ready", "ttfb")

    def __init__(self, leg: "Leg", ready: Ready | Failure, ttfb: int | None) -> None:
        self.leg = leg
        self.ready = ready
        self.ttfb = ttfb

    async def aclose(self) -> None:
        """Leave a stream that somebody else won."""
        if isinstance(self.ready, Ready) and not isinstance(self.ready.body, bytes):
            await self.ready.body.aclose()


class Leg:
    """One try at one target: its permit, its charges, its record."""

    def __init__(self, course: Course, target: Target, number: int) -> None:
        self.course = course
        self.target = target
        self.chosen = False
        self._number = number
        self._clock = course.services.clock
        self._started = self._clock.monotonic()
        self._ttfb: int | None = None
        self._permit: Permit | None = None
        self._reservation = _NO_CHARGES
        self._over = False

    async def run(self) -> Tried[Given]:
        """Ask for leave, send, and wait until the answer is worth giving, or is none."""
        course = self.course
        course.answer.tries += 1
        denial = await self._admitted()
        if denial is not None:
            await self._record(denial, None)
            return Tried(
                outcome=denied(denial.info, retry_after=denial.info.retry_after), value=Given(self, denial, None)
            )
        try:
            found = await self._asked()
        except BaseException:
            await self._leave()
            raise
        if isinstance(found, Failure):
            await self._record(found, None)
            return Tried(
                outcome=failed(found.info, course.services.retry(self.target), should_retry=found.should_retry),
                value=Given(self, found, None),
            )
        if isinstance(found.body, bytes):
            await self._record(found, found.usage)
        elif self._permit is not None and self._permit.probe:
            try:
                await self._report(Result(ok=True, latency=self._seconds(), status=found.status))
            except BaseException:
                await found.body.aclose()
                raise
        return Tried(outcome=OK, value=Given(self, found, self._ttfb))

    def target_told(self, ready: Ready) -> None:
        """Write down in an answer that may be kept whose it is, and what it lost."""
        ready.headers.set("x-setu-provider", self.target.deployment.name)
        loss = header_value(ready.losses)
        if loss is not None:
            ready.headers.set(HEADER, loss)

    async def over(self, ending: Ending, info: ErrorInfo | None, usage: Usage | None) -> None:
        """Take note of a stream's end, once."""
        if self._over:
            return
        answer = self.course.answer
        cut = None if info is None else Failure(info=info)
        # The client may leave in any of these waits: each of the following must come about all the same.
        try:
            await self._record(cut, usage, left=ending is Ending.CLOSED_BY_CLIENT, cut=cut is not None)
        finally:
            if self.chosen:
                try:
                    await self.course.settled(usage, self.target)
                finally:
                    answer.ended(ending, info, usage)

    async def _admitted(self) -> Failure | None:
        """Get a permit and the target's charges; what keeps from it is a failure of which nothing was sent."""
        deployment, services = self.target.deployment, self.course.services
        if not deployment.callable:
            return Failure(info=keyless(deployment).info(), denied=True)
        permit = await services.ledger.admit(deployment.name)
        if isinstance(permit, Refusal):
            return self._refused(permit)
        self._permit = permit
        charges = services.charging.of_target(self.target, self.course.ask) if services.charging is not None else ()
        if not charges:
            return None
        try:
            taken = await services.ledger.reserve(charges)
        except BaseException:
            await self._report(None)
            raise
        if isinstance(taken, Refusal):
            await self._report(None)
            return self._refused(taken)
        self._reservation = taken
        return None

    def _refused(self, refusal: Refusal) -> Failure:
        return Failure(info=refusal_info(refusal, self._clock.now()), denied=True)

    async def _asked(self) -> Ready | Failure:
        limit, total = self.target.timeout, self.course.deadline
        if total is not None:
            left = max(0.0, total - self._clock.monotonic())
            limit = left if limit is None else min(limit, left)
        try:
            if limit is None:
                return await self._sent()
            async with asyncio.timeout(limit):
                return await self._sent()
        except TimeoutError:
            host = f"provider '{self.target.deployment.name}'"
            whole = total is not None and self._clock.monotonic() >= total
            return Failure(info=DeadlineError(late("total" if whole else "first_byte", host, limit or 0.0)).info())
        except SetuError as error:
            return Failure(info=error.info())

    async def _sent(self) -> Ready | Failure:
        course, target, deployment = self.course, self.target, self.target.deployment
        services, route, head = course.services, course.route, course.head
        upstream = course.speaks(deployment, target.model)
        operation: Operation = upstream_operation(route, upstream)
        # Quirks are written to chat's members; what they add is unknown to every other endpoint.
        quirks = quirks_of(deployment.provider, upstream.name) if operation == "chat" else ()
        to = Destination(
            dialect=upstream,
            model=target.model,
            facts=deployment.facts(target.model),
            capabilities=deployment.provider.capabilities,
        )
        wished: tuple[Loss, ...] = ()
        if target.options and operation in {"chat", "complete"}:
            wish = with_options(head.body, course.dialect, target.options, to)
            head, wished = msgspec.structs.replace(head, body=wish.body), wish.losses
        seals = services.seals(tenant_of(course.request))
        translation = open_translation(course.dialect, route, head, to)
        rendered = edited(translation.render(await gather(translation.needs(), seals, services.media)), quirks)
        body = with_members(rendered.body, target.members) if target.members else rendered.body
        losses = (*wished, *rendered.losses)
        if services.refuses_losses:
            refuse(losses)
        codec = upstream.upstream[operation]
        own = codec.place(target.model, body) if codec.place else codec.path(target.model, head.stream)
        place = endpoint(deployment, upstream.name, operation, own, target.model, stream=head.stream)

        async def ask(body: bytes) -> Ready | Failure:
            onward = upstream_request(
                course.request, body, deployment, place, same=translation.identical, framing=route.framing
            )
            turn = Turn(route, head, translation, upstream, course.reply(), seals, quirks, self.over)
            if deployment.signer is not None:
                onward = await deployment.signer.sign(onward)
            course.sent = True
            response = await services.transport.send(onward)
            self._ttfb = self._elapsed()
            return await _turned(turn, response)

        found = await unsealed.asked(ask, upstream.name, body)
        if isinstance(found, Ready) and losses:
            found.losses = (*losses, *found.losses)
        return found

    async def _record(
        self, found: Ready | Failure | None, usage: Usage | None, *, left: bool = False, cut: bool = False
    ) -> None:
        """Note the try, once, and give its permit and its charges back."""
        if self._over:
            return
        self._over = True
        failure = found if isinstance(found, Failure) else None
        denied = failure is not None and failure.denied
        self.course.answer.attempts.append(
            Attempt(
                number=self._number,
                provider=self.target.deployment.name,
                model=self.target.model,
                outcome="cut" if cut or left else "ok" if failure is None else "denied" if denied else "failed",
                status=0 if self._ttfb is None else 200 if failure is None or cut else failure.info.status,
                started=round(self._clock.now() * 1000) - self._elapsed(),
                duration_ms=self._elapsed(),
                ttfb_ms=self._ttfb,
                error=None if failure is None else failure.info.code or failure.info.kind.value,
            )
        )
        reservation, self._reservation = self._reservation, _NO_CHARGES
        try:
            await self._report(None if left or denied else _result(failure, self._latency()))
        finally:
            if reservation.charges:
                await self.course.services.ledger.settle(reservation, _NOTHING if failure and not cut else used(usage))

    async def _leave(self) -> None:
        """Give everything back: the client left, or we broke; nobody knows how the upstream did."""
        await self._record(None, None, left=True)

    async def _report(self, result: Result | None) -> None:
        permit, self._permit = self._permit, None
        if permit is not None:
            await self.course.services.ledger.report(permit, result)

    def _latency(self) -> float:
        """Return the seconds until the answer began: how long it then was is not its host's doing."""
        return self._seconds() if self._ttfb is None else self._ttfb / 1000

    def _seconds(self) -> float:
        return self._clock.monotonic() - self._started

    def _elapsed(self) -> int:
        return round(self._seconds() * 1000)


async def _turned(turn: Turn, response: Response) -> Ready | Failure:
    try:
        return await turn.answered(response)
    except BaseException:
        await response.aclose()
        raise


_NOTHING: Mapping[Unit, int] = {"tokens": 0, "nano_usd": 0}


def _result(failure: Failure | None, seconds: float) -> Result:
    if failure is None:
        return Result(ok=True, latency=seconds, status=200)
    info = failure.info
    # A client's own mistake and a full account say nothing about the host's health.
    return Result(
        ok=False, blame=info.status >= 500 or info.status == 408, status=info.status, error=info.code or info.kind.value
    )


def used(usage: Usage | None) -> Mapping[Unit, int]:
    """Return the tokens of an answer; empty when the upstream did not say."""
    if usage is None or (usage.input is None and usage.output is None):
        return {}
    return {"tokens": max(0, usage.input or 0) + max(0, usage.output or 0)}
