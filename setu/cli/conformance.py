"""`setu conformance`: prove that an adapter obeys the contract, offline."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from setu.conformance.results import Exit
    from setu.conformance.runner import Settings


EXAMPLES = (
    "Requests that the fuzz stage generates, of each kind. A law gets an eighth of it for the provider's own dialect"
    " and a twentieth for each other client's: a sample. `python -m setu.conformance.laws --profile ci` proves them."
)


def conformance(
    provider: Annotated[
        str, typer.Option("--provider", "-p", help="A provider's name, an import string, or 'all' built-in ones.")
    ] = "all",
    cassettes: Annotated[Path | None, typer.Option(help="Judge these recordings instead of the bundled ones.")] = None,
    report: Annotated[list[str] | None, typer.Option(help="Write a report: junit=FILE. Repeatable.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Failed SHOULD checks fail the run, too.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the generated examples.")] = 0,
    max_examples: Annotated[int, typer.Option(min=1, help=EXAMPLES)] = 40,
    fuzz: Annotated[bool, typer.Option("--fuzz/--no-fuzz", help="Fuzz the chat endpoint over a socket.")] = True,
) -> None:
    """Judge every adapter against the OpenAI contract: recordings, scenarios, laws and fuzzing. No key, no network."""
    from setu.conformance.results import Exit
    from setu.conformance.runner import Settings
    from setu.errors import CassetteError, ConfigError

    settings = Settings(cassettes=cassettes, seed=seed, max_examples=max_examples, fuzz=fuzz)
    try:
        code = _judged(provider, settings, report or [], strict=strict)
    except (CassetteError, ConfigError) as error:
        # The exit status is this command's verdict, so its own mistakes have numbers of the same scale.
        typer.echo(f"setu: error: {error}", err=True)
        code = Exit.UNREACHABLE if isinstance(error, CassetteError) else Exit.USAGE
    raise typer.Exit(code)


def _judged(provider: str, settings: "Settings", report: list[str], *, strict: bool) -> "Exit":
    from setu.cli.rooms import parse_reports
    from setu.conformance.report.junit import render as junit
    from setu.conformance.report.table import render as table
    from setu.conformance.results import Exit
    from setu.conformance.runner import each_once, minimum, names_of, run

    reports = parse_reports(report)
    runs = []
    codes = []
    for name, own in each_once(names_of(provider), settings):
        result = run(name, own)
        typer.echo(table(result))
        runs.append(result)
        codes.append(result.exit_code(strict=strict))
        least = minimum(name) if settings.cassettes is None and settings.fuzz else 1
        if codes[-1] is Exit.OK and result.counts().run < least:
            typer.echo(f"{name}: only {result.counts().run} checks ran, {least} should have", err=True)
            codes[-1] = Exit.NOTHING
    for path in reports.get("junit", ()):
        path.write_text(junit(runs), encoding="utf-8")
    # A failed check outranks a stale expectation; anything else by its number.
    return Exit.FAILED if Exit.FAILED in codes else max(codes)
