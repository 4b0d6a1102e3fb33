"""`setu conformance`: the ways to run the suite."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from setu.conformance.results import Run

EXAMPLES = (
    "Requests that the fuzz stage generates, of each kind. A law gets an eighth of it for the provider's own dialect"
    " and a twentieth for each other client's: a sample. `python -m setu.conformance.laws --profile ci` proves them."
)


def conformance(  # noqa: PLR0913 - one parameter for each option
    ctx: typer.Context,
    provider: Annotated[
        str | None,
        typer.Option("--provider", "-p", help="A provider's name, an import string, or 'all' built-in ones [default]."),
    ] = None,
    gateway: Annotated[
        str | None, typer.Option(help="A gateway's URL, or a recipe: litellm, portkey, mlflow, setu, a .toml file.")
    ] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="Any live server's URL.")] = None,
    cassette: Annotated[list[Path] | None, typer.Option(help="Recorded traffic: cassettes.")] = None,
    har: Annotated[list[Path] | None, typer.Option(help="Recorded traffic: an HTTP archive.")] = None,
    corpus: Annotated[list[Path] | None, typer.Option(help="Recorded traffic: JSON lines, gzipped or not.")] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", help="The model to ask; of a gateway openai=NAME,anthropic=NAME,gemini=NAME."),
    ] = None,
    embedding: Annotated[str | None, typer.Option(help="The model that embeds.")] = None,
    upstream_port: Annotated[int, typer.Option(min=0, max=65535, help="Where a gateway finds its upstreams.")] = 9009,
    header: Annotated[list[str] | None, typer.Option(help="A header of every request: NAME=VALUE. Repeatable.")] = None,
    api_key_env: Annotated[str | None, typer.Option(help="The variable that holds the key.")] = None,
    caps: Annotated[Path | None, typer.Option(help="What the target declares to have: a TOML file.")] = None,
    select: Annotated[list[str] | None, typer.Option(help="Areas and checks to run: TOOL,-TOOL-019.")] = None,
    profile: Annotated[str | None, typer.Option(help="Only checks of a profile: core, tools, agent, …")] = None,
    expected_failures: Annotated[Path | None, typer.Option(help="Checks that are known to fail: a YAML file.")] = None,
    budget_usd: Annotated[float | None, typer.Option(min=0, help="Stop a live run at this cost, estimated.")] = None,
    max_requests: Annotated[int | None, typer.Option(min=1, help="Stop a live run after so many requests.")] = None,
    tries: Annotated[
        int, typer.Option(min=1, help="How often to ask a live model that does not do as it is told.")
    ] = 3,
    save: Annotated[Path | None, typer.Option(help="Keep the exchanges of a live or two-sided run here.")] = None,
    cassettes: Annotated[
        Path | None, typer.Option(help="With --provider: judge these recordings instead of the bundled ones.")
    ] = None,
    report: Annotated[
        list[str] | None, typer.Option(help="Write a report: json, junit, markdown, html or badge=FILE. Repeatable.")
    ] = None,
    previous: Annotated[Path | None, typer.Option(help="An earlier JSON report, for what changed since.")] = None,
    clients: Annotated[bool, typer.Option("--clients", help="Say for which clients the target is safe.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Failed SHOULD checks fail the run, too.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the generated examples.")] = 0,
    max_examples: Annotated[int, typer.Option(min=1, help=EXAMPLES)] = 40,
    fuzz: Annotated[bool, typer.Option("--fuzz/--no-fuzz", help="Fuzz an adapter or a gateway over a socket.")] = True,
    live_fuzz: Annotated[
        bool, typer.Option("--live-fuzz", help="Fuzz a live server, too: some hundred requests, in no budget.")
    ] = False,
) -> None:
    """Judge an adapter, offline (--provider); any gateway, from both sides (--gateway); any server (--base-url); or
    traffic that was recorded (--cassette, --har, --corpus)."""
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
