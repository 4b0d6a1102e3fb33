"""Token counts for an upstream that cannot count: a documented guess, and marked as one."""

from setu.chat.count import estimate
from setu.dialects.record import Dialect, Reply, Route
from setu.gateway.answer import Answer
from setu.gateway.ready import whole
from setu.http import Response
from setu.translate.splice import Head

HEADER = "x-setu-estimate"


def estimated(client: Dialect, route: Route, head: Head, reply: Reply, answer: Answer) -> Response:
    """Answer a count without asking anybody (`setu.chat.count` says how it is made).

    Raises:
        LocalDialectError: the body does not follow the client's dialect.
    """
    codec = client.client[route.operation]
    rendered = codec.render_response(estimate(codec.parse_request(head.body, route)), reply)
    response = answer.give(whole(rendered.body))
    response.headers.set(HEADER, "true")
    return response
