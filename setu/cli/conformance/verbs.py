"""`setu conformance list | explain | prove | diff | rejudge`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from setu.conformance.prove import Verdict

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]


def listing(
    area: Annotated[str | None, typer.Option(help="Only this area, such as TOOL.")] = None,
    level: Annotated[str | None, typer.Option(help="Only this level: MUST, SHOULD or MAY.")] = None,
    profile: Annotated[str | None, typer.Option(help="Only this profile, such as core.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the checks of the catalogue."""
    from setu.cli.conformance.run import orderly
    from setu.conformance.explain import listing, listing_json

    def main() -> int:
        _tell(listing_json(area, level, profile) if as_json else listing(area, level, profile))
        return 0

    raise typer.Exit(orderly(main))


def explain(
    check: Annotated[str, typer.Argument(help="The id of a check, such as CHAT-003.")], as_json: AsJson = False
) -> None:
    """Explain a check: what it demands, why, on what ground, what breaks it, how to fix it."""
    from setu.cli.conformance.run import orderly
    from setu.conformance.explain import explain, explain_json

    def main() -> int:
        _tell(explain_json(check) if as_json else explain(check))
        return 0

    raise typer.Exit(orderly(main))


def prove(
    only: Annotated[list[str] | None, typer.Argument(help="Only mutants of these checks, or of these names.")] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes; 0 takes two for each core: half of the time is waiting.")] = 0,
    markdown: Annotated[Path | None, typer.Option(help="Write the kill matrix here, as Markdown.")] = None,
) -> None:
    """Prove the suite: the reference passes all of it, and each mutant is caught by its check."""
    import os

    from setu.cli.conformance.run import orderly
    from setu.conformance import prove as proof
    from setu.conformance.report import kills

    def main() -> int:
        mutants = proof.chosen(only or [])
        verdicts = []
        for verdict in proof.prove(mutants, workers or 2 * (os.cpu_count() or 1)):
            typer.echo(kills.line(verdict))
            verdicts.append(verdict)
        missing = () if only else proof.unproved()
        typer.echo(kills.summary(verdicts, missing))
        if markdown is not None:
            markdown.write_text(kills.page(mutants, verdicts), encoding="utf-8")
        return int(bool(missing) or not all(map(_holds, verdicts)))

    raise typer.Exit(orderly(main))


def _holds(verdict: "Verdict") -> bool:
    return verdict.good if verdict.check else not verdict.failed


def diff(
    before: Annotated[Path, typer.Argument(help="A report written with --report json=FILE.")],
    after: Annotated[Path, typer.Argument(help="A later one.")],
    as_json: AsJson = False,
) -> None:
    """Say what changed between two reports; exit status 1 if something got worse."""
    from setu.cli.conformance.run import orderly
    from setu.conformance.report import compare

    def main() -> int:
        found = compare.diff(before, after)
        _tell(compare.document(found) if as_json else compare.text(found))
        return int(found.exit_code)

    raise typer.Exit(orderly(main))


def rejudge(
    folder: Annotated[Path, typer.Argument(help="A folder written with --save.")],
    report: Annotated[list[str] | None, typer.Option(help="Write a report: KIND=FILE. Repeatable.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Failed SHOULD checks fail the run, too.")] = False,
) -> None:
    """Judge the exchanges of an earlier run again, with this version's catalogue. Nobody is asked anything."""
    from setu.cli.conformance.run import finish, orderly
    from setu.conformance import rejudge as again

    raise typer.Exit(orderly(lambda: finish([again.run(folder)], report or [], strict=strict)))


def _tell(what: object) -> None:
    import json

    typer.echo(what if isinstance(what, str) else json.dumps(what, indent=2, ensure_ascii=False))
