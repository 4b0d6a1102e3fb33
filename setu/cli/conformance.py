"""`setu conformance`: prove that an adapter obeys the contract, offline."""

from pathlib import Path
from typing import Annotated

import typer


def conformance(
    provider: Annotated[
        str, typer.Option("--provider", "-p", help="A provider's name, an import string, or 'all' built-in ones.")
    ] = "all",
    cassettes: Annotated[Path | None, typer.Option(help="Judge these recordings instead of the bundled ones.")] = None,
    report: Annotated[list[str] | None, typer.Option(help="Write a report: junit=FILE. Repeatable.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Failed SHOULD checks fail the run, too.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the generated examples.")] = 0,
    max_examples: Annotated[int, typer.Option(min=1, help="Generated examples per law.")] = 40,
    fuzz: Annotated[bool, typer.Option("--fuzz/--no-fuzz", help="Fuzz the chat endpoint over a socket.")] = True,
) -> None:
    """Judge every adapter against the OpenAI contract: recordings, scenarios, laws and fuzzing. No key, no network."""
    from setu.cli.rooms import parse_reports
    from setu.conformance.report.junit import render as junit
    from setu.conformance.report.table import render as table
    from setu.conformance.results import Exit
    from setu.conformance.runner import Settings, minimum, names_of, run

    reports = parse_reports(report or [])
    runs = []
    codes = []
    settings = Settings(cassettes=cassettes, seed=seed, max_examples=max_examples, fuzz=fuzz)
    for name in names_of(provider):
        result = run(name, settings)
        typer.echo(table(result))
        runs.append(result)
        codes.append(result.exit_code(strict=strict))
        least = minimum(name) if cassettes is None and fuzz else 1
        if codes[-1] is Exit.OK and result.counts().run < least:
            typer.echo(f"{name}: only {result.counts().run} checks ran, {least} should have", err=True)
            codes[-1] = Exit.NOTHING
    for path in reports.get("junit", ()):
        path.write_text(junit(runs), encoding="utf-8")
    # A failed check outranks a stale expectation; anything else by its number.
    raise typer.Exit(Exit.FAILED if Exit.FAILED in codes else max(codes))
