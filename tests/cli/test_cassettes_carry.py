"""`setu cassettes import`, `export` and `diff`."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import yaml
from typer.testing import CliRunner

from setu.cassette.model import Recording
from setu.cassette.shelf import cassette_files, read_cassette, write_cassette
from setu.cli.cassettes.app import app
from setu.studio import key_of
from tests.cassette.samples import ANTHROPIC_STREAM, CHAT_STREAM, JSON, interaction, talk
from tests.cassettes.bundled import bundled
from tests.cli.test_cassettes import run
from tests.processes import environment

SECRET = "sk-proj-" + "abcdEFGH0123" * 4


def exchange(number: int, **members: object) -> str:
    """Return a line of the corpus' form."""
    line = {
        "id": f"x-{number}", "method": "POST", "host": "api.openai.com", "path": "/v1/chat/completions",
        "request_headers": {"content-type": "application/json", "authorization": f"Bearer {SECRET}"},
        "request_body": {"model": "m", "messages": [{"role": "user", "content": str(number)}]},
        "status": 200, "response_headers": {"content-type": "application/json"}, "response_body": "{}",
    }  # fmt: skip
    return json.dumps(line | members) + "\n"


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "some.jsonl.gz"
    unusable = {"flags": ["framing_lost"]}
    path.write_bytes(gzip.compress((exchange(1) + exchange(2) + exchange(3, **unusable) + exchange(4)).encode()))
    return path


def test_import_tells_how_many_and_what_was_skipped_and_why(lines: Path, tmp_path: Path) -> None:
    done = run("import", lines, "-o", tmp_path / "out")

    skipped, total = done.out.splitlines()
    assert done.status == 0
    assert skipped == f"skipped {lines}:3: the stream has lost its framing, no client could read it"
    assert total.startswith(f"3 imported into 1 files below {tmp_path / 'out'}, 1 skipped, ")
    [path] = cassette_files(tmp_path / "out")
    assert path == tmp_path / "out" / "api.openai.com" / "openai_chat.chat.yaml"
    assert SECRET not in path.read_text()
    assert run("lint", path) == (0, "")


def test_import_splits_files_and_does_not_import_twice(lines: Path, tmp_path: Path) -> None:
    first = json.loads(run("import", lines, "-o", tmp_path / "out", "--split", "2", "--json").out)
    again = json.loads(run("import", lines, "-o", tmp_path / "out", "--split", "2", "--json").out)

    assert (first["imported"], len(first["files"])) == (3, 2)
    assert (again["imported"], again["files"]) == (0, [])
    assert list(map(len, again["skipped"].values())) == [3, 1] or list(map(len, again["skipped"].values())) == [1, 3]


def test_what_plain_vcrpy_wrote_is_imported_as_it_is(tmp_path: Path) -> None:
    theirs = {
        "version": 1,
        "interactions": [
            {
                "request": {"method": "GET", "uri": "https://a.example/v1/models", "body": None, "headers": {"Cookie": ["c"]}},
                "response": {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": "hi"}},
            }
        ],
    }  # fmt: skip
    (tmp_path / "theirs.yaml").write_text(yaml.safe_dump(theirs))

    run("import", tmp_path / "theirs.yaml", "-o", tmp_path / "out", "--format", "vcr")

    [each] = read_cassette(next(cassette_files(tmp_path / "out")))
    assert (each.exchange.request.url, each.exchange.body) == ("https://a.example/v1/models", b"hi")
    assert "cookie" not in each.exchange.request.headers


@pytest.mark.parametrize(("name", "options"), [("x.har", []), ("x.yaml", []), ("x.txt", ["--format", "har"])])
def test_what_is_exported_is_imported_as_it_was(tmp_path: Path, name: str, options: list[str]) -> None:
    kept = [interaction(CHAT_STREAM, asked=talk("a")), interaction(b'{"a": 1}', asked=talk("b"), status=404)]
    write_cassette(tmp_path / "own" / "a.yaml", kept)

    run("export", tmp_path / "own", "-o", tmp_path / name, *options)
    run("import", tmp_path / name, "-o", tmp_path / "back")

    assert run("diff", tmp_path / "own", tmp_path / "back") == (0, "2 unchanged, 0 added, 0 removed, 0 changed\n")


def test_export_without_a_file_prints_what_plain_vcrpy_reads(tmp_path: Path) -> None:
    write_cassette(tmp_path / "a.yaml", [interaction(CHAT_STREAM)])

    done = run("export", tmp_path / "a.yaml")

    [plain] = yaml.safe_load(done.out)["interactions"]
    assert plain["response"]["body"]["string"].encode() == CHAT_STREAM
    assert "setu" not in plain["response"]


def test_diff_tells_what_was_added_removed_and_changed(tmp_path: Path) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    write_cassette(old, [interaction(asked=talk("gone")), interaction(ANTHROPIC_STREAM, asked=talk("both"))])
    changed = ANTHROPIC_STREAM.replace(b'"n":1.0', b'"n":"\\u001b[31m"')
    write_cassette(new, [interaction(changed, asked=talk("both")), interaction(asked=talk("come"))])

    done = run("diff", old, new)

    assert done.status == 1
    lines = done.out.splitlines()
    assert [line[0] for line in lines if line[0] in "+-~"] == ["-", "~", "+"]
    assert '    -something_new: {"type":"something_new","n":1.0}' in lines
    assert lines[-1] == "0 unchanged, 1 added, 1 removed, 1 changed"
    kinds = [change["kind"] for change in json.loads(run("diff", old, new, "--json").out)]
    assert kinds == ["removed", "changed", "added"]


def test_a_diff_is_cut_where_it_is_asked_to_be(tmp_path: Path) -> None:
    for name, start in (("old", 0), ("new", 500)):
        body = msgspec.json.encode(list(range(start, start + 200)))
        write_cassette(tmp_path / f"{name}.yaml", [interaction(body)])

    def length(*options: str) -> int:
        return len(run("diff", tmp_path / "old.yaml", tmp_path / "new.yaml", *options).out.splitlines())

    assert length("--lines", "5") == 1 + 5 + 1 + 1
    assert length("--lines", "0") > 400


def test_dates_and_times_are_no_difference(tmp_path: Path) -> None:
    one = interaction(CHAT_STREAM, recording=Recording(recorded="2026-01-01"))
    two = interaction(CHAT_STREAM, recording=Recording(recorded="2026-11-20", key=key_of(one)), arrivals=((9, 66),))
    write_cassette(tmp_path / "old.yaml", [one])
    write_cassette(tmp_path / "new.yaml", [two])

    assert run("diff", tmp_path / "old.yaml", tmp_path / "new.yaml").status == 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminal")
def test_progress_is_shown_on_a_terminal_alone(lines: Path, tmp_path: Path) -> None:
    def errors(*, terminal: bool) -> bytes:
        leader, follower = os.openpty() if terminal else os.pipe()
        done = subprocess.run(
            [sys.executable, "-m", "setu", "cassettes", "import", lines, "-o", tmp_path / str(terminal)],
            env=environment(TERM="xterm"), stdout=subprocess.PIPE, stderr=follower, check=True, timeout=60,
        )  # fmt: skip
        os.close(follower)
        assert done.stdout.startswith(b"skipped ")
        try:
            return os.read(leader, 65536)
        except OSError:  # Linux: nothing was written and nobody is left to write
            return b""
        finally:
            os.close(leader)

    assert b"recordings" in errors(terminal=True)
    assert errors(terminal=False) == b""


def test_fixtures_for_aimock_are_written_and_what_is_lost_is_said(tmp_path: Path) -> None:
    text, broken = bundled("openai", "text"), interaction(CHAT_STREAM, asked=talk("a"), headers=JSON)
    write_cassette(tmp_path / "a.yaml", [text, broken])

    result = CliRunner().invoke(app, ["export", str(tmp_path / "a.yaml"), "--format", "aimock"])

    [fixture] = json.loads(result.stdout)["fixtures"]
    assert fixture["response"]["content"].startswith("Red, green and blue")
    left, lost = result.stderr.splitlines()
    assert left.startswith(f"left out {tmp_path / 'a.yaml'}:")
    assert "the request cannot be read" in left
    assert lost.startswith("lost to aimock's fixtures: bytes, event boundaries")
