"""`setu cassettes list|show|stats|fmt|lint|repair|retime|prune`, in a process of their own as a user runs them."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from setu.bundled import data_dir
from setu.cassette.model import Interaction, Recording, Timing
from setu.cassette.shelf import read_cassette, verified_block, write_blocks, write_cassette
from setu.cli.cassettes.app import app
from setu.errors import CassetteNotFoundError
from setu.studio import key_of
from tests.cassette.samples import ANTHROPIC_STREAM, CHAT_STREAM, JSON, interaction, talk
from tests.cli import forks
from tests.processes import environment

COLOURED = b'data: {"choices":[{"delta":{"content":"\\u001b[31mred\x7f\xc2\x9b"}}]}\n\n: two\ndata: lines\n\n'
TIMED = Recording(timing=Timing(ttfb_ms=40, events_ms=(0, 95)), recorded="2026-11-20")


class Done(NamedTuple):
    status: int
    out: str


def run(*args: str | Path) -> Done:
    """Run a command in this process; what it raises on purpose is raised."""
    result = CliRunner().invoke(app, list(map(str, args)))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a cassette of three: a stream with times, an error, a stream whose text would colour a terminal."""
    path = tmp_path / "all" / "some.yaml"
    calls = [
        interaction(CHAT_STREAM, asked=talk("one"), recording=TIMED),
        interaction(b'{"error":{}}', asked=talk("two"), status=429),
        interaction(COLOURED, asked=talk("three")),
    ]
    write_cassette(path, [keyed(each) for each in calls])
    return path


def keyed(each: Interaction) -> Interaction:
    return msgspec.structs.replace(each, recording=msgspec.structs.replace(each.recording, key=key_of(each)))


def test_list_prints_one_line_a_recording(file: Path) -> None:
    lines = run("list", file.parent).out.splitlines()

    assert lines[0].split() == ["place", "model", "op", "status", "end", "events", "bytes", "ms", "recorded"]
    assert [line.split()[0] for line in lines[1:]] == [each.place for each in read_cassette(file)]
    assert lines[1].split()[-5:] == ["complete", "2", str(len(CHAT_STREAM)), "135", "2026-11-20"]


def test_list_as_json_is_one_document(file: Path) -> None:
    rows = json.loads(run("list", file, "--json").out)

    assert [row["status"] for row in rows] == [200, 429, 200]
    assert rows[0]["ms"] == 135


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        ("", "one two three"),
        ("#1", "one"),
        ("#3", "three"),
        (":1", None),
        (":3", "one"),
        (":60", "two"),
        (":999", "three"),
    ],
)
def test_show_finds_recordings_by_file_number_and_line(file: Path, mark: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(CassetteNotFoundError, match="3 interactions, none at :1"):
            run("show", f"{file}{mark}")
        return
    shown = run("show", f"{file}{mark}").out

    assert [word for word in ("one", "two", "three") if f'"content": "{word}"' in shown] == expected.split()


@pytest.mark.parametrize("mark", ["#0", "#4"])
def test_show_says_how_many_there_are(file: Path, mark: str) -> None:
    with pytest.raises(CassetteNotFoundError, match=f"some.yaml has 3 interactions, none at {mark}"):
        run("show", f"{file}{mark}")


def test_show_prints_a_stream_as_a_table_of_time_event_and_text(file: Path) -> None:
    lines = run("show", f"{file}#1").out.splitlines()
    head = lines.index("t ms  event  delta  data")

    assert lines[head + 1].split() == ["0", "hé", '{"choices":[{"delta":{"content":"hé"}}]}']
    assert lines[head + 2].split() == ["95", "[DONE]"]


@pytest.mark.parametrize("command", ["show FILE", "show FILE --json", "list FILE", "list FILE --json", "stats FILE"])
def test_nothing_that_was_recorded_reaches_the_terminal_as_a_command(file: Path, command: str) -> None:
    strange = keyed(interaction(COLOURED, asked=talk("x", model="m\u202e\x1b[2J"), recording=Recording(op="\x1b[31m")))
    write_cassette(file, [strange])

    shown = run(*command.replace("FILE", str(file)).split()).out

    assert all(char.isprintable() or char == "\n" for char in shown)


def test_in_a_pipe_every_row_is_one_whole_line(file: Path) -> None:
    long = "x" * 20_000
    write_cassette(file, [interaction(b'data: {"text":"%s"}\n\ndata: a\ndata: b\n\n' % long.encode())])

    lines = run("show", file).out.splitlines()

    assert sum(long in line for line in lines) == 1
    assert any(line.endswith("a\\nb") for line in lines)


@pytest.mark.parametrize("body", [CHAT_STREAM, ANTHROPIC_STREAM, COLOURED, b"\x00\xff\r\n", b'{"a": 1}\n', b""])
def test_show_raw_gives_the_very_bytes(tmp_path: Path, body: bytes) -> None:
    write_cassette(tmp_path / "a.yaml", [interaction(body)])

    result = CliRunner().invoke(app, ["show", str(tmp_path / "a.yaml"), "--raw"])

    assert result.stdout_bytes == body


@pytest.mark.slow
def test_on_a_terminal_places_are_whole_and_streams_end_with_the_line(file: Path) -> None:
    write_cassette(file, [keyed(interaction(CHAT_STREAM + COLOURED * 2, asked=talk("x" * 90)))])

    # By its name alone: how long the path of a temporary directory is depends on who runs the tests.
    listed = on_terminal("list", file.name, folder=file.parent)
    shown = on_terminal("show", file.name, folder=file.parent)

    assert f"{file.name}:3" in listed
    rows = shown.partition("t ms")[2].splitlines()[1:]
    assert len(rows) >= 4
    assert all(len(row) <= 80 for row in rows)
    assert "\x1b[31m" not in shown
    assert "\\x1b[31mred\\x7f" in shown


def on_terminal(*args: str, folder: Path) -> str:
    """Return what a command writes to a terminal of 80 columns."""
    leader, follower = os.openpty()
    command = [sys.executable, "-m", "setu", "cassettes", *args]
    settled = environment(TERM="xterm", COLUMNS="80")
    with subprocess.Popen(command, env=settled, stdout=follower, cwd=folder) as process:
        os.close(follower)
        written = b""
        with contextlib.suppress(OSError):  # Linux: the other end is closed
            while chunk := os.read(leader, 65536):
                written += chunk
    os.close(leader)
    assert process.returncode == 0
    return written.decode().replace("\r\n", "\n")


def test_show_as_json_has_both_sides_and_the_events(file: Path) -> None:
    [one] = json.loads(run("show", f"{file}#1", "--json").out)

    assert one["request"]["method"] == "POST"
    assert one["response"]["setu"]["timing"] == {"ttfb_ms": 40, "events_ms": [0, 95]}
    assert [event["data"] for event in one["events"]][1] == "[DONE]"


def test_stats_count(file: Path) -> None:
    lines = [line.split() for line in run("stats", file).out.splitlines()]

    assert ["interactions", "3"] in lines
    assert ["status", "429", "1"] in lines
    assert json.loads(run("stats", file, "--json").out)["status"] == {"200": 2, "429": 1}


def test_fmt_mends_what_vcrpy_wrote_over_and_finds_nothing_more_to_do(file: Path) -> None:
    good = file.read_text()
    file.write_text(yaml.safe_dump(yaml.safe_load(good)))

    assert run("fmt", file, "--check") == (1, f"would format {file}\n")
    assert run("fmt", file) == (0, f"formatted {file}\n")
    assert file.read_text() == good
    assert run("fmt", file) == run("fmt", file, "--check") == (0, "")


def test_fmt_writes_the_key_of_the_request_as_it_is_now(file: Path) -> None:
    file.write_text(file.read_text().replace('"content": "two"', '"content": "edited"'))
    [finding] = run("lint", file).out.splitlines()

    run("fmt", file)

    assert "is not the request's any more" in finding
    assert run("lint", file) == (0, "")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    st.lists(
        st.sampled_from([CHAT_STREAM, ANTHROPIC_STREAM, COLOURED, b"\xff", b'{"a": [1]}', b""]), min_size=1, max_size=4
    )
)
def test_fmt_keeps_what_a_cassette_says(tmp_path: Path, bodies: list[bytes]) -> None:
    path = tmp_path / "law.yaml"
    write_cassette(path, [interaction(body, asked=talk(str(at))) for at, body in enumerate(bodies)])
    before = read_cassette(path)
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text())))

    run("fmt", path)

    assert read_cassette(path) == before
    assert run("fmt", path, "--check").status == 0


def test_lint_names_the_place_of_every_finding_and_goes_on_after_a_broken_file(file: Path) -> None:
    (file.parent / "broken.yaml").write_text("interactions: [")
    file.write_text(file.read_text().replace("[DONE]", "[OVER]"))

    done = run("lint", file.parent)

    assert done.status == 1
    assert [line.split(":")[0] for line in done.out.splitlines()] == [str(file.parent / "broken.yaml"), str(file)]
    assert len(json.loads(run("lint", file.parent, "--json").out)) == 2


def test_repair_keeps_every_whole_recording_and_the_rest_aside(file: Path) -> None:
    whole = file.read_text()
    file.write_text(whole + "- request:\n    method: PO")

    done = run("repair", file.parent)

    assert done.out == f"{file}: 3 interactions kept, the incomplete rest is in {file}.broken\n"
    assert file.read_text() == whole
    assert run("repair", file.parent) == (0, "")


def test_retime_takes_the_times_of_older_recordings(file: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.yaml"
    shutil.copy(file, old)
    assert run("retime", file, "--drop").out == f"{file}: 1 of 3 recordings have other times now\n"
    assert "timing" not in file.read_text()

    run("retime", file, "--from", old)

    assert file.read_text() == old.read_text()
    assert run("retime", file, "--from", old) == (0, "")


def test_prune_takes_out_what_a_list_names_and_nothing_on_a_dry_run(file: Path, tmp_path: Path) -> None:
    places = [each.place for each in read_cassette(file)]
    (tmp_path / "unused.txt").write_text(f"{places[1]}\nelsewhere.yaml:3\n")
    before = file.read_text()

    dry = run("prune", file, "--unused", tmp_path / "unused.txt", "--dry-run")
    assert (dry.out, file.read_text()) == (f"would remove {places[1]}\n", before)
    assert run("prune", file, "--unused", tmp_path / "unused.txt").out == f"removed {places[1]}\n"
    assert [each.exchange.status for each in read_cassette(file)] == [200, 200]


def test_prune_removes_a_file_that_holds_nothing_any_more_and_of_duplicates_all_but_one(file: Path) -> None:
    double = file.with_name("double.yaml")
    write_cassette(double, read_cassette(file) * 2)
    (file.parent / "unused.txt").write_text("\n".join(each.place for each in read_cassette(file)))

    assert len(run("prune", double, "--duplicates").out.splitlines()) == 3
    run("prune", file, "--unused", file.parent / "unused.txt")

    assert len(read_cassette(double)) == 3
    assert not file.exists()


MISTAKES: dict[str, tuple[int, str]] = {
    "list {tmp}/none": (66, "no cassette at {tmp}/none"),
    "show {tmp}/none.yaml:3": (66, "no cassette at {tmp}/none.yaml:3"),
    "show {tmp}/broken.yaml": (66, "{tmp}/broken.yaml:2: not readable YAML"),
    "fmt {tmp}/broken.yaml": (66, "{tmp}/broken.yaml:2: not readable YAML"),
    "stats {tmp}/latin.yaml": (66, "{tmp}/latin.yaml: not UTF-8 text at byte 2"),
    "repair {tmp}/broken.yaml": (66, "{tmp}/broken.yaml cannot be repaired"),
    "retime {tmp}/broken.yaml": (78, "retime needs either --from DIR or --drop"),
    "retime {tmp}/broken.yaml --from {tmp} --drop": (78, "retime needs either --from DIR or --drop"),
    "prune {tmp}/broken.yaml": (78, "prune needs --unused FILE or --duplicates"),
    "prune {tmp}/broken.yaml --unused {tmp}/none": (66, "no list of places at {tmp}/none"),
    "import {tmp}/none -o {tmp}/out": (66, "no file or directory at {tmp}/none"),
    "import {tmp}/what.xyz -o {tmp}/out": (66, "{tmp}/what.xyz: in no format that Setu reads"),
    "import {tmp}/what.xyz -o {tmp}/out --format nope": (66, "unknown format 'nope'"),
    "export {tmp}/broken.yaml": (66, "{tmp}/broken.yaml:2: not readable YAML"),
    "export {tmp}/empty --format mitmproxy": (78, "--format mitmproxy: cannot be written; there are har, aimock, vcr"),
    "export {tmp}/empty -o {tmp}/none/x.har": (66, "{tmp}/none/x.har cannot be written"),
    "diff {tmp}/none {tmp}/empty": (66, "no cassette at {tmp}/none"),
}


def test_a_mistake_is_one_sentence_and_a_status(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("interactions: [")
    (tmp_path / "latin.yaml").write_bytes(b"a:\xff")
    (tmp_path / "what.xyz").write_text("what?")
    (tmp_path / "empty").mkdir()

    ended = forks.run([["cassettes", *args.format(tmp=tmp_path).split()] for args in MISTAKES], tmp_path)

    for (args, (expected, says)), (status, out, errors) in zip(MISTAKES.items(), ended, strict=True):
        assert (status, out) == (expected, ""), (args, errors)
        assert errors.startswith(f"setu: error: {says.format(tmp=tmp_path)}"), args
        assert errors.count("\n") == 1, args


def test_the_recordings_that_come_with_setu_have_no_finding_and_the_one_format() -> None:
    bundled = data_dir("cassettes")

    assert run("lint", bundled) == (0, "")
    assert run("fmt", bundled, "--check") == (0, "")


@pytest.mark.parametrize("read", [json.loads, yaml.safe_load])
def test_json_is_json(file: Path, read: Callable[[str], object]) -> None:
    write_cassette(file, [interaction(b'"\xf0\x9f\x98\x80 \xe2\x80\xa8"', headers=JSON)])

    assert "😀 \u2028" in json.dumps(read(run("show", file, "--json").out), ensure_ascii=False)


SECRET = "sk-proj-" + "aB3dE6gH9j" * 4


@pytest.mark.parametrize(
    "command", ["fmt FILE", "retime FILE --drop", "prune FILE --duplicates"], ids=lambda command: command.split()[0]
)
def test_a_file_that_is_rewritten_keeps_no_secret(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_SERVICE_TOKEN", "known-value-of-ours")
    leaky = keyed(interaction(b'{"a":"known-value-of-ours"}', asked=talk(f"my key is {SECRET}"), recording=TIMED))
    plain = keyed(interaction(CHAT_STREAM, asked=talk("one"), recording=TIMED))
    file = tmp_path / "a.yaml"
    write_blocks(file, map(verified_block, [leaky, leaky, plain]))

    run(*command.replace("FILE", str(file)).split())

    assert SECRET not in file.read_text()
    assert "known-value-of-ours" not in file.read_text()
    assert read_cassette(file)[-1].exchange.body == plain.exchange.body


def test_what_fmt_has_masked_has_the_key_of_what_is_left(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    write_blocks(file, [verified_block(keyed(interaction(asked=talk(f"my key is {SECRET}"))))])

    run("fmt", file)

    assert run("fmt", file, "--check").status == 0
    assert [each.recording.key for each in read_cassette(file)] == [key_of(each) for each in read_cassette(file)]
