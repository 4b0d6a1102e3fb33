"""Options as tables: both ways, with a loss or an error that names the member."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from setu import _json
from setu.chat.request import Options
from setu.dialects.params import Param, read_options, write_options
from setu.dialects.reader import Obj
from setu.errors import LocalDialectError
from tests.documents import DOCUMENTS, Document

TABLE = (
    Param(field="max_tokens", wire="max_completion_tokens", kind="integer", aliases=("max_tokens",), low=1),
    Param(field="temperature", wire="temperature", kind="number", low=0, high=2),
    Param(field="top_k", wire="topK", kind="integer", low=1, high=40, clamp=False),
    Param(field="stop", wire="stop", kind="texts", most=2),
    Param(field="logprobs", wire="logprobs", kind="flag"),
    Param(field="user", wire="user", kind="text"),
    Param(field="metadata", wire="metadata", kind="json"),
)
NAMES = [name for param in TABLE for name in (param.wire, *param.aliases)]
LEGAL = st.fixed_dictionaries(
    {},
    optional={
        "max_completion_tokens": st.integers(1, 10**30),
        "temperature": st.floats(0, 2),
        "topK": st.integers(1, 40),
        "stop": st.lists(st.text(max_size=3), max_size=2),
        "logprobs": st.booleans(),
        "user": st.text(max_size=4),
        "metadata": st.dictionaries(st.text(max_size=3), st.integers(), min_size=1, max_size=2),
    },
)


def read(value: dict[str, Any]) -> dict[str, Any]:
    return read_options(Obj(_json.encode(value)), TABLE)


@given(LEGAL)
def test_legal_options_go_there_and_back(members: dict[str, Any]) -> None:
    written, losses = write_options(Options(**read(members)), TABLE)

    assert _json.decode(_json.encode(written)) == members
    assert losses == []


@given(st.sampled_from(NAMES), DOCUMENTS)
def test_any_value_is_read_or_refused_by_its_name(name: str, document: Document) -> None:
    obj = Obj(b'{"%s":%s}' % (name.encode(), document.data.strip()))
    outcome: tuple[str, object]
    try:
        outcome = ("read", len(read_options(obj, TABLE)))
    except LocalDialectError as error:
        outcome = ("refused", (error.param or "").partition("[")[0])

    assert outcome in {("read", 1), ("refused", name)}


@pytest.mark.parametrize(
    ("member", "problem"),
    [
        (b'"max_tokens":0', "'max_tokens' must be at least 1"),
        (b'"max_completion_tokens":1.5', "'max_completion_tokens' must be an integer"),
        (b'"temperature":2.1', "'temperature' must be at most 2"),
        (b'"temperature":"hot"', "'temperature' must be a number"),
        (b'"temperature":true', "'temperature' must be a number"),
        (b'"topK":41', "'topK' must be at most 40"),
        (b'"stop":["a","b","c"]', "'stop' must have at most 2 items"),
        (b'"stop":["a",1]', "'stop[1]' must be a string"),
        (b'"stop":{}', "'stop' must be an array"),
        (b'"logprobs":"yes"', "'logprobs' must be a boolean"),
        (b'"user":7', "'user' must be a string"),
    ],
)
def test_a_clients_wrong_value_is_its_own_error(member: bytes, problem: str) -> None:
    with pytest.raises(LocalDialectError) as caught:
        read_options(Obj(b"{" + member + b"}"), TABLE)

    assert problem in str(caught.value)
    assert caught.value.param == problem.split("'")[1]


def test_an_upstreams_value_out_of_range_is_taken_as_it_is() -> None:
    obj = Obj(b'{"temperature":7,"user":1}', lenient=True)

    assert read_options(obj, TABLE) == {"temperature": 7.0, "user": None}


def test_null_is_said_and_absent_is_not() -> None:
    assert read({"temperature": None}) == {"temperature": None}
    assert read({}) == {}


@pytest.mark.parametrize(
    ("members", "value"),
    [
        ({"max_tokens": 5}, 5),
        ({"max_tokens": 5, "max_completion_tokens": 7}, 7),
        ({"max_tokens": 5, "max_completion_tokens": None}, 5),
        ({"max_tokens": None, "max_completion_tokens": 7}, 7),
    ],
)
def test_the_dialects_own_spelling_wins_over_an_alias(members: dict[str, Any], value: int) -> None:
    assert read(members) == {"max_tokens": value}


def test_a_bare_stop_string_is_a_list_of_one() -> None:
    assert read({"stop": "END"}) == {"stop": ("END",)}


def test_json_is_kept_in_exact_text() -> None:
    options = Options(**read_options(Obj(b'{"metadata":{ "b" : 1.10 }}'), TABLE))

    written, _ = write_options(options, TABLE)

    assert options.metadata == b'{ "b" : 1.10 }'
    assert _json.encode(written) == b'{"metadata":{ "b" : 1.10 }}'


@pytest.mark.parametrize(
    ("options", "wire", "pointer", "reason"),
    [
        (Options(temperature=3.5), {"temperature": 2.0}, "/temperature", "clamped from 3.5 to 2"),
        (Options(temperature=-1.0), {"temperature": 0.0}, "/temperature", "clamped from -1 to 0"),
        (Options(max_tokens=0), {"max_completion_tokens": 1}, "/max_tokens", "clamped from 0 to 1"),
        (Options(stop=("a", "b", "c")), {"stop": ["a", "b"]}, "/stop", "at most 2"),
        (Options(seed=7), {}, "/seed", "not supported"),
        (Options(verbosity="low"), {}, "/verbosity", "not supported"),
    ],
)
def test_what_a_target_cannot_take_is_bent_or_dropped_with_a_loss(
    options: Options, wire: dict[str, Any], pointer: str, reason: str
) -> None:
    written, losses = write_options(options, TABLE)

    assert written == wire
    assert [(loss.pointer, loss.phase) for loss in losses] == [(pointer, "request")]
    assert reason in losses[0].reason


def test_a_row_that_does_not_clamp_passes_the_value_on() -> None:
    assert write_options(Options(top_k=99.0), TABLE) == ({"topK": 99.0}, [])


@pytest.mark.parametrize("options", [Options(), Options(temperature=None, seed=UNSET), Options(stream_usage=True)])
def test_what_is_absent_null_or_the_gateways_own_business_is_no_loss(options: Options) -> None:
    assert write_options(options, TABLE) == ({}, [])
