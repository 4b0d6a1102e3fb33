"""`setu conformance`: the ways to run the suite."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from setu.cli.conformance import options

if TYPE_CHECKING:
    from setu.conformance.results import Run


def conformance(
    ctx: typer.Context,
    provider: options.Provider = None,
    gateway: options.Gateway = None,
    base_url: options.BaseUrl = None,
    cassette: options.Cassette = None,
    har: options.Har = None,
    corpus: options.Corpus = None,
    model: options.Model = None,
    embedding: options.Embedding = None,
    upstream_port: options.UpstreamPort = 9009,
    header: options.Header = None,
    api_key_env: options.ApiKeyEnv = None,
    caps: options.Caps = None,
    select: options.Select = None,
    profile: options.Profile = None,
    expected_failures: options.ExpectedFailures = None,
    budget_usd: options.BudgetUsd = None,
    max_requests: options.MaxRequests = None,
    tries: options.Tries = 3,
    save: options.Save = None,
    cassettes: options.Cassettes = None,
    report: options.Report = None,
    previous: options.Previous = None,
    clients: options.Clients = False,
    strict: options.Strict = False,
    seed: options.Seed = 0,
    max_examples: options.MaxExamples = 40,
    fuzz: options.Fuzz = True,
    live_fuzz: options.LiveFuzz = False,
) -> None:
    """Judge an adapter, offline (--provider); any gateway, from both sides (--gateway); any server (--base-url); or
    traffic that was recorded (--cassette, --har, --corpus).
    """
    if ctx.invoked_subcommand is not None:
        return
    raise typer.Exit(orderly(lambda: _main(ctx)))


def _main(ctx: typer.Context) -> int:
    from setu.cli.conformance.ways import Asked, runs_of
    from setu.cli.rooms import parse_reports

    asked = Asked(**ctx.params)
    parse_reports(asked.report)  # what cannot be written is said before anything runs
    return finish(runs_of(asked), asked.report, strict=asked.strict, clients=asked.clients, previous=asked.previous)


def orderly(main: Callable[[], int]) -> int:
    """Run a command whose exit status is a verdict: its own mistakes have numbers of the same scale."""
    from setu.conformance.results import Exit
    from setu.errors import AbsentError, CassetteError, ConfigError

    try:
        return main()
    except (AbsentError, CassetteError, ConfigError) as error:
        typer.echo(f"setu: error: {error}", err=True)
        return int(Exit.USAGE if isinstance(error, ConfigError) else Exit.UNREACHABLE)


def finish(
    runs: Iterable["Run"],
    report: Sequence[str],
    *,
    strict: bool = False,
    clients: bool = False,
    previous: Path | None = None,
) -> int:
    """Show runs as they come, write the reports, and return the exit status of them all."""
    import os
    import sys

    from setu.cli.conformance.ways import code_of
    from setu.cli.rooms import parse_reports
    from setu.conformance import clients as table
    from setu.conformance.report import json_, registry, summary, terminal
    from setu.conformance.results import Exit

    reports = parse_reports(list(report))
    before = json_.read(previous) if previous is not None else ()
    done: list[Run] = []
    codes: list[Exit] = []
    for run in terminal.watched(runs, sys.stderr):
        terminal.show(run, sys.stdout)
        if clients:
            typer.echo(table.render(table.verdict(run)))
        done.append(run)
        codes.append(code_of(run, strict=strict))
    for kind, paths in reports.items():
        for path in paths:
            registry.write(kind, path, done, previous=before)
    summary.append(done, os.environ)
    if not codes:
        return int(Exit.NOTHING)
    # A failed check outranks a stale expectation; anything else by its number.
    return int(Exit.FAILED if Exit.FAILED in codes else max(codes))
