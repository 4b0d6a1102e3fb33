"""What counts against the gateway, and what was the upstream's own fault."""

import msgspec
import pytest

from setu.conformance.judges.finding import Finding
from setu.conformance.tally import Tally
from setu.http import Exchange
from tests.conformance.build import ASK, but, chat
from tests.conformance.spoilt import sent

NO_ROLE = "choices.0.message.role"
BAD = chat(but(msgspec.json.decode(chat().body), NO_ROLE))


def broken(tally: Tally) -> set[str]:
    return {seen.check for seen in tally.observations if seen.findings}


def behind(exchange: Exchange, upstream: Exchange) -> Exchange:
    return msgspec.structs.replace(exchange, upstream=(upstream,))


def test_observations_stand_in_the_order_they_came() -> None:
    tally = Tally()
    tally.add("A-001", [], "here")
    tally.add("B-001", (Finding("B-001", "wrong") for _ in range(2)), "there")

    assert [(seen.check, seen.place, len(seen.findings)) for seen in tally.observations] == [
        ("A-001", "here", 0),
        ("B-001", "there", 2),
    ]


def test_every_judge_that_applies_is_counted() -> None:
    tally = Tally()

    ran = tally.judge(chat(), "here", same=False)

    assert ran == {seen.check for seen in tally.observations}
    assert len(ran) > 10
    assert broken(tally) == set()


@pytest.mark.parametrize(("same", "ours"), [(False, True), (True, False)])
def test_a_fault_that_passed_through_is_the_upstreams(same: bool, ours: bool) -> None:
    tally = Tally()

    tally.judge(behind(BAD, BAD), "here", same=same)

    assert bool(broken(tally)) is ours
    assert bool(tally.upstreams) is not ours


def test_an_answer_to_another_question_than_the_clients_is_ours() -> None:
    tally = Tally()

    tally.judge(behind(chat(asked=ASK | {"n": 2}), chat(asked=ASK | {"n": 1})), "here", same=True)

    assert broken(tally) == {"CHAT-005"}
    assert tally.upstreams == []


def test_a_check_may_be_left_to_others() -> None:
    tally = Tally()

    ran = tally.judge(BAD, "here", same=False, but=("CHAT-006",))

    assert "CHAT-006" not in ran | broken(tally)


def test_a_fault_that_the_upstream_did_not_make_is_ours_even_on_the_same_dialect() -> None:
    tally = Tally()

    tally.judge(behind(BAD, chat()), "here", same=True)

    assert broken(tally)
    assert tally.upstreams == []


def test_without_an_upstream_every_fault_is_ours() -> None:
    tally = Tally()

    tally.judge(BAD, "here", same=True)

    assert broken(tally)


def test_the_forwarded_request_is_judged_only_where_we_wrote_it() -> None:
    exchange = sent({"model": "m", "messages": [], "brand_new": 1})
    translated, passed = Tally(), Tally()

    translated.judge(exchange, "here", same=False)
    passed.judge(exchange, "here", same=True)

    assert any(check.startswith("XLT-") for check in broken(translated))
    assert not any(seen.check.startswith(("XLT-", "PRX-004")) for seen in passed.observations)
