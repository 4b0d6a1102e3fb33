"""The report as somebody at a terminal sees it."""

import io
import re
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from setu.conformance.catalogue import load
from setu.conformance.report import table, terminal
from setu.conformance.results import Observation, Run, collect
from tests.conformance.report.samples import everything, runs, seen

_COLOURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b]*\x1b\\")


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(run: Run, *, colours: bool = False) -> str:
    stream = io.StringIO()
    system: Literal["truecolor"] | None = "truecolor" if colours else None
    terminal.draw(run, Console(file=stream, force_terminal=True, width=100, color_system=system, highlight=False))
    return stream.getvalue()


def test_it_shows_areas_verdicts_evidence_basis_and_how_to_repeat() -> None:
    text = _COLOURS.sub("", drawn(everything()))

    assert re.search(r"STR +5 +2 +1 +2 +0 +0", text)
    assert "compat (MUST): fail" in text
    assert "STR-003 FAIL (MUST): all chunks have one id" in text
    assert "at     scenario tool-call" in text
    assert "repeat curl -sN http://x/v1" in text
    assert "B-STR-04" in text
    assert "expected to fail (was a bug), but passes" in text
    assert re.search(r"inconclusive +CHAT-014  k = 3", text)
    assert re.search(r"stale +STR-002  expected to fail until 2026-01-31", text)
    assert "no live model was asked" in text


def test_a_status_has_a_colour_and_its_word() -> None:
    assert "\x1b[1;31mSTR-003 FAIL\x1b[0m" in drawn(everything(), colours=True)


def test_an_issue_is_a_link() -> None:
    run = collect("x", load(), [seen("TOOL-002", broken=True)])

    assert "https://github.com/ggml-org/llama.cpp/issues/20198" in drawn(run, colours=True)


def test_a_command_is_one_line_to_be_copied() -> None:
    command = f"curl {'x' * 300}"
    run = collect("x", load(), [Observation(check="STR-003", place="p", error="e", repro=command)])

    assert f"{command}\n" in drawn(run)


def test_where_nobody_looks_it_is_the_plain_table() -> None:
    stream = io.StringIO()

    terminal.show(everything(), stream)

    assert stream.getvalue() == table.render(everything()) + "\n"


def test_on_a_terminal_it_is_drawn() -> None:
    screen = Screen()

    terminal.show(everything(), screen)

    assert screen.getvalue() != table.render(everything()) + "\n"
    assert "STR-003 FAIL" in screen.getvalue()


@given(st.text() | st.just("\x1b]0;evil\x07\x9b31m\r"))
@settings(max_examples=40, deadline=None)
def test_what_a_server_sent_cannot_steer_the_terminal(text: str) -> None:
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", drawn(everything(evil=text)))


@given(runs())
@settings(max_examples=30, deadline=None)
def test_any_run_can_be_drawn(run: Run) -> None:
    assert "compat (MUST)" in drawn(run)


def test_what_is_under_way_is_shown_on_a_terminal_alone() -> None:
    screen, pipe = Screen(), io.StringIO()

    for stream in (screen, pipe):
        with terminal.working("judging gemini", stream) as tell:
            tell("judging openai")

    assert "judging" in screen.getvalue()
    assert pipe.getvalue() == ""


def test_runs_are_watched_while_they_are_under_way() -> None:
    screen, pipe = Screen(), io.StringIO()
    runs_of = [everything("a"), everything("b")]

    assert list(terminal.watched(runs_of, screen)) == runs_of
    assert list(terminal.watched(iter(runs_of), pipe)) == runs_of
    assert "judging target 2" in screen.getvalue()
    assert pipe.getvalue() == ""
