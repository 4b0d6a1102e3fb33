"""What a cassette holds: interactions, each an exchange with what its recording says about itself."""

from typing import Literal

import msgspec

from setu.http import Exchange

Side = Literal["upstream", "client"]
Provenance = Literal["recorded", "reconstructed", "edited"]
Eol = Literal["lf", "crlf", "cr"]


class Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the stored text becomes the exact bytes again.

    `json_req` and `json_resp` name the JSON style of a body stored indented (compact, spaced, indent2, indent4, each
    with `-ascii` when non-ASCII was escaped and `-lf` when a line feed ended it); None: as it stands. `eol` is
    the line end of a response stored with LF. `enc` is the content encoding that was decoded. `sha256` verifies the
    response bytes; absent after an edit.
    """

    json_req: str | None = None
    json_resp: str | None = None
    eol: Eol = "lf"
    enc: str | None = None
    sha256: str | None = None


class Timing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Milliseconds, quantised to 5: to the head, then from the head to each SSE event (or to the body's end)."""

    ttfb_ms: int = 0
    events_ms: tuple[int, ...] = ()


class Recording(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The `response.setu` key: everything about an interaction that plain vcrpy does not know.

    `op` is `<dialect>.<operation>[.stream]`; `key` is the match key, informative; `recorded` an ISO date; `twin`
    links the two sides of one translated call; `chunks` are the sizes in bytes of the transport's chunks where they
    are to be kept; `redacted` lists what was removed. How the answer ended is the exchange's own `end`.
    """

    v: int = 1
    side: Side = "upstream"
    dialect: str = ""
    op: str = ""
    key: str = ""
    recorded: str = ""
    provenance: Provenance = "recorded"
    twin: str | None = None
    wire: Wire = Wire()
    timing: Timing | None = None
    chunks: tuple[int, ...] = ()
    redacted: tuple[str, ...] = ()


class Interaction(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange on file.

    `reason` is the status line's text; `place` is `file:line`, empty before it is saved; `notes` are sentences about
    what did not fit when it was loaded (timing of an edited body, a checksum that no longer holds).
    """

    exchange: Exchange
    recording: Recording = Recording()
    reason: str = ""
    place: str = ""
    notes: tuple[str, ...] = ()
