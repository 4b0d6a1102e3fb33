"""The request log: one line a call, on the standard logger `setu.requests`."""

import logging

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


def configure(*, verbose: bool) -> None:
    """Send Setu's loggers to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    OPERATIONS.handlers = [handler]
    OPERATIONS.setLevel(logging.INFO if verbose else logging.WARNING)
    OPERATIONS.propagate = False
