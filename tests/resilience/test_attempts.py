"""The attempt generator: what it asks for, by what it was told."""

from collections.abc import Callable, Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from setu.resilience.attempts import Sleep, Try, attempts
from setu.resilience.outcome import CUT, OK, Outcome, denied
from setu.resilience.policy import Retry

Step = Try[str] | Sleep

AGAIN = Outcome(kind="failed", status=503, retryable=True)
NEXT = Outcome(kind="failed", status=401)
FINAL = Outcome(kind="failed", status=400, final=True)
DENIED = denied(retry_after=9)
PATIENT = Retry(initial=1.0)


class Play:
    """Drives a generator through a list of outcomes on a clock of its own; `steps` is what it asked for."""

    def __init__(
        self,
        targets: Sequence[str],
        told: Callable[[str, int], Outcome],
        retries: Mapping[str, Retry] | Retry = PATIENT,
        *,
        deadline: float | None = None,
        hedge: float | None = None,
        took: float = 0.0,
        draw: float = 0.5,
        slow: bool = True,
    ) -> None:
        self.time = 0.0
        self.steps: list[Step] = []
        self.tries: list[str] = []
        policy = (lambda _: retries) if isinstance(retries, Retry) else retries.__getitem__
        plan = attempts(targets, policy, draw=lambda: draw, now=lambda: self.time, deadline=deadline, hedge=hedge)
        answer: tuple[Outcome, ...] | None = None
        while True:
            try:
                step = next(plan) if answer is None else plan.send(answer)
            except StopIteration:
                return
            self.steps.append(step)
            if isinstance(step, Sleep):
                self.time += step.seconds
                answer = ()
                continue
            asked = step.targets if slow else step.targets[:1]
            answer = tuple([told(target, self.tries.count(target)) for target in asked])
            self.tries += asked
            self.time += took

    @property
    def slept(self) -> list[float]:
        return [step.seconds for step in self.steps if isinstance(step, Sleep)]


def always(outcome: Outcome) -> Callable[[str, int], Outcome]:
    return lambda _target, _number: outcome


def by_target(**outcomes: Outcome) -> Callable[[str, int], Outcome]:
    return lambda target, _number: outcomes[target]


def test_an_answer_ends_it() -> None:
    assert Play(["a", "b"], always(OK)).steps == [Try(("a",))]


def test_a_failure_that_may_pass_is_retried_with_growing_waits_and_then_the_next_is_asked() -> None:
    play = Play(["a", "b"], by_target(a=AGAIN, b=OK))

    assert play.steps == [Try(("a",)), Sleep(0.5), Try(("a",)), Sleep(1.0), Try(("a",)), Try(("b",))]


def test_a_failure_that_will_not_pass_goes_to_the_next_at_once() -> None:
    assert Play(["a", "b"], by_target(a=NEXT, b=OK)).steps == [Try(("a",)), Try(("b",))]


def test_an_error_that_every_target_would_give_ends_it() -> None:
    assert Play(["a", "b"], always(FINAL)).tries == ["a"]


def test_content_that_reached_the_client_ends_it() -> None:
    assert Play(["a", "b"], always(CUT)).tries == ["a"]


def test_a_denied_target_is_left_at_once() -> None:
    assert Play(["a", "b"], by_target(a=DENIED, b=OK)).steps == [Try(("a",)), Try(("b",))]


def test_a_breaker_that_opens_between_two_tries_ends_the_retries() -> None:
    play = Play(["a", "b"], lambda target, number: OK if target == "b" else (AGAIN, DENIED)[number])

    assert play.tries == ["a", "a", "b"]


def test_a_wait_that_the_host_asks_for_is_slept() -> None:
    asking = Outcome(kind="failed", status=429, retryable=True, retry_after=7.0)

    assert Play(["a"], lambda _, number: OK if number else asking).slept == [7.0]


def test_a_host_that_asks_for_too_long_is_left_for_the_next() -> None:
    asking = Outcome(kind="failed", status=429, retryable=True, retry_after=3600.0)

    assert Play(["a", "b"], by_target(a=asking, b=OK)).steps == [Try(("a",)), Try(("b",))]


def test_a_sleep_that_does_not_fit_before_the_deadline_is_not_slept() -> None:
    play = Play(["a", "b"], by_target(a=AGAIN, b=OK), deadline=0.6)

    assert play.steps == [Try(("a",)), Sleep(0.5), Try(("a",)), Try(("b",))]


def test_after_the_deadline_nobody_is_asked() -> None:
    assert Play(["a", "b"], always(NEXT), deadline=5.0, took=6.0).tries == ["a"]


def test_a_retry_without_waiting_goes_straight_on() -> None:
    assert Play(["a"], always(AGAIN), Retry(initial=0)).steps == [Try(("a",))] * 3


def test_hedged_targets_are_asked_together_apart_in_time() -> None:
    assert Play(["a", "b", "c"], always(OK), hedge=0.2).steps == [Try(("a", "b"), 0.2)]


def test_a_hedged_try_counts_for_each_that_was_asked() -> None:
    play = Play(["a", "b", "c"], by_target(a=NEXT, b=NEXT, c=OK), hedge=0.2)

    assert play.steps == [Try(("a", "b"), 0.2), Try(("c",), 0.2)]


def test_a_first_target_that_fails_before_the_second_was_asked_is_retried_as_ever() -> None:
    play = Play(["a", "b"], lambda _, number: OK if number else AGAIN, hedge=0.2, slow=False)

    assert play.tries == ["a", "a"]


def test_an_error_for_no_other_target_is_retried_and_then_ends_it() -> None:
    mine = Outcome(kind="failed", status=503, retryable=True, final=True)

    assert Play(["a", "b"], always(mine)).tries == ["a", "a", "a"]


def test_without_targets_nothing_happens() -> None:
    assert Play([], always(OK)).steps == []


def _ends(outcome: Outcome) -> bool:
    return outcome.final and not outcome.retryable


OUTCOMES = st.builds(
    Outcome,
    kind=st.sampled_from(["ok", "failed", "failed", "failed", "denied", "cut"]),
    retryable=st.booleans(),
    final=st.booleans(),
    retry_after=st.none() | st.floats(0, 100),
)
RETRIES = st.builds(Retry, attempts=st.integers(0, 4), initial=st.floats(0, 5), max_wait=st.floats(0, 60))
NAMES = "abcd"


@given(
    st.integers(0, 4),
    st.tuples(*[RETRIES] * 4),
    st.lists(OUTCOMES, min_size=40, max_size=40),
    st.none() | st.floats(0, 30),
    st.none() | st.floats(0.01, 1),
    st.floats(0, 2),
    st.booleans(),
)
def test_the_policy_is_obeyed_whatever_happens(
    count: int,
    retries: tuple[Retry, ...],
    script: list[Outcome],
    deadline: float | None,
    hedge: float | None,
    took: float,
    slow: bool,
) -> None:
    policies = dict(zip(NAMES, retries, strict=True))
    said: list[tuple[str, Outcome]] = []
    outcomes = iter(script)

    def told(target: str, _number: int) -> Outcome:
        said.append((target, next(outcomes)))
        return said[-1][1]

    play = Play(NAMES[:count], told, policies, deadline=deadline, hedge=hedge, took=took, slow=slow)

    # It ended (or Play would not have), and each target had at most its own number of tries.
    assert all(play.tries.count(name) <= policies[name].attempts for name in NAMES)
    # What ends it is the last thing that happened: nothing is tried after it, and nothing slept.
    ends = [index for index, (_, outcome) in enumerate(said) if outcome.kind in {"ok", "cut"} or _ends(outcome)]
    together = 2 if hedge is not None else 1
    assert not ends or len(said) - ends[0] <= together
    assert not ends or isinstance(play.steps[-1], Try)
    # What may not be retried was not, nor was what was denied.
    for index, (target, outcome) in enumerate(said):
        if outcome.kind == "denied" or not outcome.retryable:
            assert target not in [later for later, _ in said[index + 1 :]]
        if outcome.final and hedge is None:
            assert {following for following, _ in said[index + 1 : index + 2]} <= {target}
    # The first of each try never goes back.
    firsts = [step.targets[0] for step in play.steps if isinstance(step, Try)]
    assert firsts == sorted(firsts)
    # No sleep ends after the deadline, none lasts longer than the policy says, none is followed by another.
    assert deadline is None or not play.slept or play.time <= deadline + took * len(said)
    assert all(seconds > 0 for seconds in play.slept)
    assert not any(
        isinstance(one, Sleep) and isinstance(two, Sleep) for one, two in zip(play.steps, play.steps[1:], strict=False)
    )


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=8), st.floats(0, 20))
def test_no_sleep_reaches_beyond_the_deadline(waits: list[float], deadline: float) -> None:
    wishes = iter(waits)

    def told(_target: str, _number: int) -> Outcome:
        return Outcome(kind="failed", retryable=True, retry_after=next(wishes))

    play = Play(["a"], told, Retry(attempts=len(waits)), deadline=deadline)

    assert play.time < deadline or not play.slept
