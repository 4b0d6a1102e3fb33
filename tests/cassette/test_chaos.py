import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.chaos import Chaos
from setu.cassette.fault_steps import Struck
from setu.cassette.faults import parse_rule
from setu.cassette.script import Bytes, Head, script
from setu.http import Headers

STREAM = script(200, Headers(), b"data: 1\n\n", b"data: 2\n\n", b"data: [DONE]\n\n")
CHAT = Struck(dialect="openai_chat", key="k")


def chaos(*texts):
    return Chaos([parse_rule(text) for text in texts], lambda dialect, info: b"{}")


def statuses(made, tries, struck=CHAT, own=()):
    """What each of a row of requests gets: an error status, or 200 for its recording."""
    found = []
    for _ in range(tries):
        broken = made.failing(struck, own)
        found.append(200 if broken is None else broken.script[0].status)
        if broken is None:
            made.strike(STREAM, struck, own)
    return found


def test_a_burst_comes_once() -> None:
    assert statuses(chaos("429x2"), 5) == [429, 429, 200, 200, 200]


def test_bursts_follow_each_other() -> None:
    assert statuses(chaos("429", "503x2"), 5) == [429, 503, 503, 200, 200]


def test_a_burst_may_come_before_a_later_call_of_a_dialect() -> None:
    assert statuses(chaos("#2: 503"), 4) == [200, 503, 200, 200]
    assert statuses(chaos("anthropic: 503"), 2) == [200, 200]


def test_a_burst_by_chance_may_come_again_and_comes_alike_again() -> None:
    drawn = statuses(chaos("503x2 p=0.3 seed=4"), 60)

    runs = "".join("x" if status == 503 else " " for status in drawn).split()
    assert all(len(run) % 2 == 0 for run in runs)
    assert 2 < len(runs) < 25
    assert drawn == statuses(chaos("503x2 p=0.3 seed=4"), 60)
    assert drawn != statuses(chaos("503x2 p=0.3 seed=5"), 60)


@given(st.permutations(["a", "b", "c", "d"] * 3))
def test_chance_does_not_depend_on_who_else_asks(keys) -> None:
    made = chaos("rst p=0.5 seed=1")
    fates: dict[str, list[str]] = {}

    for key in keys:
        struck = Struck(dialect="openai_chat", key=key)
        made.failing(struck)
        fates.setdefault(key, []).append(made.strike(STREAM, struck).text)

    alone = chaos("rst p=0.5 seed=1")
    for key in "abcd":
        struck = Struck(dialect="openai_chat", key=key)
        again = []
        for _ in range(3):
            alone.failing(struck)
            again.append(alone.strike(STREAM, struck).text)
        assert fates[key] == again


def test_rules_are_applied_in_their_order_and_named() -> None:
    broken = chaos("drop-done", "split=4").strike(STREAM, CHAT)

    pieces = [step.data for step in broken.script if isinstance(step, Bytes)]
    assert pieces == [b"data", b": 1\n", b"\ndat", b"a: 2", b"\n\n"]
    assert (broken.text, broken.lies) == ("drop-done; split=4", True)


def test_a_rule_that_changes_nothing_is_not_named() -> None:
    broken = chaos("crlf", "anthropic: rst", "#2: rst", "close@event=9 p=0").strike(
        STREAM, Struck(framing="json", dialect="openai_chat")
    )

    assert (broken.script, broken.text, broken.lies) == (STREAM, "", False)


@pytest.mark.parametrize(
    ("text", "lies"), [("split=3", False), ("latency=1", False), ("end@event=1", True), ("rst", True)]
)
def test_only_some_faults_make_an_answer_less_than_it_was(text, lies) -> None:
    assert chaos(text).strike(STREAM, CHAT).lies is lies


def test_a_request_may_have_faults_of_its_own() -> None:
    made = chaos("split=4")

    assert made.strike(STREAM, CHAT, [parse_rule("drop-done")]).text == "split=4; drop-done"
    assert made.strike(STREAM, CHAT).text == "split=4"


def test_a_request_with_a_burst_of_its_own_fails_at_its_first_tries() -> None:
    own = [parse_rule("429x2")]
    made = chaos()

    assert statuses(made, 7, own=own) == [429, 429, 200, 429, 429, 200, 429]
    assert statuses(made, 1) == [200]
    assert statuses(made, 3, Struck(dialect="openai_chat", key="other"), own) == [429, 429, 200]


def test_a_burst_of_its_own_is_for_the_dialect_it_names() -> None:
    assert statuses(chaos(), 2, own=[parse_rule("anthropic: 503"), parse_rule("rst")]) == [200, 200]


def test_a_burst_of_its_own_may_be_by_chance() -> None:
    drawn = statuses(chaos(), 100, own=[parse_rule("503 p=0.5")])

    assert 20 < drawn.count(503) < 80


def test_error_answers_name_their_rule() -> None:
    broken = chaos("anthropic: 529").failing(Struck(dialect="anthropic"))

    assert broken is not None
    assert isinstance(broken.script[0], Head)
    assert (broken.text, broken.lies) == ("anthropic: 529", False)
