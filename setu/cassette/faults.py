"""Faults as text: what to break, and whose answers.

    [DIALECT][#NTH]: FAULT [p=PROBABILITY] [seed=N]

`FORMS` lists the faults. Events count from 0: `close@event=4` closes after four. The same text stands on the command
line, in a file of faults, in the admin API, in the header `X-Setu-Fault` and in a pytest marker.
"""

import re
from collections.abc import Callable, Mapping

import msgspec

from setu.cassette import fault_events, fault_steps
from setu.cassette.chance import unit
from setu.cassette.fault_answers import SERVER_ERRORS, Burst, RetryAfter
from setu.cassette.fault_steps import Aim, Fault, Struck
from setu.errors import ConfigError

HEADER = "x-setu-fault"

Found = Mapping[str, str | None]
"""The named groups of a form."""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of fault: how it is written, what it does, how it is read.

    `breaks` says that a client that takes such an answer for a whole one is mistaken.
    """

    text: str
    does: str
    pattern: re.Pattern[str]
    make: Callable[[Found], Aim | Burst]
    breaks: bool = False


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A fault and the calls it strikes.

    `dialect` and `nth` (the nth call of that dialect, from 1) narrow it; empty and 0 mean every one. Of those, `p` is
    the share it strikes, drawn from `seed`. `text` is what the rule was read from.
    """

    text: str
    effect: Aim | Burst
    dialect: str = ""
    nth: int = 0
    p: float = 1.0
    seed: int = 0
    breaks: bool = False

    def strikes(self, dialect: str, nth: int) -> bool:
        """Say whether the nth call of a dialect is meant; `openai` means every dialect of that family."""
        named = self.dialect in ("", dialect) or dialect.startswith(f"{self.dialect}_")
        return named and self.nth in (0, nth)

    def drawn(self, key: str) -> bool:
        """Say whether chance picks the call with this key; the same key and seed give the same answer."""
        return self.p >= 1 or unit("strikes", self.seed, self.text, key) < self.p


def parse_rule(text: str) -> Rule:
    """Read a fault with all that narrows it.

    Raises:
        ConfigError: no such fault; lists the known forms.
    """
    lead = _LEAD.fullmatch(text.strip())
    assert lead is not None
    effect, options = lead["effect"], dict[str, str]()
    while (option := _OPTION.fullmatch(effect)) is not None:
        effect, options = option["before"], {option["name"]: option["value"], **options}
    for form in FORMS:
        found = form.pattern.fullmatch(effect.strip())
        if found is not None:
            return Rule(
                text=text.strip(),
                effect=form.make(found.groupdict()),
                dialect=lead["dialect"] or "",
                nth=int(lead["nth"] or 0),
                p=_probability(text, options.get("p", "1")),
                seed=int(options.get("seed", "0")),
                breaks=form.breaks,
            )
    known = ", ".join(repr(form.text) for form in FORMS)
    raise ConfigError(
        f"unknown fault {text!r}; known are {known}, each with an optional lead 'DIALECT#NTH:' and tail 'p=0.3 seed=7'"
    )


def parse_rules(text: str) -> tuple[Rule, ...]:
    """Read the rules of a file, one a line, or of a header, with semicolons between them.

    A comment begins with `#`, but for `#2:`, which is the second call.
    """
    lines = (_COMMENT.sub("", line) for line in text.splitlines())
    return tuple(parse_rule(rule) for line in lines for rule in line.split(";") if rule.strip())


def parse_fault(text: str, struck: Struck = Struck()) -> Fault:  # noqa: B008  # a frozen value
    """Read one fault that changes an answer and is not an answer of its own.

    Raises:
        ConfigError: no such fault; lists the known forms.
    """
    rule = parse_rule(text)
    if isinstance(rule.effect, Burst):
        raise ConfigError(f"{text!r} is an answer of its own, not a fault of another one")
    return rule.effect(struck)


def _probability(text: str, value: str) -> float:
    if not 0 <= float(value) <= 1:
        raise ConfigError(f"fault {text!r}: p is a probability, from 0 to 1")
    return float(value)


_LEAD = re.compile(r"(?:(?P<dialect>[a-z_]+)?(?:#(?P<nth>[0-9]+))?:)?\s*(?P<effect>.*)", re.DOTALL)
_OPTION = re.compile(r"(?P<before>.*)\s(?P<name>p|seed)=(?P<value>(?<=seed=)[0-9]+|(?<=p=)[0-9]*\.?[0-9]+)", re.DOTALL)
_COMMENT = re.compile(r"(?:^|(?<=\s))#(?![0-9]+:).*")

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_TIME = rf"=(?P<time>{_NUMBER})(?P<unit>ms|s)?"
_EVENT = r"(?:@event=(?P<event>[0-9]+))?"


def _event(found: Found, default: int = 0) -> int:
    return int(found["event"] or default)


def _seconds(found: Found) -> float:
    return float(found["time"] or 0) / (1000 if found["unit"] == "ms" else 1)


def _plain(fault: Fault) -> Aim:
    return lambda _struck: fault


def _close(found: Found) -> Aim:
    if found["byte"] is not None:
        return _plain(fault_steps.cut(after_bytes=int(found["byte"])))
    return _plain(fault_steps.cut(after_event=_event(found, 1)))


def _gzip(found: Found) -> Aim:
    return _plain(fault_steps.truncate_gzip(None if found["byte"] is None else int(found["byte"])))


def _inject_error(found: Found) -> Aim:
    return fault_events.inject_error(_event(found, 1), None if found["status"] is None else int(found["status"]))


def _burst(found: Found) -> Burst:
    status = SERVER_ERRORS if found["status"] == "5xx" else int(found["status"] or 0)
    after: RetryAfter | None = None
    if found["ms"] is not None:
        after = RetryAfter(float(found["ms"]) / 1000, "ms")
    elif found["date"] is not None:
        after = RetryAfter(float(found["ahead"] or 2), "date")
    elif found["after"] is not None:
        after = RetryAfter(float(found["after"]))
    return Burst(status=status, times=int(found["times"] or 1), retry_after=after)


def _form(text: str, does: str, pattern: str, make: Callable[[Found], Aim | Burst], *, breaks: bool = False) -> Form:
    return Form(text=text, does=does, pattern=re.compile(pattern), make=make, breaks=breaks)


FORMS = (
    _form(
        "STATUSxTIMES retry-after=SECONDS",
        "error answers come before the real one (`5xx`: a status the provider has); it may also say `retry-after-ms=N` "
        "or `retry-after=http-date+SECONDS`",
        rf"(?P<status>[45][0-9]{{2}}|5xx)(?:\s*[x*](?P<times>[1-9][0-9]*))?"
        rf"(?:\s+(?:retry-after-ms=(?P<ms>{_NUMBER})|retry-after=(?P<date>http-date)(?:\+(?P<ahead>[0-9]+))?"
        rf"|retry-after=(?P<after>{_NUMBER})s?))?",
        _burst,
    ),
    _form(
        "close@event=N",
        "the connection closes after N events (1), or with `close@byte=N` after N bytes of the body",
        rf"close(?:@byte=(?P<byte>[0-9]+)|{_EVENT})",
        _close,
        breaks=True,
    ),
    _form(
        "end@event=N",
        "the answer ends politely after N events (1): to HTTP it is complete",
        rf"end{_EVENT}",
        lambda found: _plain(fault_steps.end(_event(found, 1))),
        breaks=True,
    ),
    _form(
        "half-chunk@event=N",
        "half of event N (0) is written, then the connection closes",
        rf"half-chunk{_EVENT}",
        lambda found: _plain(fault_steps.half_chunk(_event(found))),
        breaks=True,
    ),
    _form(
        "rst@event=N",
        "the connection is reset after N events (1)",
        rf"rst{_EVENT}",
        lambda found: _plain(fault_steps.reset(_event(found, 1))),
        breaks=True,
    ),
    _form(
        "drop-done",
        "the event that says the stream is complete is missing; all else comes",
        r"drop-done",
        lambda _: fault_events.drop_done,
        breaks=True,
    ),
    _form(
        "truncate-gzip@byte=N",
        "the answer is compressed, and of the compressed bytes the second half (or all after N) is missing",
        r"truncate-gzip(?:@byte=(?P<byte>[0-9]+))?",
        _gzip,
        breaks=True,
    ),
    _form(
        "malformed-event@event=N",
        "the JSON of event N (0) is broken; an answer that is no stream is one event",
        rf"malformed-event{_EVENT}",
        lambda found: fault_events.malformed_event(_event(found)),
        breaks=True,
    ),
    _form(
        "inject-error=STATUS@event=N",
        "after N events (1) the stream ends with the provider's own error event, of that status or its most usual one",
        rf"inject-error(?:=(?P<status>[45][0-9]{{2}}))?{_EVENT}",
        _inject_error,
        breaks=True,
    ),
    _form(
        "stall=TIME@event=N",
        "nothing comes for a while before event N (0)",
        rf"stall{_TIME}{_EVENT}",
        lambda found: _plain(fault_steps.stall(_event(found), _seconds(found))),
    ),
    _form(
        "latency=TIME",
        "nothing comes for a while, not even the head",
        rf"latency{_TIME}",
        lambda found: _plain(fault_steps.latency(_seconds(found))),
    ),
    _form(
        "slow-drip=BYTES/s",
        "the body comes at no more than so many bytes a second",
        r"slow-drip=(?P<rate>[1-9][0-9]*(?:\.[0-9]+)?)(?:/s|/sec)?",
        lambda found: _plain(fault_steps.slow_drip(float(found["rate"] or 1))),
    ),
    _form(
        "split=SIZE",
        "the same bytes in chunks of that size, across event boundaries (`resplit` is the same)",
        r"(?:re)?split=(?P<size>[1-9][0-9]*)",
        lambda found: _plain(fault_steps.split(int(found["size"] or 1))),
    ),
    _form("crlf", "the lines of an SSE stream end in CRLF", r"crlf", lambda _: fault_events.crlf),
    _form(
        "ping@event=N",
        "a sign of life before event N (0): Anthropic's ping, a comment, a blank line, for Bedrock an unknown event",
        rf"ping{_EVENT}",
        lambda found: fault_events.ping(_event(found)),
    ),
)
"""Every fault; the first form that matches is taken."""
