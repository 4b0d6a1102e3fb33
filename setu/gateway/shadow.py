"""A request's copies: what a mirror sends is a call of its own, with its own row, and nobody's answer."""

from setu.access.caller import Caller
from setu.gateway.answer import Answer
from setu.gateway.course import Course
from setu.gateway.mirror import REASON, Mirror
from setu.gateway.ready import Ready
from setu.http import Ending, Response
from setu.routing.plan import Plan, Target

NOBODY = Caller(tenant="mirror")


def reflect(course: Course, plan: Plan, mirror: Mirror) -> None:
    """Send a copy to each of a plan's mirrors, if there is room."""
    for target in plan.mirrors:
        mirror.reflect(target, _Copy(course, target))


class _Copy:
    """One copy: tried once, given to whoever drains it."""

    def __init__(self, course: Course, target: Target) -> None:
        self._course = course
        self._target = target

    async def __call__(self) -> Response:
        course, services = self._course, self._course.services
        answer = Answer(
            services.clock, course.dialect, course.answer.request_id, services.on_call, call_id=services.call_id()
        )
        answer.caller = NOBODY  # no client asked for it, so none is billed
        answer.operation = course.route.operation
        answer.routed(Plan(targets=(self._target,), reason=REASON, policy=REASON), course.head)
        copied = Course(services, course.request, course.route, course.dialect, course.head, course.ask, answer)
        try:
            tried = await copied.attempt(self._target, 1)
        except BaseException:
            answer.ended(Ending.CLOSED_BY_CLIENT, None)
            raise
        given = tried.value
        assert given is not None
        given.leg.chosen = True
        answer.ttfb = given.ttfb
        ready = given.ready
        return answer.give(ready) if isinstance(ready, Ready) else answer.failed(ready)
