"""The Markdown report, and that no evidence gets out of its block."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from setu.conformance.catalogue import load
from setu.conformance.report import markdown
from setu.conformance.results import Run, collect
from tests.conformance.report.samples import EVIL, everything, runs, seen


def test_verdicts_and_numbers_stand_in_a_table() -> None:
    text = markdown.render([everything()])

    assert text.startswith("# Conformance 2026.")
    assert "| gemini | **fail** | **fail** | 7 | 3 | 2 | 2 | 1 | 1 |" in text


def test_the_matrix_has_a_column_for_each_target() -> None:
    other = collect("other", load(), [seen("STR-003")])

    text = markdown.render([everything(), other])

    assert "| check | level | what | gemini | other |" in text
    assert "| STR-003 | MUST | all chunks have one id | **fail** | pass |" in text
    assert "| CHAT-002 | MUST | object is chat.completion | **error** |  |" in text


def test_a_failure_has_its_evidence_its_basis_and_how_to_repeat_it() -> None:
    text = markdown.render([everything()])

    part = text[text.index("### STR-003 fail: all chunks have one id") :]
    assert "<details><summary>Evidence: 1 of 1 exchanges</summary>" in part
    assert "at scenario tool-call\n  the id changes at $.id, got " in part
    assert "(event 2, bytes 10-20)\n  repeat: curl -sN http://x/v1" in part
    assert "`openai:#/components/schemas/CreateChatCompletionStreamResponse/properties/id`" in part
    assert "### STR-002 xfail" in part or "### STR-002 xfail" in text
    assert "Reason: upstream bug; https://example.org/42" in text


def test_what_changed_is_told_when_there_was_a_run_before() -> None:
    before = collect("gemini", load(), [seen("STR-003")])

    assert "- gemini: newly failing STR-003 (pass → fail): all chunks have one id" in markdown.render(
        [everything()], [before]
    )
    assert "Nothing changed." in markdown.render([before], [before])
    assert "Since" not in markdown.render([before])


def test_what_is_left_open_and_what_is_stale_is_said() -> None:
    text = markdown.render([everything()])

    assert "## What gemini leaves open" in text
    assert "- STR-002: expected to fail until 2026-01-31, which is past" in text
    assert "- inconclusive CHAT-014: k = 3" in text


@given(st.text() | st.just(EVIL) | st.from_regex(r"`{1,6}\n?`{0,6}", fullmatch=True))
@settings(max_examples=80)
def test_a_block_holds_any_text(text: str) -> None:
    first, *inner, last = markdown.fenced(text).split("\n")

    fence = first.removesuffix("text")
    assert last == fence
    assert not any(re.match(rf" {{0,3}}`{{{len(fence)},}}\s*$", line) for line in inner)


@given(st.text() | st.just(EVIL))
@settings(max_examples=80)
def test_a_text_is_one_line_without_markup(text: str) -> None:
    shown = markdown.plain(text)

    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", shown)
    assert "<" not in shown
    assert not re.search(r"(?<!\\)(?:\\\\)*[|`\[\]*]", shown)


@given(st.lists(runs(), max_size=2))
@settings(max_examples=30, deadline=None)
def test_every_row_of_the_matrix_has_as_many_cells_as_its_head(made: list[Run]) -> None:
    rows = [line for line in markdown.matrix(made).split("\n") if line.startswith("|")]

    assert len({len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows}) <= 1
