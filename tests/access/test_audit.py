"""The chain of the audit log: whatever is done to a line shows."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.access.audit import GENESIS, Damper, Head, entry, read, verify, walk
from tests.cassette.test_redact import SHAPED

NOW = 1_795_000_000.5


def chain(*events: str) -> list[bytes]:
    lines, head = [], Head()
    for number, event in enumerate(events):
        line, head = entry(head, NOW + number, event, "cli:me", {"key": f"key_{number}", "admin": False})
        lines.append(line)
    return lines


def test_an_entry_says_what_happened_when_and_by_whom() -> None:
    line, head = entry(Head(), NOW, "key_created", "cli:me", {"tenant": "acme", "models": ("a", "b"), "count": 3})

    assert json.loads(line) == {
        "seq": 1,
        "ts": "2026-11-18T11:06:40.500Z",
        "event": "key_created",
        "actor": "cli:me",
        "details": {"count": 3, "models": ["a", "b"], "tenant": "acme"},
        "prev": GENESIS,
        "hash": head.hash,
    }
    assert read(line).hash == head.hash


def test_a_whole_chain_is_whole() -> None:
    lines = chain("start", "reload", "key_created")

    assert verify(lines) is None
    assert walk(line + b"\n" for line in lines).head == Head(3, read(lines[-1]).hash)


def test_an_empty_log_is_whole() -> None:
    assert walk([]).head == Head()


@pytest.mark.parametrize("secret", [SHAPED["anthropic"], "sk-setu-" + "Ab3_" * 10])
def test_no_secret_gets_in(secret: str) -> None:
    line, _ = entry(Head(), NOW, "auth_failure", secret, {"path": f"/v1/{secret}", "models": (secret,)})

    assert secret.encode() not in line


def test_a_long_text_is_cut_so_that_a_line_stays_short() -> None:
    line, _ = entry(Head(), NOW, "auth_failure", "", {"path": "/x" * 100_000})

    assert len(line) < 2000


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"", "no entry"),
        (b"{}", "no entry"),
        (chain("a")[0].replace(b"cli:me", b"cli:it"), "changed"),
        (chain("a")[0] + b" ", "no entry"),
    ],
)
def test_what_is_no_entry_is_said_to_be_none(line: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(line)


def test_a_line_with_a_right_hash_of_something_else_is_no_entry() -> None:
    from hashlib import sha256

    body = b'{"seq":1}'
    line = body[:-1] + b',"hash":"%s"}' % sha256(body).hexdigest().encode()

    with pytest.raises(ValueError, match="no entry"):
        read(line)


events = st.lists(st.sampled_from(["start", "reload", "auth_failure", "key_created"]), min_size=2, max_size=6)


@given(events, st.data())
def test_a_changed_byte_breaks_the_chain_at_its_line(names: list[str], data: st.DataObject) -> None:
    lines = chain(*names)
    at = data.draw(st.integers(0, len(lines) - 1))
    offset = data.draw(st.integers(0, len(lines[at]) - 1))
    other = data.draw(st.integers(32, 126).filter(lambda byte: byte != lines[at][offset]))
    lines[at] = lines[at][:offset] + bytes([other]) + lines[at][offset + 1 :]

    broken = verify(lines)

    assert broken is not None
    assert broken.line == at + 1


@given(events, st.data())
def test_a_dropped_or_repeated_or_moved_line_breaks_it(names: list[str], data: st.DataObject) -> None:
    lines = chain(*names)
    at = data.draw(st.integers(0, len(lines) - 2))
    dropped = lines[:at] + lines[at + 1 :]
    repeated = lines[: at + 1] + lines[at:]
    swapped = [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]

    found = [verify(changed) for changed in (dropped, repeated, swapped)]

    assert [broken is not None and broken.line for broken in found] == [at + 1, at + 2, at + 1]


def test_a_dropped_end_does_not_show_but_its_hash_is_gone() -> None:
    lines = chain("start", "reload", "key_revoked")
    seen: set[str] = set()

    assert walk(lines[:-1], seen.add).broken is None
    assert read(lines[-1]).hash not in seen


@given(st.integers(1, 5), st.lists(st.floats(0, 40), max_size=60))
def test_no_minute_gets_more_than_its_share_and_what_is_held_back_is_counted(most: int, gaps: list[float]) -> None:
    damper, now, written = Damper(most), 1000.0, list[float]()
    for gap in gaps:
        now += gap
        if damper.take(now):
            written.append(now)

    assert damper.held + len(written) == len(gaps)
    assert all(sum(start <= at < start + 60 for at in written) <= 2 * most for start in written)
    assert damper.release() == len(gaps) - len(written)
    assert damper.held == 0


def test_a_clock_that_goes_back_does_not_stop_the_log() -> None:
    damper = Damper(1)

    assert [damper.take(now) for now in (5000.0, 5001.0, 10.0)] == [True, False, True]
