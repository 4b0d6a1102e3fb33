"""Every real chat request for every other host and back: nothing crashes, every body is valid, nothing is lost in silence."""

import msgspec
import pytest

from setu.chat.parts import Text
from setu.chat.request import ChatRequest, Message, Options
from setu.dialects.record import Loss
from setu.dialects.registry import DIALECTS
from tests.corpus.across import SOURCES, TARGETS, Sent, covered, excused, send, tally, unexplained
from tests.corpus.leaves import leaves
from tests.corpus.reader import exchanges, needs_corpus
from tests.corpus.schemas import PROBLEMS

EXCEPTED = 0.002
PAIRS = [(api, target) for api, source in SOURCES.items() for target in TARGETS if target != source]


@needs_corpus
@pytest.mark.corpus
@pytest.mark.parametrize(("api", "target"), PAIRS)
def test_every_request_is_told_to_another_host_and_back_without_a_silent_loss(api: str, target: str) -> None:
    known = excused(api, target)

    found = tally(api, target, PROBLEMS[target])

    print(f"{api} for {target}: {found.searched} searched, {found.refused} refused by name, {len(known)} excepted")
    assert {one: found.wrong[one] for one in found.wrong.keys() - known.keys()} == {}
    assert known.keys() - found.wrong.keys() == set(), "stale exceptions"
    assert len(known) <= EXCEPTED * len(list(exchanges(api)))
    asked = sum(1 for one in exchanges(api) if isinstance(one["request_body"], dict) and one["status"] < 400)
    assert found.searched + found.refused >= asked * 0.99
    assert found.refused <= asked * 0.5


# The search itself: what it would not see, no request could show. ------------------------------------------------------

_ASKED = ChatRequest(
    model="m",
    messages=(Message(role="user", parts=(Text(text="first words"), Text(text="second words"))),),
    options=Options(temperature=0.5, seed=7),
)


@pytest.mark.parametrize("target", TARGETS)
def test_a_word_that_is_missing_is_missed(target: str) -> None:
    sent = send(_ASKED, DIALECTS[target])
    cut = sent._replace(body=sent.body.replace(b"second words", b"other words"))

    assert unexplained(sent, DIALECTS[target]) == []
    assert unexplained(cut, DIALECTS[target]) == ["messages/0/1/text Text.text"]


@pytest.mark.parametrize("target", TARGETS)
def test_words_in_another_order_are_missed(target: str) -> None:
    sent = send(_ASKED, DIALECTS[target])
    body = (
        sent.body.replace(b"first words", b"\0")
        .replace(b"second words", b"first words")
        .replace(b"\0", b"second words")
    )

    assert unexplained(sent._replace(body=body), DIALECTS[target]) == ["messages/0/1/text Text.text"]


def test_an_option_that_is_missing_is_missed_unless_a_loss_names_it() -> None:
    sent = send(_ASKED, DIALECTS["anthropic"])
    silent: Sent = sent._replace(losses=())

    assert unexplained(sent, DIALECTS["anthropic"]) == []
    assert unexplained(silent, DIALECTS["anthropic"]) == ["seed Options.seed"]


def test_a_hint_that_is_lost_does_not_excuse_a_lost_word() -> None:
    (word, *_) = leaves(_ASKED)
    hint = Loss(phase="request", pointer="/messages/0/content/0", reason="no cache marks", severity="info")

    assert not covered(word, (hint,))
    assert covered(word, (msgspec.structs.replace(hint, severity="warn"),))
