"""The reference of commands says what the commands are."""

import re

import pytest
from typer.testing import CliRunner

from setu.cli.main import app
from tests.docs.cli import PAGE, Command, commands, page


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.docs.cli"


@pytest.mark.parametrize("command", list(commands()), ids=lambda command: command.name)
def test_a_commands_own_help_knows_every_option_of_the_page(command: Command) -> None:
    """The page reads signatures; what typer makes of them is what a user meets."""
    answer = CliRunner().invoke(app, [*command.name.split()[1:], "--help"], terminal_width=200)
    names = [name for option in command.options for name in re.split(r"[, /]+", option.written) if name[:1] == "-"]
    listed = answer.output.partition("Options:")[2]

    assert answer.exit_code == 0
    assert [name for name in names if name not in listed] == []
    assert listed.count("\n  -") == len(command.options) + 1, "--help is not on the page"
