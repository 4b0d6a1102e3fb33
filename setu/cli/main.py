"""The command line. Only typer is imported here: `setu --help` must answer at once."""

import os
import sys
from typing import Annotated, NoReturn

import typer

from setu import __version__
from setu.cli import audit, keys, record, replay, start, usage, verify
from setu.cli.cassettes import app as cassettes
from setu.cli.conformance.app import app as conformance

app = typer.Typer(
    name="setu",
    help="Record, replay and prove LLM APIs; and a gateway in front of them.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("start")(start.start)
app.command("record", context_settings={"allow_interspersed_args": False})(record.record)
app.command("replay")(replay.replay)
app.command("verify")(verify.verify)
app.add_typer(conformance)
app.add_typer(cassettes.app)
app.add_typer(keys.app)
app.add_typer(audit.app)
app.add_typer(usage.app)

INTERNAL = 70
INTERRUPTED = 130


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"setu {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", "-V", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Record, replay and prove LLM APIs; and a gateway in front of them."""


def main() -> NoReturn:
    """Run a command; every failure is one sentence and an exit code, never a traceback."""
    from setu.errors import CassetteError, ConfigError, SetuError

    arguments, command = _split(sys.argv[1:])
    try:
        app(arguments, prog_name="setu", obj=command)
    except ConfigError as error:
        _fail(str(error), 78)
    except CassetteError as error:
        _fail(str(error), 66)
    except SetuError as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if os.environ.get("SETU_DEBUG"):
            raise
        _fail(f"internal error: {type(error).__name__}: {error} (SETU_DEBUG=1 shows where)", INTERNAL)
    sys.exit(0)


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Take the command that follows `--` off the arguments of `replay`, which has a list of its own before it."""
    if arguments[:1] != ["replay"] or "--" not in arguments:
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def _fail(message: str, code: int) -> NoReturn:
    print(f"setu: error: {message}", file=sys.stderr)
    sys.exit(code)
