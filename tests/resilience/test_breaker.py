import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from setu.resilience.breaker import CLOSED, Breaker, Policy, admit, blames, report
from setu.resilience.ledger import Result

POLICY = Policy()
FINE = Result(ok=True, status=200)
FAILED = Result(ok=False, blame=True, status=500)
CLIENTS_OWN = Result(ok=False, status=400)
BUSY = Result(ok=False, status=429)
NOBODY_KNOWS = Result(ok=False)


def fed(*results: Result | None, policy: Policy = POLICY, now: float = 100.0) -> Breaker:
    breaker = CLOSED
    for result in results:
        breaker = report(breaker, now, policy, result, probe=False)
    return breaker


def probing(policy: Policy = POLICY) -> Breaker:
    """A breaker that opened at 100 and let its probe go at 130."""
    breaker, admitted, _ = admit(fed(*[FAILED] * 5, policy=policy), 130.0, policy)
    assert admitted == "probe"
    return breaker


def test_five_failures_in_a_row_open_it() -> None:
    assert fed(*[FAILED] * 4).state == "closed"
    assert fed(*[FAILED] * 5).state == "open"


def test_a_success_starts_the_count_again() -> None:
    assert fed(*[FAILED] * 4, FINE, *[FAILED] * 4).state == "closed"


@pytest.mark.parametrize("result", [CLIENTS_OWN, BUSY, NOBODY_KNOWS, None])
def test_what_the_upstream_is_not_to_blame_for_never_counts(result: Result | None) -> None:
    assert fed(*[result] * 50).state == "closed"
    assert fed(*[FAILED, result] * 4).state == "closed"
    assert fed(*[FAILED, result] * 5).state == "open"


@pytest.mark.parametrize(
    ("status", "is_blamed"),
    [(None, True), (500, True), (502, True), (529, True), (400, False), (401, False), (408, False), (429, False)],
)
def test_blame_is_for_silence_and_5xx(status: int | None, is_blamed: bool) -> None:
    assert blames(status) is is_blamed


def test_an_open_one_says_when_to_come_again() -> None:
    breaker = fed(*[FAILED] * 5)

    assert admit(breaker, 101.0, POLICY) == (breaker, "no", 29.0)


def test_after_the_cool_down_one_probe_goes_and_the_next_call_waits() -> None:
    breaker = probing()

    assert breaker.state == "half_open"
    assert admit(breaker, 131.0, POLICY) == (breaker, "no", 59.0)


@pytest.mark.parametrize("result", [FINE, CLIENTS_OWN, BUSY])
def test_a_probe_that_is_answered_closes_it(result: Result) -> None:
    assert report(probing(), 131.0, POLICY, result, probe=True) == CLOSED


def test_a_probe_that_fails_opens_it_again_for_the_whole_time() -> None:
    breaker = report(probing(), 131.0, POLICY, FAILED, probe=True)

    assert admit(breaker, 160.0, POLICY)[1] == "no"
    assert admit(breaker, 161.0, POLICY)[1] == "probe"


@pytest.mark.parametrize("result", [None, NOBODY_KNOWS])
def test_a_probe_of_which_nobody_knows_makes_room_for_another(result: Result | None) -> None:
    breaker = report(probing(), 131.0, POLICY, result, probe=True)

    assert admit(breaker, 131.0, POLICY)[1] == "probe"


def test_a_probe_that_never_reports_is_lost_after_a_while() -> None:
    assert admit(probing(), 189.9, POLICY)[1] == "no"
    assert admit(probing(), 190.0, POLICY)[1] == "probe"


@pytest.mark.parametrize("result", [FINE, FAILED])
def test_calls_from_before_it_opened_change_nothing(result: Result) -> None:
    breaker = probing()

    assert report(breaker, 131.0, POLICY, result, probe=False) == breaker


def test_a_share_of_failures_opens_it_where_asked() -> None:
    policy = Policy(error_rate=0.5, minimum=10)

    assert fed(*[FINE, FAILED] * 4, FINE, policy=policy).state == "closed"
    assert fed(*[FINE, FAILED] * 5, policy=policy).state == "open"
    assert fed(*[FINE, FINE, FAILED] * 20, policy=policy).state == "closed"


def test_the_share_is_counted_in_windows() -> None:
    policy = Policy(error_rate=0.5, minimum=10, window=60.0)
    breaker = fed(*[FINE, FAILED] * 4, FINE, policy=policy)

    assert report(breaker, 161.0, policy, FAILED, probe=False).state == "closed"


def test_switched_off_it_lets_everything_through() -> None:
    off = Policy(enabled=False)

    assert fed(*[FAILED] * 50, policy=off) == CLOSED
    assert admit(fed(*[FAILED] * 5), 101.0, off)[1] == "yes"


class BreakerAgainstModel(RuleBasedStateMachine):
    """Calls overlap, end in any order or never; the model keeps what a breaker promises, not how it does it."""

    def __init__(self) -> None:
        super().__init__()
        self.policy = Policy(failures=3, open_for=30.0, probe_timeout=20.0)
        self.breaker = CLOSED
        self.now = 1000.0
        self.calls: list[bool] = []
        self.in_a_row = 0
        self.opened: float | None = None
        self.probe_since: float | None = None

    @rule(seconds=st.sampled_from([0.5, 5.0, 19.0, 20.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def ask(self) -> None:
        self.breaker, admitted, wait = admit(self.breaker, self.now, self.policy)
        if self.opened is None:
            assert admitted == "yes"
        elif self.now < self.opened + 30.0:
            assert (admitted, wait) == ("no", self.opened + 30.0 - self.now)
        elif self.probe_since is not None and self.now < self.probe_since + 20.0:
            assert (admitted, wait) == ("no", self.probe_since + 20.0 - self.now)
        else:
            assert admitted == "probe"
            self.probe_since = self.now
        if admitted != "no":
            self.calls.append(admitted == "probe")

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), result=st.sampled_from([FINE, FAILED, CLIENTS_OWN, BUSY, NOBODY_KNOWS, None]))
    def a_call_ends(self, data: st.DataObject, result: Result | None) -> None:
        probe = self.calls.pop(data.draw(st.integers(0, len(self.calls) - 1)))
        was_closed = self.opened is None
        self.breaker = report(self.breaker, self.now, self.policy, result, probe=probe)
        if was_closed:
            self.in_a_row = 0 if result == FINE else self.in_a_row + (result == FAILED)
            self.opened = self.now if self.in_a_row >= 3 else None
        elif probe:
            self.probe_since = None
            if result == FAILED:
                self.opened = self.now
            elif result in {FINE, CLIENTS_OWN, BUSY}:
                self.opened, self.in_a_row = None, 0
            else:
                self.opened = min(self.opened or 0.0, self.now - 30.0)

    @precondition(lambda self: self.calls)
    @rule()
    def a_call_is_never_heard_of_again(self) -> None:
        self.calls.pop()

    @invariant()
    def is_closed_exactly_when_the_model_is(self) -> None:
        assert (self.breaker.state == "closed") == (self.opened is None)

    @invariant()
    def never_wedges(self) -> None:
        assert admit(self.breaker, self.now + 30.0, self.policy)[1] != "no"


TestBreakerAgainstModel = BreakerAgainstModel.TestCase
TestBreakerAgainstModel.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
