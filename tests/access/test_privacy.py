"""What is masked, what is left alone, and that every mask can be put back."""

import re
import time
from ipaddress import AddressValueError, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setu.access.privacy import KINDS, LONGEST_MASK, Masker, find, luhn, mask, masks_in, tail_of, unmask

FOUND = {
    "write to ann@example.com now": "write to [EMAIL_1] now",
    "<o'brien.b+x@mail.example.co.uk>,": "<[EMAIL_1]>,",
    "josé@пример.рф": "[EMAIL_1]",
    "call +49 (171) 123-4567.": "call [PHONE_1].",
    "or 555-123-4567, (555) 123-4567": "or [PHONE_1], [PHONE_2]",
    "1-555-123-4567": "[PHONE_1]",
    "card 4111 1111 1111 1111": "card [CREDIT_CARD_1]",
    "card 4111-1111-1111-1111": "card [CREDIT_CARD_1]",
    "No. 12 4111111111111111!": "No. 12 [CREDIT_CARD_1]!",
    "9999 4111 1111 1111 1111": "9999 [CREDIT_CARD_1]",
    "2999 4111 1111 1111 1111": "2999 [CREDIT_CARD_1]",
    "amex 3782 822463 10005": "amex [CREDIT_CARD_1]",
    "SSN 123-45-6789": "SSN [SSN_1]",
    "from 192.168.0.1.": "from [IPV4_1].",
    "at 10.0.0.1:8080": "at [IPV4_1]:8080",
    "at [2001:db8::1]:443": "at [[IPV6_1]]:443",
    "::ffff:192.0.2.1 and fe80::1": "[IPV6_1] and [IPV6_2]",
    "key sk-abcDEF0123456789abcdef": "key [API_KEY_1]",
    "AKIAABCDEFGHIJKLMNOP": "[API_KEY_1]",
    "ann@example.com, bob@example.com, ann@example.com": "[EMAIL_1], [EMAIL_2], [EMAIL_1]",
    "[EMAIL_1] is not ann@example.com": "[EMAIL_1] is not [EMAIL_2]",
    "[EMAIL_ann@example.com_1]": "[[EMAIL_1]_1]",
}  # fmt: skip
LEFT = (
    "4111 1111 1111 1112",  # the digits do not add up
    "411111111111111111111111",
    "2026-11-21 12:30:45",
    "12:30:45",
    "0.123456789012",
    "3.14159265358979",
    "999-45-6789 and 666-45-6789 and 000-45-6789 and 123-00-6789",
    "1.2.3.4.5",
    "256.1.1.1",
    "::ffff:256.1.1.1",
    "std::vector and de::ad and a::b",
    "aa:bb:cc:dd:ee:ff",
    "user@localhost",
    "@mention #tag",
    "",
    "[EMAIL_1]",
    "sk-learn is a library",
)


@pytest.mark.parametrize("text", FOUND)
def test_a_value_is_replaced_by_a_mask_and_put_back(text: str) -> None:
    masked, table = mask(text)

    assert masked == FOUND[text]
    assert unmask(masked, table) == text


@pytest.mark.parametrize("text", LEFT)
def test_what_is_none_is_left_alone(text: str) -> None:
    assert mask(text) == (text, {})


def test_only_the_kinds_that_were_asked_for_are_masked() -> None:
    masked, table = mask("ann@example.com at 10.0.0.1", ["ipv4"])

    assert (masked, table) == ("ann@example.com at [IPV4_1]", {"[IPV4_1]": "10.0.0.1"})


def test_the_texts_of_a_request_share_their_masks() -> None:
    masker = Masker(reserved=masks_in("see [EMAIL_2]"))
    texts = ["a@example.com", "b@example.com a@example.com 10.0.0.1"]

    assert [masker.mask(text) for text in texts] == ["[EMAIL_1]", "[EMAIL_3] [EMAIL_1] [IPV4_1]"]
    assert masker.found == ("email", "ipv4")


VALUES = st.sampled_from(
    [
        "ann@example.com",
        "bob.b@mail.example.org",
        "+14155550123",
        "555-123-4567",
        "4111111111111111",
        "5500 0000 0000 0004",
        "123-45-6789",
        "192.168.0.1",
        "2001:db8::1",
        "sk-abcDEF0123456789abcdef",
    ]
)
MASKISH = st.from_regex(r"\[?(EMAIL|SSN|PHONE|IPV4)?_?[0-9]{0,2}\]?", fullmatch=True)
TEXTS = st.lists(st.one_of(st.text(max_size=12), VALUES, MASKISH), max_size=12).map("".join)


@given(TEXTS)
def test_what_was_masked_comes_back_whatever_the_text(text: str) -> None:
    masked, table = mask(text)

    assert unmask(masked, table) == text


@given(st.lists(st.tuples(st.sampled_from([" ", ", ", "\n", " (", "<", "; "]), VALUES), max_size=8))
def test_no_value_is_left_in_what_goes_out(parts: list[tuple[str, str]]) -> None:
    masked, table = mask("".join(lead + value + " " for lead, value in parts))

    assert set(table.values()) == {value for _, value in parts}
    assert not [value for _, value in parts if value in masked]
    assert find(masked) == []


@given(st.text(alphabet="0123456789", min_size=12, max_size=18), st.integers(0, 9))
def test_every_number_has_one_digit_that_makes_it_add_up(digits: str, other: int) -> None:
    right = [digit for digit in range(10) if luhn(f"{digits}{digit}")]

    assert len(right) == 1
    assert luhn(f"{digits}{other}") is (other == right[0])


@given(st.text(alphabet="0123456789", min_size=13, max_size=19), st.integers(0, 18), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(digits: str, place: int, by: int) -> None:
    place %= len(digits)
    wrong = digits[:place] + str((int(digits[place]) + by) % 10) + digits[place + 1 :]

    assert not (luhn(digits) and luhn(wrong))


@given(st.integers(0, 40), TEXTS)
def test_a_tail_is_held_back_only_while_it_may_become_a_mask(cut: int, text: str) -> None:
    masked, table = mask(text + " ann@example.com")
    cut = min(cut, len(masked))
    tail = tail_of(masked[:cut], table)

    assert len(tail) < LONGEST_MASK
    assert masked[:cut].endswith(tail)
    head = masked[: cut - len(tail)]
    assert unmask(head, table) + unmask(tail + masked[cut:], table) == unmask(masked, table)


SIZE = 1_000_000
HOSTILE = (
    "a", "1", "a.", "a@", "@", "a@a.", "a-", "1-", "1 ", "1.", "1.1.1.", "255.255.255.255.", ":", "a:", "1:", "::1 ",
    "0:0:", "+1", "+", "+ ", "(1", "4111 ", "4111 1111 1111 1112 ", "4-", "4111111111111112 ", "123-45-", "555-123-",
    "%41", "%", "'", "a'", "[", "[EMAIL_", "[EMAIL_1]", "_", "\\n", "ann@example.com ", "bob'", "a@a.aa", "1:1: ", "::",
)  # fmt: skip
KEYISH = (
    "sk-", "sk-a", "\\nsk-a", "%41sk-a", "Bearer ", "Bearer+", "Basic a", "eyJaaaaaaaa.", ".eyJ", "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----", "-----BEGIN A", "://a:", "://", "://:a@", "?key=", "&key=%", "token=a&", "sig=", "AKIA",
    "gh", "ghp_", "xoxb-", "1//0", "hooks.slack.com/services/", "ek_a", "Signature=a", "&X-Amz-Signature=aaaaaaaaaaaaaaaa",
)  # fmt: skip


@pytest.mark.timed
@pytest.mark.parametrize("piece", [*HOSTILE, *KEYISH])
def test_a_megabyte_of_anything_is_read_in_less_than_a_second(piece: str) -> None:
    text = (piece * (SIZE // len(piece) + 1))[:SIZE]

    def once() -> float:
        start = time.process_time()
        mask(text)
        return time.process_time() - start

    assert once() < 1.0 or once() < 1.0


@given(st.text(alphabet=":::1aF0.", min_size=2, max_size=20) | st.ip_addresses(v=6).map(str))
def test_an_ipv6_address_is_what_the_standard_library_says_it_is(text: str) -> None:
    try:
        IPv6Address(text)
    except AddressValueError:
        known = False
    else:
        known = any(char.isdigit() for char in text)

    whole = [(start, end) for start, end, kind in find(text, ["ipv6"])] == [(0, len(text))]
    assert whole is known


def test_every_kind_has_an_example() -> None:
    shown = {found[1] for masked in FOUND.values() for found in re.finditer(r"\[([A-Z0-9_]+)_[0-9]+\]", masked)}

    assert {kind.upper() for kind in KINDS} <= shown
