"""The options of `setu conformance`, one name for each."""

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = (
    "Requests that the fuzz stage generates, of each kind. A law gets an eighth of it for the provider's own dialect"
    " and a twentieth for each other client's: a sample. `python -m setu.conformance.laws --profile ci` proves them."
)

Provider = Annotated[
    str | None,
    typer.Option("--provider", "-p", help="A provider's name, an import string, or 'all' built-in ones [default]."),
]
Gateway = Annotated[
    str | None, typer.Option(help="A gateway's URL, or a recipe: litellm, portkey, mlflow, setu, a .toml file.")
]
BaseUrl = Annotated[str | None, typer.Option("--base-url", help="Any live server's URL.")]
Cassette = Annotated[list[Path] | None, typer.Option(help="Recorded traffic: cassettes.")]
Har = Annotated[list[Path] | None, typer.Option(help="Recorded traffic: an HTTP archive.")]
Corpus = Annotated[list[Path] | None, typer.Option(help="Recorded traffic: JSON lines, gzipped or not.")]
Model = Annotated[
    list[str] | None,
    typer.Option("--model", "-m", help="The model to ask; of a gateway openai=NAME,anthropic=NAME,gemini=NAME."),
]
Embedding = Annotated[str | None, typer.Option(help="The model that embeds.")]
UpstreamPort = Annotated[int, typer.Option(min=0, max=65535, help="Where a gateway finds its upstreams.")]
Header = Annotated[list[str] | None, typer.Option(help="A header of every request: NAME=VALUE. Repeatable.")]
ApiKeyEnv = Annotated[str | None, typer.Option(help="The variable that holds the key.")]
Caps = Annotated[Path | None, typer.Option(help="What the target declares to have: a TOML file.")]
Select = Annotated[list[str] | None, typer.Option(help="Areas and checks to run: TOOL,-TOOL-019.")]
Profile = Annotated[str | None, typer.Option(help="Only checks of a profile: core, tools, agent, …")]
ExpectedFailures = Annotated[Path | None, typer.Option(help="Checks that are known to fail: a YAML file.")]
BudgetUsd = Annotated[float | None, typer.Option(min=0, help="Stop a live run at this cost, estimated.")]
MaxRequests = Annotated[int | None, typer.Option(min=1, help="Stop a live run after so many requests.")]
Tries = Annotated[int, typer.Option(min=1, help="How often to ask a live model that does not do as it is told.")]
Save = Annotated[Path | None, typer.Option(help="Keep the exchanges of a live or two-sided run here.")]
Cassettes = Annotated[
    Path | None, typer.Option(help="With --provider: judge these recordings instead of the bundled ones.")
]
Report = Annotated[
    list[str] | None, typer.Option(help="Write a report: json, junit, markdown, html or badge=FILE. Repeatable.")
]
Previous = Annotated[Path | None, typer.Option(help="An earlier JSON report, for what changed since.")]
Clients = Annotated[bool, typer.Option("--clients", help="Say for which clients the target is safe.")]
Strict = Annotated[bool, typer.Option("--strict", help="Failed SHOULD checks fail the run, too.")]
Seed = Annotated[int, typer.Option(help="Seed of the generated examples.")]
MaxExamples = Annotated[int, typer.Option(min=1, help=EXAMPLES)]
Fuzz = Annotated[bool, typer.Option("--fuzz/--no-fuzz", help="Fuzz an adapter or a gateway over a socket.")]
LiveFuzz = Annotated[
    bool, typer.Option("--live-fuzz", help="Fuzz a live server, too: some hundred requests, in no budget.")
]
