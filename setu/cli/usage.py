"""`setu usage`: what was asked, by whom, and what it cost."""

import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from setu.store.reports import Totals

app = typer.Typer(
    name="usage",
    help="What was asked, by whom, and what it cost.",
    invoke_without_command=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class By(Enum):
    """What the rows of a report are about."""

    TENANT = "tenant"
    MODEL = "model"
    PROVIDER = "provider"
    DAY = "day"
    KEY = "key"


class Format(Enum):
    """How an export is written."""

    CSV = "csv"
    JSONL = "jsonl"


Database = Annotated[
    str | None, typer.Option("--database", metavar="URL", help="The database, instead of the configured one.")
]
ConfigFile = Annotated[Path | None, typer.Option("--config", "-c", help="Configuration file, as of `setu start`.")]


@app.callback()
def usage(
    context: typer.Context,
    by: Annotated[By, typer.Option("--by", help="What a row is about.")] = By.MODEL,
    since: Annotated[
        str | None, typer.Option("--since", metavar="WHEN", help="From then on: 2026-11-01, a full time, or 7d.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="WHEN", help="Before then; a day counts to its end.")
    ] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="Of this tenant only.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    database: Database = None,
    config: ConfigFile = None,
) -> None:
    """Show requests, failures, tokens, cost and times, summed up by model, tenant, provider, key or day (UTC)."""
    if context.invoked_subcommand is not None:
        return
    from datetime import UTC, datetime

    from setu.errors import ConfigError
    from setu.store.reports import Totals, csv_lines, query_of, totals, usage_report

    if as_csv and as_json:
        raise ConfigError("--csv and --json do not go together")
    given = {"by": by.value, "since": since, "until": until, "tenant": tenant}
    said = {name: value for name, value in given.items() if value is not None}
    url = _url(database, config)
    if as_json:
        import json

        print(json.dumps(usage_report(url, said), indent=2, ensure_ascii=False))
        return
    rows, total = totals(url, query_of(said, datetime.now(UTC)))
    if as_csv:
        sys.stdout.writelines(csv_lines(rows, Totals))
        return
    _table(by.value, [*rows, total])


@app.command("export")
def export(
    tenant: Annotated[str, typer.Option("--tenant", help="Whose usage.")],
    period: Annotated[str, typer.Option("--period", metavar="MONTH", help="The month, such as 2026-11 (UTC).")],
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.CSV,
    database: Database = None,
    config: ConfigFile = None,
) -> None:
    """Print a bill: what a tenant used of each model in a month; the ids are the same whenever it is asked for."""
    import msgspec

    from setu.store.reports import BillLine, bill, csv_lines

    lines = bill(_url(database, config), tenant, period)
    if form is Format.CSV:
        sys.stdout.writelines(csv_lines(lines, BillLine))
        return
    sys.stdout.writelines(msgspec.json.encode(line).decode() + "\n" for line in lines)


def _url(database: str | None, config: Path | None) -> str:
    import os

    from setu.config.load import find, load
    from setu.config.usage import LEGACY_PROFILE, database_url, normal_url
    from setu.errors import ConfigError

    if database is None:
        settings = load(find(config, os.environ), os.environ, offline=True)
        return database_url(settings.usage, os.environ, legacy=settings.profile == LEGACY_PROFILE)
    try:
        return normal_url(database)
    except ValueError as error:
        raise ConfigError(f"--database: {error}") from None


_COLUMNS = (
    ("requests", "requests"),
    ("failures", "failures"),
    ("input_tokens", "input"),
    ("cached_tokens", "cached"),
    ("output_tokens", "output"),
    ("cost_usd", "USD"),
    ("unpriced", "unpriced"),
    ("latency_ms", "ms"),
    ("ttfb_ms", "first byte"),
)


def _table(by: str, rows: "list[Totals]") -> None:
    from setu.cli.cassettes.rooms import table

    heads = [head for _, head in _COLUMNS]
    cells = [(row.group or "-", *(_figure(getattr(row, name)) for name, _ in _COLUMNS)) for row in rows]
    table([by, *heads], cells, right=frozenset(heads))


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.6f}" if isinstance(value, float) else str(value)
