"""docs/reference/cli.md from the commands themselves; `python -m tests.docs.cli` writes it anew.

Signatures are read, not click's objects: those change between the versions of typer that may be installed.
"""

import inspect
import types
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from setu.cli.main import app
from tests.docs.blocks import ROOT

PAGE = ROOT / "docs" / "reference" / "cli.md"

_HEAD = """# Commands

Every command and option, generated from the code by `python -m tests.docs.cli`; a test keeps it true. `setu COMMAND --help` says the same.

`setu --version` (`-V`) prints the version, `--help` (`-h`) the help of any command. What a command says goes to standard output, notes and errors to standard error; `--json` gives one JSON document. `bundled`, where there is no such directory, stands for the recordings that come with Setu.

| exit status | means |
|---|---|
| 0 | all is well |
| 1 | there are findings: misses, unused recordings with `--strict-unused`, a failed verdict, drift, differences, secrets |
| 2 | the command was not written as it must be |
| 66 | a cassette is not there, or cannot be read |
| 70 | a defect of Setu; `SETU_DEBUG=1` shows where |
| 78 | options that do not go together, or a setting that cannot be used |
| 130 | interrupted |

`setu record -- COMMAND` and `setu replay -- COMMAND` end as the command does, with 127 where it is missing, 126 where it cannot be run, and 128 and the signal's number where a signal killed it; a command that ends with 0 leaves the word to Setu's own status.

`setu conformance` has a scale of its own: 0 every MUST holds, 1 one does not, 2 a wrong option, 3 recordings that are not there, 4 a listed deviation that is none any more, 5 too little was judged.
"""

_VALUES: dict[type, str] = {Path: "PATH", str: "TEXT", int: "N", float: "NUMBER"}


class Parameter(NamedTuple):
    """An option or an argument as a row: how it is written, what it means, and its default."""

    written: str
    meaning: str
    default: str


class Command(NamedTuple):
    """A command by its full name: what it does, its arguments, its options."""

    name: str
    does: str
    arguments: tuple[Parameter, ...]
    options: tuple[Parameter, ...]


def commands(group: typer.Typer = app, name: str = "setu") -> Iterator[Command]:
    """Yield every command of the app in the order in which the help lists them."""
    for each in group.registered_commands:
        assert each.callback is not None
        assert each.name is not None
        yield _command(f"{name} {each.name}", each.callback)
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        own = inner.typer_instance.registered_callback
        if own is not None and own.callback is not None and inner.typer_instance.info.invoke_without_command is True:
            yield _command(f"{name} {inner.typer_instance.info.name}", own.callback)
        yield from commands(inner.typer_instance, f"{name} {inner.typer_instance.info.name}")


def page() -> str:
    """Return the page."""
    return _HEAD + "".join(_section(command) for command in commands())


def _command(name: str, function: Callable[..., Any]) -> Command:
    hints = get_type_hints(function, include_extras=True)
    arguments: list[Parameter] = []
    options: list[Parameter] = []
    for parameter in inspect.signature(function).parameters.values():
        if get_origin(hints[parameter.name]) is not Annotated:
            continue  # the context
        kind, info, *_ = get_args(hints[parameter.name])
        values, many = _values(kind)
        row = _row(parameter, info, values, many=many)
        (arguments if isinstance(info, ArgumentInfo) else options).append(row)
    return Command(name, inspect.getdoc(function) or "", tuple(arguments), tuple(options))


def _row(parameter: inspect.Parameter, info: ArgumentInfo | OptionInfo, values: Any, *, many: bool) -> Parameter:
    choices = isinstance(values, type) and issubclass(values, Enum)
    meaning = info.help or ""
    if choices:
        meaning += " One of " + ", ".join(f"`{value.value}`" for value in values) + "."
    if many and isinstance(info, OptionInfo) and "epeat" not in meaning:
        meaning += " May be repeated."
    default = parameter.default
    silent = any(default is nothing for nothing in (None, False, inspect.Parameter.empty))
    said = "" if silent or "[default:" in meaning else _text(default)
    if isinstance(info, ArgumentInfo):
        name = (info.metavar or parameter.name).upper() + ("…" if many else "")
        return Parameter(name if default is inspect.Parameter.empty else f"[{name}]", meaning, said)
    value = info.metavar or ("VALUE" if choices else _VALUES.get(values, ""))
    return Parameter(", ".join(_names(parameter.name, info)) + (f" {value}" if value else ""), meaning, said)


def _names(name: str, info: OptionInfo) -> list[str]:
    """Return an option's names, the short one first; within `Annotated` typer keeps the first of them as the default."""
    first = [info.default] if isinstance(info.default, str) else []
    return sorted([*first, *(info.param_decls or ())], key=len) or ["--" + name.replace("_", "-")]


def _values(kind: Any) -> tuple[Any, bool]:
    """Return the type of one value, and whether there may be several."""
    if get_origin(kind) in (Union, types.UnionType):
        [kind] = [each for each in get_args(kind) if each is not type(None)]
    return (get_args(kind)[0], True) if get_origin(kind) is list else (kind, False)


def _text(value: Any) -> str:
    if value is True:
        return "on"
    return str(value.value if isinstance(value, Enum) else value)


def _section(command: Command) -> str:
    usage = " ".join([command.name, *(["[OPTIONS]"] if command.options else []), *_written(command.arguments)])
    lines = ["", f"## {command.name}", "", f"`{usage}`", "", _escaped(command.does)]
    rows = (*command.arguments, *command.options)
    if rows:
        lines += ["", "| | | default |", "|---|---|---|"]
        lines += [
            f"| `{row.written}` | {_escaped(row.meaning)} | {row.default and f'`{row.default}`'} |" for row in rows
        ]
    return "\n".join(lines) + "\n"


def _written(arguments: tuple[Parameter, ...]) -> list[str]:
    return [argument.written for argument in arguments]


def _escaped(text: str) -> str:
    return text.replace("<", "\\<").replace("*", "\\*").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
