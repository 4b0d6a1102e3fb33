"""The options that say what else is a secret; recording and replay take the same, so that their requests match."""

from typing import Annotated

import typer

Headers = Annotated[
    list[str] | None, typer.Option("--redact-header", help="Take this header out, too.", metavar="NAME")
]
Pointers = Annotated[
    list[str] | None,
    typer.Option("--redact-pointer", help="Take this member out of bodies, too: /a/*/b.", metavar="POINTER"),
]
Patterns = Annotated[
    list[str] | None,
    typer.Option(
        "--redact-pattern",
        help="Take out what this regular expression matches (or its group `secret`).",
        metavar="REGEX",
    ),
]
