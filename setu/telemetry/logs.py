"""The request log: one line a call, on the standard logger `setu.requests`."""

import logging
from collections.abc import Mapping

from setu.signals import Call

REQUESTS = logging.getLogger("setu.requests")
OPERATIONS = logging.getLogger("setu")


def log_call(call: Call) -> None:
    """Write the line users grep for; a failed call is a warning, an incomplete translation says its losses."""
    level = logging.WARNING if call.status >= 400 or call.error else logging.INFO
    if not REQUESTS.isEnabledFor(level):
        return
    fields = [
        f"model={_printable(call.model) or '-'}",
        f"duration_ms={call.duration_ms}",
        f"status={call.status}",
        f"provider={call.provider or '-'}",
        f"stream={str(call.stream).lower()}",
        f"end={call.end}",
        f"input_tokens={call.input_tokens if call.input_tokens is not None else '-'}",
        f"output_tokens={call.output_tokens if call.output_tokens is not None else '-'}",
        f"request_id={call.request_id}",
    ]
    fields += [f"error={call.error}"] if call.error else []
    fields += [f"losses={len(call.losses)} {' '.join(call.losses)}"] if call.losses else []
    REQUESTS.log(level, "request_completed: %s", ", ".join(fields))


def _printable(text: str) -> str:
    """Escape what would end the line or colour it: the name is the client's own."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


_LEVELS: Mapping[str, int] = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "off": logging.CRITICAL,
}


def level_of(directives: str) -> int | None:
    """Return the level that directives such as `info,setu=debug,tower_http=warn` ask for; None if they say none.

    That is how the earlier gateways' RUST_LOG is written: what names `setu` goes before what names nobody.
    """
    said = [each.strip().lower().partition("=") for each in directives.split(",")]
    own = [level for name, equals, level in said if name == "setu" and equals]
    everybody = [name for name, equals, _ in said if not equals]
    found = [_LEVELS[level] for level in (*own, *everybody) if level in _LEVELS]
    return found[0] if found else None


def configure(*, verbose: bool, environ: Mapping[str, str] | None = None) -> None:
    """Send Setu's loggers to standard error: warnings, what SETU_LOG or else RUST_LOG says, calls when `verbose`."""
    said = (level_of((environ or {}).get(name, "")) for name in ("SETU_LOG", "RUST_LOG"))
    level = next((each for each in said if each is not None), logging.WARNING)
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    OPERATIONS.handlers = [handler]
    OPERATIONS.setLevel(min(level, logging.INFO) if verbose else level)
    OPERATIONS.propagate = False
