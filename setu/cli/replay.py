"""`setu replay`: an offline mock of the providers, at wire level."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from setu.cli import redaction
from setu.cli.verify import Expired, MaxAge, WhenExpired

if TYPE_CHECKING:
    from setu.control import Control
    from setu.studio import Setup, Studio


class Exhausted(StrEnum):
    """What follows the last recording of a request."""

    ERROR = "error"
    LAST = "last"
    CYCLE = "cycle"


class Loosely(StrEnum):
    """How loosely a recording may be found when nothing fits better."""

    EXACT = "exact"
    SHAPE = "shape"
    LAST_USER = "last-user"
    SEQUENCE = "sequence"


Paths = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Directories and files of cassettes; without any, those that come with Setu.", show_default=False
    ),
]
Host = Annotated[str | None, typer.Option(help="Address to listen on [default: 127.0.0.1].")]
Port = Annotated[int | None, typer.Option(help="Port to listen on, 0 for any [default: 3742; any with a command].")]
Speed = Annotated[
    float, typer.Option(min=0.0, help="Pace of streams: 1 as recorded, 10 ten times as fast, 0 without pauses.")
]
NoDelay = Annotated[bool, typer.Option("--no-delay", help="Play without pauses; the same as --speed 0.")]
Ttfb = Annotated[float | None, typer.Option(min=0.0, help="Seconds before each answer's head, whatever was recorded.")]
Pace = Annotated[str | None, typer.Option("--physics", help="Pace of a model: ttft=400ms,tps=50,jitter=0.2,seed=7.")]
OnExhausted = Annotated[Exhausted, typer.Option(help="What a request gets whose recordings have all been served.")]
Match = Annotated[
    Loosely, typer.Option(help="How loosely a recording may be found when nothing fits better; always marked.")
]
Normalise = Annotated[
    list[str] | None,
    typer.Option(help="What requests may differ in: uuid, timestamp, date, path, regex:PATTERN, pointer:/a/*/b."),
]
Fault = Annotated[
    list[str] | None, typer.Option(help="Break answers on purpose: 429x3 retry-after=1, close@event=4, stall=5s, …")
]
Faults = Annotated[Path | None, typer.Option(help="A file of faults, one a line.")]
StrictUnused = Annotated[
    bool, typer.Option("--strict-unused", help="Exit with 1 when recordings were not asked for; names them.")
]
Resilience = Annotated[
    Path | None, typer.Option(help="Judge how the client dealt with what went wrong, into this JSON file.")
]


def replay(
    ctx: typer.Context,
    paths: Paths = None,
    host: Host = None,
    port: Port = None,
    speed: Speed = 1.0,
    no_delay: NoDelay = False,
    ttfb: Ttfb = None,
    physics: Pace = None,
    on_exhausted: OnExhausted = Exhausted.ERROR,
    match: Match = Loosely.EXACT,
    normalise: Normalise = None,
    fault: Fault = None,
    faults: Faults = None,
    strict_unused: StrictUnused = False,
    max_age: MaxAge = None,
    expired: WhenExpired = Expired.WARN,
    resilience: Resilience = None,
    redact_header: redaction.Headers = None,
    redact_pointer: redaction.Pointers = None,
    redact_pattern: redaction.Patterns = None,
) -> None:
    """Serve recorded answers to any SDK: original bytes, event boundaries and timing. Needs no key and no network.

    With -- COMMAND it runs the command with every SDK pointed here, and exits as it does. A request that has no
    recording gets status 424 and the exit status 1; what is nearest to it is in the answer and in setu-misses.jsonl.
    """
    from setu.cassette.age import Expiry, parse_age
    from setu.cassette.normalise import parse_normalisers
    from setu.cassette.physics import parse_physics
    from setu.cassette.redact import parse_rules
    from setu.studio import BUNDLED, Setup

    _check(speed, ttfb, physics, max_age, expired, no_delay=no_delay)
    first, *more = paths or [BUNDLED]
    setup = Setup(
        directory=first,
        more=tuple(more),
        speed=0.0 if no_delay else speed,
        ttfb=ttfb,
        physics=parse_physics(physics) if physics is not None else None,
        on_exhausted=on_exhausted.value,
        looser=match.value,
        normalisers=parse_normalisers(normalise or ()),
        expiry=Expiry(parse_age(max_age), expired.value) if max_age is not None else None,
        redact=parse_rules(redact_header or (), redact_pointer or (), redact_pattern or ()),
    )
    texts = [*_lines(faults), *(fault or ())]
    raise typer.Exit(_replay(setup, texts, ctx.obj or [], host, port, resilience, strict=strict_unused))


def _check(
    speed: float, ttfb: float | None, physics: str | None, max_age: str | None, expired: Expired, *, no_delay: bool
) -> None:
    """Refuse options of which one would silently do nothing.

    Raises:
        ConfigError: there are such.
    """
    from setu.errors import ConfigError

    if no_delay and speed != 1.0:
        raise ConfigError("--no-delay and --speed exclude each other")
    if physics is not None and (no_delay or speed != 1.0 or ttfb is not None):
        raise ConfigError("--physics paces answers alone, without --speed, --no-delay and --ttfb")
    if expired is not Expired.WARN and max_age is None:
        raise ConfigError("--expired needs --max-age")


def _replay(
    setup: "Setup",
    faults: list[str],
    command: list[str],
    host: str | None,
    port: int | None,
    resilience: Path | None,
    *,
    strict: bool,
) -> int:
    """Serve until a signal or until the command has ended; return the exit status."""
    import os

    from setu import build
    from setu.cli.rooms import check_writable, child, listening, note, settings
    from setu.control import Control, Reloading
    from setu.project import providers
    from setu.server import serve
    from setu.studio import Studio, proxy

    if resilience is not None:
        check_writable("--resilience", resilience)
    loaded = settings(None, host, 0 if command and port is None else port, offline=True)
    studio = Studio(setup, tell=note)
    count = studio.load()
    scopes = proxy(studio, providers(loaded, os.environ)[0])
    control = Control(studio, scopes)
    control.set_faults(faults)
    app = build.app(
        Reloading(scopes, studio, note),
        loaded,
        lambda: {"mode": "replay", "interactions": count, "misses": studio.misses},
        control.admin.routes,
    )
    status: int | None = None
    if command:
        with serve.Background(app, loaded.server.host, loaded.server.port) as server:
            status = child(command, server.url).status
    else:
        listener = serve.bind(loaded.server.host, loaded.server.port)
        serve.run(app, listener, lambda: listening("replay", serve.url_of(listener), f"{count} recorded interactions"))
    failed = _told(studio, control, strict=strict)
    if resilience is not None:
        failed = _judged(control, resilience, status) or failed
    return status or int(failed)


def _told(studio: "Studio", control: "Control", *, strict: bool) -> bool:
    """Say what had no recording, and if asked which recordings had no request."""
    from setu.cli.rooms import unanswered

    missed = unanswered(studio.misses)
    unused = control.unused() if strict else []
    for place in unused:
        typer.echo(f"no request asked for the recording at {place}", err=True)
    return missed or bool(unused)


def _judged(control: "Control", report: Path, status: int | None) -> bool:
    import json

    from setu.cassette.verdict import verdict
    from setu.errors import ConfigError

    found = verdict(control.journal, exit_status=status)
    try:
        report.write_text(json.dumps(found.report(), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--resilience: {report} cannot be written: {error.strerror or error}") from None
    typer.echo(found.table(), err=True)
    return not found.ok


def _lines(path: Path | None) -> list[str]:
    """Return the faults of a file.

    Raises:
        ConfigError: it cannot be read, or a line is no fault.
    """
    from setu.cassette.faults import parse_rules
    from setu.errors import ConfigError

    if path is None:
        return []
    try:
        return [rule.text for rule in parse_rules(path.read_text(encoding="utf-8"))]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--faults {path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
