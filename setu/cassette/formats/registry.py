"""The formats that Setu reads besides its own, and which of them a file is in."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from setu.cassette.formats import aimock, aimock_fixtures, corpus, har, mitm, vcr
from setu.cassette.formats.intake import DEFAULT, Data, Found, Intake, joined
from setu.cassette.model import Interaction
from setu.cassette.shelf import check_whole
from setu.cassette.yamlfile import parse_cassette
from setu.errors import CassetteDecodeError

HEAD = 65536
"""How many bytes of a file's start are looked at to know its format."""


class Format(NamedTuple):
    """A format of recordings.

    `read` takes what a file holds, a name for places and what to take out, and yields interactions and what it
    skipped, lazily. `write`, which gives the text of a file, is there where Setu can write the format; it leaves out
    the recordings for which `unfit` gives a reason, and `loses` says what of the others the format has no place for.
    """

    name: str
    says: str
    suffixes: tuple[str, ...]
    sniff: Callable[[bytes], bool]
    read: Callable[[Data, str, Intake], Iterator[Found]]
    write: Callable[[Iterable[Interaction]], str] | None = None
    unfit: Callable[[Interaction], str] = lambda _: ""
    loses: str = ""


def format_of(head: bytes, name: str) -> Format:
    """Return the format of a file by the start of its content, or else by a suffix that no other format has.

    Raises:
        CassetteDecodeError: it is none that Setu knows.
    """
    for form in FORMATS.values():
        if form.sniff(head):
            return form
    named = [form for form in FORMATS.values() if name.removesuffix(".gz").endswith(form.suffixes)]
    if len(named) == 1:
        return named[0]
    raise CassetteDecodeError(f"{name}: in no format that Setu reads ({', '.join(FORMATS)})")


def _sniff_vcr(head: bytes) -> bool:
    return re.search(rb'^(?:http_)?interactions:|"(?:http_)?interactions"\s*:', head, re.MULTILINE) is not None


def _sniff_parsed(head: bytes) -> bool:
    return _sniff_vcr(head) and re.search(rb'^\s+parsed_body:|"parsed_body"\s*:', head, re.MULTILINE) is not None


def _read_vcr(data: Data, name: str, intake: Intake = DEFAULT) -> Iterator[Found]:
    """Read YAML or JSON of vcrpy's family; the text of one file is in memory as a whole."""
    try:
        text = joined(data, name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CassetteDecodeError(f"{name}: not UTF-8 text at byte {error.start}") from None
    found = parse_cassette(text, name)
    check_whole(text, found, name)
    return vcr.read(found, name, intake)


_KNOWN = (
    Format("har", "HTTP archives (browsers, Charles, Polly.JS)", har.SUFFIXES, har.sniff, har.read, har.write),
    Format(
        "aimock",
        "aimock and llmock fixtures, as reconstructed chats",
        aimock.SUFFIXES,
        aimock.sniff,
        aimock.read,
        aimock_fixtures.write,
        aimock_fixtures.unfit,
        aimock_fixtures.LOSES,
    ),
    Format("mitmproxy", "mitmproxy flow files", mitm.SUFFIXES, mitm.sniff, mitm.read),
    Format("corpus", "JSON lines, one exchange each", corpus.SUFFIXES, corpus.sniff, corpus.read),
    Format("pydantic-ai", "cassettes with a parsed_body", vcr.SUFFIXES, _sniff_parsed, _read_vcr),
    Format("vcr", "vcrpy, pytest-recording, cassetter, VCR, go-vcr", vcr.SUFFIXES, _sniff_vcr, _read_vcr, vcr.write),
)
FORMATS: Mapping[str, Format] = {form.name: form for form in _KNOWN}
"""By name; the order is that in which a file's start is compared."""
