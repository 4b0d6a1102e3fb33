"""From a plan to an answer: limits of the client, then one try after another until one is worth giving."""

from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from setu.errors import ErrorInfo, SetuError
from setu.gateway.cache import Cache
from setu.gateway.cacheable import Lookup, lookup, scope_of, targets_of
from setu.gateway.course import Course, Given
from setu.gateway.perform import Tried, perform
from setu.gateway.ready import Failure, Ready
from setu.http import ByteStream, Ending, Response
from setu.resilience.attempts import attempts
from setu.resilience.deadlines import whole
from setu.resilience.ledger import Refusal
from setu.resilience.policy import Resilience
from setu.resilience.refusals import ratelimit_headers, refusal_headers, refusal_info
from setu.routing.plan import Plan, Target

_USUAL = Resilience()


async def answered(course: Course, plan: Plan) -> Response:
    """Charge the client, try the plan's targets, and answer with what came of it."""
    answer = course.answer
    refusal = await _charged(course, plan)
    if refusal is not None:
        return answer.failed(refusal_info(refusal, course.services.clock.now()))
    try:
        if course.services.cache is not None:
            return await through(course, plan, course.services.cache)
        return await _given(course, await first_good(course, plan))
    except BaseException:
        if not answer.detached:
            await course.left()
        raise


async def _given(course: Course, given: Given) -> Response:
    """Answer with what a try gave."""
    answer = course.answer
    answer.target = given.leg.target
    answer.ttfb = given.ttfb
    if isinstance(given.ready, Failure):
        await course.refunded()
        return answer.failed(given.ready)
    if isinstance(given.ready.body, bytes):
        await course.settled(given.ready.usage, given.leg.target)
    return answer.give(course.restored(given.ready))


async def through(course: Course, plan: Plan, cache: Cache) -> Response:
    """Answer from the cache, with somebody else's answer that is under way, or with a call of our own."""
    answer = course.answer
    own: list[Given] = []
    place = _lookup(course, plan, cache)

    async def produce() -> Response:
        try:
            given = await first_good(course, plan)
        except BaseException:
            if answer.detached:  # nobody is left to say how it ended
                await course.refunded()
                answer.ended(Ending.CLOSED_BY_CLIENT, None)
            raise
        own.append(given)
        answer.target, answer.ttfb = given.leg.target, given.ttfb
        answer.cache = "bypass" if place is None else "miss"
        ready = given.ready
        if isinstance(ready, Failure):
            headers, body = answer.rendered(ready)
            response = Response(ready.info.status, headers, body)
        else:
            given.leg.target_told(ready)
            answer.begun(ready)
            response = Response(ready.status, ready.headers, ready.body)
        if answer.detached:
            await _unheard(course, given)
        return response

    def left() -> None:
        answer.detached = True

    outcome = await cache.through(place, produce, left)
    response = outcome.response
    answer.cache = outcome.state
    if own:
        given = own[0]
        if isinstance(given.ready, Ready):
            given.ready.headers, given.ready.body = response.headers, response.body
        return await _given(course, given)
    await course.refunded()
    answer.target = _target_of(response, plan)
    if response.status >= 400:  # of the call that somebody else made
        error = answer.dialect.errors.parse(response.status, response.headers, await response.read())
        return answer.failed(Failure(info=error))
    body = response.body if isinstance(response.body, bytes) else Told(response.body, answer.ended)
    return answer.give(course.restored(Ready(status=response.status, headers=response.headers, body=body)))


async def _unheard(course: Course, given: Given) -> None:
    """Conclude a call whose client has left while others wait for it; a stream does that itself when it is over."""
    ready = given.ready
    if isinstance(ready, Failure):
        await course.refunded()
        course.answer.failed(ready)
    elif isinstance(ready.body, bytes):
        await course.settled(ready.usage, given.leg.target)
        course.answer.ended(Ending.COMPLETE, None, ready.usage)


def _target_of(response: Response, plan: Plan) -> Target:
    """Return whose answer it was."""
    name = response.headers.get("x-setu-provider")
    return next((target for target in plan.targets if target.deployment.name == name), plan.first)


def _lookup(course: Course, plan: Plan, cache: Cache) -> Lookup | None:
    return lookup(
        course.request,
        course.route,
        scope=scope_of(course.answer.caller, course.request),
        targets=targets_of(plan),
        volatile=course.dialect.volatile,
        when=cache.rules.when,
    )


class Told:
    """A stream of another call: it says how it ended for this client."""

    def __init__(self, body: ByteStream, ended: Callable[[Ending, ErrorInfo | None], None]) -> None:
        self._body = body
        self._ended = ended

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._body:
                yield chunk
        except SetuError as error:
            self._ended(Ending.TRUNCATED, error.info())
            raise
        ending, info = getattr(self._body, "end", None) or (Ending.COMPLETE, None)
        self._ended(ending, info)

    async def aclose(self) -> None:
        """Leave the other call to those who are left."""
        self._ended(Ending.CLOSED_BY_CLIENT, None)
        await self._body.aclose()


async def _charged(course: Course, plan: Plan) -> Refusal | None:
    """Reserve what the client's limits ask for; note what is left of them."""
    services, answer = course.services, course.answer
    if services.charging is None:
        return None
    charges = services.charging.of_client(answer.caller, course.ask, plan.first)
    if not charges:
        return None
    taken = await services.ledger.reserve(charges)
    now = services.clock.now()
    if isinstance(taken, Refusal):
        answer.limits = refusal_headers(taken, course.dialect.name, now)
        return taken
    course.reservation = taken
    answer.limits = ratelimit_headers(taken.rooms, course.dialect.name, now)
    return None


async def first_good(course: Course, plan: Plan) -> Given:
    """Try the targets; return the first answer, or the failure that the client is told."""
    services = course.services
    clock = services.clock
    policy = services.resilience.get(plan.deployment.name) or _USUAL
    deadline = whole(policy.timeouts, course.answer.started, stream=course.head.stream)
    hedge = policy.hedge
    tries = attempts(
        plan.targets,
        services.retry,
        draw=services.draw,
        now=clock.monotonic,
        deadline=deadline,
        hedge=plan.hedge if hedge is None else hedge.after,
        together=2 if hedge is None else hedge.limit,
    )
    course.deadline = deadline
    denials: list[Given] = []

    async def call(target: Target, number: int) -> Tried[Given]:
        tried = await course.attempt(target, number)
        if tried.outcome.kind == "denied" and tried.value is not None:
            denials.append(tried.value)
        return tried

    done = await perform(tries, call, clock)
    if done.value is None:
        return _denied(denials, done.outcome.error)
    done.value.leg.chosen = True
    return done.value


def _denied(denials: Sequence[Given], error: ErrorInfo | None) -> Given:
    """Return why nothing was sent: the one reason that all had, else that nobody can be asked."""
    infos = [given.ready.info for given in denials if isinstance(given.ready, Failure)]
    if len({info.code for info in infos}) == 1:
        waits = [info.retry_after for info in infos if info.retry_after is not None]
        error = msgspec.structs.replace(infos[0], retry_after=min(waits, default=None))
    first = denials[0]
    first.ready = Failure(info=error or infos[0], denied=True)
    return first
