import json

from hypothesis import given
from hypothesis import strategies as st

from setu.dialects.record import Loss
from setu.translate.loss import LIMIT, header_value, in_words_of


def loss(reason: str, pointer: str = "/seed") -> Loss:
    return Loss(phase="request", pointer=pointer, reason=reason)


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=80), max_size=60))
def test_the_header_is_printable_ascii_within_its_limit_and_counts_every_loss(reasons: list[str]) -> None:
    value = header_value([loss(reason) for reason in reasons])

    if value is None:
        assert reasons == []
        return
    assert all(" " <= char <= "~" for char in value)
    assert len(value) <= LIMIT
    told = json.loads(value)
    more = told[-1].get("more", 0)
    assert len(told) - (1 if more else 0) + more == len(reasons)
    assert [entry["reason"] for entry in told if "reason" in entry] == reasons[: len(reasons) - more]


def test_a_loss_is_named_as_the_client_wrote_it_and_once() -> None:
    losses = [loss("no", "/stop"), loss("no", "/stop"), loss("no", "/messages/0")]

    renamed = in_words_of(losses, {"stop": "/generationConfig/stopSequences"})

    assert [entry.pointer for entry in renamed] == ["/generationConfig/stopSequences", "/messages/0"]
