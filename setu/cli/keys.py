"""`setu keys`: the virtual keys of a gateway."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from setu.cli import access

if TYPE_CHECKING:
    from setu.access.keys import Key
    from setu.config.model import Config

app = typer.Typer(
    name="keys",
    help="Make, list, revoke and rotate the keys of a gateway's clients.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_LAST_MOMENT = 253_402_300_800.0
"""The year 10000, which dates cannot say."""
_MOST_USD = 1e9
"""Above it nano-dollars are no 64-bit number."""

ConfigFile = Annotated[Path | None, typer.Option("--config", help="Configuration file [default: setu.toml, then XDG].")]
Store = Annotated[
    str | None,
    typer.Option(
        help="Where keys are kept: a file, or sqlite:///FILE or postgresql://… "
        "[default: auth.key_store, else keys.json in the user's data folder]."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Identifier = Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `setu keys list` shows it.")]


@app.command("create")
def create(
    tenant: Annotated[str, typer.Option(help="The tenant that its requests count for.")] = "",
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    models: Annotated[str, typer.Option(help="Models that it is for: patterns, separated by commas.")] = "",
    providers: Annotated[str, typer.Option(help="Providers that it is for: patterns, separated by commas.")] = "",
    require: Annotated[
        list[str] | None, typer.Option(help="What every target must be: region:eu, tag:gdpr. May be repeated.")
    ] = None,
    expires: Annotated[str | None, typer.Option(help="When it ends: 30d, 12h, 2027-01-31.")] = None,
    rpm: Annotated[int | None, typer.Option(min=1, help="Requests a minute.")] = None,
    tpm: Annotated[int | None, typer.Option(min=1, help="Tokens a minute.")] = None,
    daily_tokens: Annotated[int | None, typer.Option(min=1, help="Tokens a day (UTC).")] = None,
    monthly_tokens: Annotated[int | None, typer.Option(min=1, help="Tokens a month (UTC).")] = None,
    daily_usd: Annotated[float | None, typer.Option(help="US dollars a day (UTC).")] = None,
    monthly_usd: Annotated[float | None, typer.Option(help="US dollars a month (UTC).")] = None,
    admin: Annotated[bool, typer.Option("--admin", help="It also opens the endpoints under /admin.")] = False,
    as_json: Json = False,
    store: Store = None,
    config: ConfigFile = None,
) -> None:
    """Make a key, and print its secret: it is shown now and never again."""
    import time

    found = access.read(config)
    key, secret = access.key_store(found, store).create(
        tenant=tenant,
        name=name,
        models=_listed(models),
        providers=_listed(providers),
        require=_requirements(require or ()),
        expires_at=_moment(expires, time.time()),
        requests_per_minute=rpm,
        tokens_per_minute=tpm,
        daily_tokens=daily_tokens,
        monthly_tokens=monthly_tokens,
        daily_nano_usd=_nano("--daily-usd", daily_usd),
        monthly_nano_usd=_nano("--monthly-usd", monthly_usd),
        admin=admin,
    )
    _record(found, "key_created", key)
    _tell(key, secret, as_json=as_json)


@app.command("list")
def list_(as_json: Json = False, store: Store = None, config: ConfigFile = None) -> None:
    """List the keys, without their secrets, which nobody has."""
    found = access.key_store(access.read(config), store).all()
    if as_json:
        typer.echo(_json([_shown(key) for key in found]))
        return
    rows: list[tuple[str, ...]] = [("ID", "SECRET", "TENANT", "NAME", "STATE", "EXPIRES", "LAST USED", "MODELS")]
    rows += [_row(key) for key in found]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        typer.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


@app.command("revoke")
def revoke(identifier: Identifier, as_json: Json = False, store: Store = None, config: ConfigFile = None) -> None:
    """Let a key let nobody in any more; servers that run know within two seconds."""
    found = access.read(config)
    key = access.key_store(found, store).revoke(identifier)
    _record(found, "key_revoked", key)
    typer.echo(_json(_shown(key)) if as_json else f"{key.id} is revoked")


@app.command("rotate")
def rotate(
    identifier: Identifier,
    grace: Annotated[str, typer.Option(help="How long the old secret still counts: 24h, 0.")] = "24h",
    as_json: Json = False,
    store: Store = None,
    config: ConfigFile = None,
) -> None:
    """Give a key a new secret, and print it: it is shown now and never again."""
    found = access.read(config)
    seconds = _seconds("--grace", grace)
    key, secret = access.key_store(found, store).rotate(identifier, seconds)
    _record(found, "key_rotated", key, grace=seconds)
    _tell(key, secret, as_json=as_json)


def _tell(key: "Key", secret: str, *, as_json: bool) -> None:
    """Print a secret alone on standard output, so that a shell can take it; what it is of, beside it."""
    from setu.cli.rooms import note

    if as_json:
        typer.echo(_json({**_shown(key), "secret": secret}))
        return
    note(f"this is the secret of {key.id}; it is not stored, and not shown again")
    typer.echo(secret)


def _record(found: "Config", event: str, key: "Key", **details: Any) -> None:
    """Write what was done into the audit log; a key that is made or revoked stays so without it."""
    from setu.cli.rooms import note
    from setu.errors import SetuError

    log = access.audit_log(found)
    if log is None:
        return
    try:
        log.append(event, access.operator(), key=key.id, tenant=key.tenant, name=key.name, admin=key.admin, **details)
    except SetuError as error:
        note(f"done, but not in the audit log: {error}")


def _shown(key: "Key") -> dict[str, Any]:
    """Return what anybody may see of a key."""
    import time

    import msgspec

    from setu.access.keys import state

    members = msgspec.structs.asdict(key)
    for name in ("digest", "previous"):
        members.pop(name)
    moments = ("created_at", "expires_at", "revoked_at", "last_used", "previous_until")
    members |= {name: _iso(members[name]) for name in moments}
    for name in ("daily", "monthly"):
        nano = members.pop(f"{name}_nano_usd")
        members[f"{name}_usd"] = None if nano is None else nano / 1e9
    return {**members, "state": state(key, time.time())}


def _row(key: "Key") -> tuple[str, ...]:
    shown = _shown(key)
    days = (_day(shown[name]) for name in ("expires_at", "last_used"))
    models = ",".join(key.models) or "all"
    return (key.id, f"{key.prefix}…", key.tenant or "-", key.name or "-", shown["state"], *days, models)


def _day(moment: str | None) -> str:
    return moment[:16].replace("T", " ") if moment else "never"


def _iso(moment: float | None) -> str | None:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds") if moment else None


def _json(value: Any) -> str:
    import json

    return json.dumps(value, indent=2)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in text.split(",") if entry.strip())


def _requirements(texts: Sequence[str]) -> tuple[str, ...]:
    from setu.errors import ConfigError

    for text in texts:
        kind, _, value = text.partition(":")
        if kind not in {"region", "tag"} or not value:
            raise ConfigError(f"--require {text}: expected region:NAME or tag:NAME")
    return tuple(texts)


def _moment(text: str | None, now: float) -> float | None:
    """Read when a key ends: a date, a moment, or how long from now."""
    from datetime import UTC, datetime

    from setu.errors import ConfigError

    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        moment = found.replace(tzinfo=found.tzinfo or UTC).timestamp()
    except ValueError:
        moment = now + _seconds("--expires", text)
    if not now < moment < _LAST_MOMENT:
        raise ConfigError(f"--expires {text}: that is over already, or never comes")
    return moment


def _seconds(option: str, text: str) -> float:
    from setu.config.units import seconds
    from setu.errors import ConfigError

    try:
        return float(seconds(text))
    except ValueError:
        raise ConfigError(f"{option} {text}: expected a time such as 30d, 12h or 90s") from None


def _nano(option: str, usd: float | None) -> int | None:
    from setu.errors import ConfigError

    if usd is None:
        return None
    if not 0 < usd < _MOST_USD:
        raise ConfigError(f"{option} {usd:g}: expected an amount of money above 0")
    return round(usd * 1e9)
