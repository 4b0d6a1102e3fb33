import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.cassette.fault_answers import SERVER_ERRORS, Burst, RetryAfter
from setu.cassette.fault_events import drop_done
from setu.cassette.fault_steps import cut, end, half_chunk, latency, reset, slow_drip, split, stall, truncate_gzip
from setu.cassette.faults import FORMS, parse_fault, parse_rule, parse_rules
from setu.cassette.script import Bytes, End, Head, Wait
from setu.errors import ConfigError
from setu.http import Headers

PLAIN = (Head(200, Headers()), Bytes(b"one"), Wait(1.0), Bytes(b"two!"), Bytes(b"3"), End())


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("close@event=2", cut(after_event=2)),
        ("close", cut(after_event=1)),
        ("close@byte=4", cut(after_bytes=4)),
        ("rst@event=0", reset(0)),
        ("rst", reset(1)),
        ("half-chunk", half_chunk(0)),
        ("half-chunk@event=1", half_chunk(1)),
        ("stall=5s", stall(0, 5)),
        ("stall=0.5@event=2", stall(2, 0.5)),
        ("resplit=7", split(7)),
        ("split=7", split(7)),
        ("end", end(1)),
        ("end@event=2", end(2)),
        ("latency=300ms", latency(0.3)),
        ("stall=20ms", stall(0, 0.02)),
        ("slow-drip=20", slow_drip(20)),
        ("slow-drip=20/s", slow_drip(20)),
        ("slow-drip=2.5/sec", slow_drip(2.5)),
        ("truncate-gzip", truncate_gzip()),
        ("truncate-gzip@byte=3", truncate_gzip(3)),
    ],
)
def test_faults_have_a_text_form(text, fault) -> None:
    assert parse_fault(text)(PLAIN) == fault(PLAIN)


@pytest.mark.parametrize(
    ("text", "dialect", "nth"),
    [("rst", "", 0), ("anthropic: rst", "anthropic", 0), ("anthropic#2:rst", "anthropic", 2)],
)
def test_a_rule_names_the_calls_it_strikes(text, dialect, nth) -> None:
    rule = parse_rule(text)

    assert (rule.dialect, rule.nth) == (dialect, nth)
    assert parse_fault(text)(PLAIN) == reset(1)(PLAIN)


@pytest.mark.parametrize(
    ("text", "burst"),
    [
        ("429x3 retry-after=1", Burst(status=429, times=3, retry_after=RetryAfter(1))),
        ("429 retry-after=0.5s", Burst(status=429, retry_after=RetryAfter(0.5))),
        ("429 retry-after-ms=250", Burst(status=429, retry_after=RetryAfter(0.25, "ms"))),
        ("503 retry-after=http-date", Burst(status=503, retry_after=RetryAfter(2, "date"))),
        ("503x2 retry-after=http-date+7", Burst(status=503, times=2, retry_after=RetryAfter(7, "date"))),
        ("5xx", Burst(status=SERVER_ERRORS)),
        ("5xxx2", Burst(status=SERVER_ERRORS, times=2)),
        ("5xx x2", Burst(status=SERVER_ERRORS, times=2)),
        ("5xx*2", Burst(status=SERVER_ERRORS, times=2)),
        ("503", Burst(status=503)),
        ("529x2", Burst(status=529, times=2)),
    ],
)
def test_a_rule_may_be_a_burst(text, burst) -> None:
    assert parse_rule(text).effect == burst


@pytest.mark.parametrize(
    ("text", "dialect", "nth", "expected"),
    [
        ("rst", "gemini", 5, True),
        ("openai:rst", "openai_chat", 1, True),
        ("openai_chat:rst", "openai_chat", 1, True),
        ("openai:rst", "anthropic", 1, False),
        ("anthropic#2:rst", "anthropic", 1, False),
        ("#2:rst", "anthropic", 2, True),
    ],
)
def test_a_rule_strikes_what_it_names(text, dialect, nth, expected) -> None:
    assert parse_rule(text).strikes(dialect, nth) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "explode",
        "stall",
        "resplit=0",
        "resplit=1.5",
        "close=3",
        "rst@byte=1",
        "200x2",
        "429x",
        "429x0",
        "half-chunk=2",
        "rst p=x",
        "429 retry-after=soon",
        "latency",
        "slow-drip=0",
        "drop-done@event=1",
        "inject-error=200",
        "crlf=1",
        "rst seed=1.5",
    ],
)
def test_unknown_forms_are_listed(text) -> None:
    with pytest.raises(
        ConfigError, match=r"unknown fault .* known are 'STATUSxTIMES retry-after=SECONDS', 'close@event=N'"
    ):
        parse_rule(text)


@pytest.mark.parametrize(
    ("text", "p", "seed"),
    [
        ("rst", 1, 0),
        ("rst p=0.3", 0.3, 0),
        ("rst p=.5 seed=7", 0.5, 7),
        ("anthropic#2: 429x3 retry-after=1 seed=9 p=1", 1, 9),
    ],
)
def test_a_rule_may_strike_by_chance(text, p, seed) -> None:
    rule = parse_rule(text)

    assert (rule.p, rule.seed, rule.text) == (p, seed, text)


def test_a_probability_is_one() -> None:
    with pytest.raises(ConfigError, match="from 0 to 1"):
        parse_rule("rst p=1.5")


def test_an_answer_of_its_own_changes_no_other() -> None:
    with pytest.raises(ConfigError, match="an answer of its own"):
        parse_fault("429")


@given(st.integers(0, 99), st.text(max_size=9))
def test_chance_decides_alike_for_the_same_seed_and_key(seed, key) -> None:
    rules = [parse_rule(f"rst p={p} seed={seed}") for p in (0, 0.5, 1)]

    first = [rule.drawn(key) for rule in rules]

    assert first == [rule.drawn(key) for rule in rules]
    assert first[0] is False
    assert first[2] is True


def test_chance_strikes_about_the_share_it_is_told() -> None:
    rule = parse_rule("rst p=0.3 seed=7")

    assert 250 < sum(rule.drawn(str(n)) for n in range(1000)) < 350


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("", []),
        ("rst; crlf ;", ["rst", "crlf"]),
        ("# all of it\nrst # now\n\n#2: close\n  #just this\n", ["rst", "#2: close"]),
        ("drop-done\r\nanthropic#1:rst", ["drop-done", "anthropic#1:rst"]),
    ],
)
def test_files_and_headers_hold_rules(text, rules) -> None:
    assert [rule.text for rule in parse_rules(text)] == rules


def test_faults_that_look_at_the_dialect_are_read_too() -> None:
    assert parse_rule("drop-done").effect is drop_done


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.text)
def test_every_form_is_read_as_it_is_written(form) -> None:
    text = form.text
    for word, value in (
        ("STATUSxTIMES", "429x2"),
        ("=STATUS", "=429"),
        ("SECONDS", "1"),
        ("TIME", "5s"),
        ("BYTES", "9"),
        ("SIZE", "7"),
    ):
        text = text.replace(word, value)

    found = parse_rule(text.replace("=N", "=3"))

    assert found.breaks is form.breaks
