"""Shadow traffic over real sockets: a copy goes out, and nobody's answer is the worse for it."""

import time
from typing import Any

import pytest

from tests.gateway.whole import Held, Step, Whole, cut, failing, reset, said, tried, until
from tests.gateway.wire import CHUNKS
from tests.live import sse

HOSTS = {"a": "openai", "b": "anthropic"}
ROUTING: dict[str, Any] = {"rule": [{"name": "shadow", "model": "*", "mirror": ["b/copy"]}]}
ONCE = {"retry": {"max_attempts": 1}}


def mirrored(**sections: Any) -> Whole:
    return Whole(HOSTS, routing=ROUTING, resilience=ONCE, **sections)


def copies(whole: Whole) -> list[Any]:
    """Return the records of the answer and of its copy, once both are there."""
    calls = whole.reported(2)
    return sorted(calls, key=lambda call: call.route == "mirror")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_copy_is_sent_in_the_mirrors_own_dialect(stream: bool) -> None:
    with mirrored() as whole:
        answer = whole.ask(said("a/m", "the words", stream=stream), fields=[("x-request-id", "r-1")])

        own, copy = copies(whole)
        assert (answer.status, answer.field("x-setu-provider"), answer.field("x-setu-attempts")) == (200, "a", None)
        assert whole["b"].bodies[0]["messages"] == [{"role": "user", "content": "the words"}]
        assert whole["b"].bodies[0]["model"] == "copy"
        assert (copy.route, copy.provider, copy.upstream_model, copy.status) == ("mirror", "b", "copy", 200)
        assert (copy.end, copy.input_tokens, copy.output_tokens) == ("complete", 3, 1)
        assert (own.request_id, copy.request_id) == ("r-1", "r-1")
        assert own.id != copy.id
        assert (tried(own.attempts), tried(copy.attempts)) == ([("a", "ok", 200)], [("b", "ok", 200)])


@pytest.mark.parametrize(
    "step", [failing(500), reset, cut(sse(*CHUNKS[:1]))], ids=["it fails", "it is gone", "it is cut"]
)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_a_mirror_in_trouble_is_nobodys_trouble(step: Step, stream: bool) -> None:
    with mirrored() as whole:
        whole["b"].script.append(step)

        answer = whole.ask(said("a/m", stream=stream))

        own, copy = copies(whole)
        assert (answer.status, own.end, len(whole["b"].sent)) == (200, "complete", 1)
        assert copy.end != "complete"
        assert copy.error


def test_a_slow_mirror_delays_nobody() -> None:
    with mirrored() as whole:
        held = Held(failing(500))
        whole["b"].script.append(held)

        began = time.monotonic()
        answer = whole.ask(said("a/m"))

        assert (answer.status, time.monotonic() - began < 0.5) == (200, True)
        assert held.reached.wait(2)
        assert len(whole.calls) == 1
        held.released.set()
        assert copies(whole)[1].status == 500


def test_a_client_that_leaves_leaves_the_copy_alone() -> None:
    with mirrored() as whole:
        first = Held()
        whole["a"].script.append(first)
        with whole.begin(said("a/m")):
            assert first.reached.wait(2)
        assert first.left.wait(2)

        own, copy = copies(whole)
        assert (own.end, copy.end) == ("closed-by-client", "complete")


def test_a_mirror_gets_what_is_masked() -> None:
    with mirrored(privacy={"enabled": True}) as whole:
        whole.ask(said("a/m", "write to anna.smith@example.org"))
        until(lambda: len(whole["b"].sent) == 1)

        assert b"anna.smith" not in whole["b"].sent[0].body
        assert b"[EMAIL_1]" in whole["b"].sent[0].body
        copies(whole)


def test_a_copy_charges_the_client_nothing() -> None:
    with mirrored(limits={"requests_per_minute": 2}) as whole:
        answers = [whole.ask(said("a/m")) for _ in range(2)]

        assert [answer.status for answer in answers] == [200, 200]
        whole.reported(4)


def test_a_denied_mirror_gets_nothing() -> None:
    with mirrored(policy=[{"effect": "deny", "provider": "b"}]) as whole:
        assert whole.ask(said("a/m")).status == 200
        whole.call()
        assert len(whole["b"].sent) == 0


def test_a_mirror_outside_of_the_required_region_gets_nothing() -> None:
    rule = {"name": "eu", "model": "*", "require": ["region:eu"], "mirror": ["b/copy"]}
    with Whole(HOSTS, {"a": {"region": "eu"}, "b": {"region": "us"}}, routing={"rule": [rule]}) as whole:
        assert whole.ask(said("a/m")).status == 200
        whole.call()
        assert len(whole["b"].sent) == 0


def test_a_stopping_gateway_ends_its_copies_and_reports_them() -> None:
    with mirrored() as whole:
        held = Held()
        whole["b"].script.append(held)
        whole.ask(said("a/m"))
        assert held.reached.wait(2)
    assert held.left.wait(10)
    assert [(call.route, call.end) for call in whole.calls][1:] == [("mirror", "closed-by-client")]
