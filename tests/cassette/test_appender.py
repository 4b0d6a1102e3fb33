import subprocess
import sys
from pathlib import Path

import pytest

from setu.cassette.library import Library
from setu.cassette.model import Recording
from setu.cassette.serialize import HEADER, render_block
from setu.cassette.shelf import Appender, Shelf, file_name_of, read_cassette
from setu.errors import CassetteDecodeError, CassetteError
from tests.cassette.samples import ANTHROPIC_STREAM, interaction, request, talk
from tests.cassette.test_library import KEY, saved


def test_appended_interactions_make_one_file(tmp_path: Path) -> None:
    appender = Appender(tmp_path / "new" / "a.yaml")
    appender.append(interaction(b"1"))
    appender.append(interaction(ANTHROPIC_STREAM))

    text = (tmp_path / "new" / "a.yaml").read_text()
    assert text == HEADER + render_block(interaction(b"1")) + render_block(interaction(ANTHROPIC_STREAM))


def test_appending_to_a_file_with_comments_keeps_them(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("# one\n\n" + HEADER)

    Appender(path).append(interaction(b"1"))

    assert path.read_text() == "# one\n\n" + HEADER + render_block(interaction(b"1"))


@pytest.mark.parametrize(
    "text", ["interactions:\n- a\nversion: 1\n", "version: 1\n", "hello\n", "version: 1\ninteractions: []\n"]
)
def test_files_of_other_tools_are_not_appended_to(tmp_path: Path, text) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)

    with pytest.raises(CassetteError, match="written by another tool"):
        Appender(path).append(interaction())
    assert path.read_text() == text


def test_a_file_that_ends_within_an_interaction_is_not_appended_to(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.yaml", interaction())
    path.write_text(path.read_text()[:-30])

    with pytest.raises(CassetteError, match="ends within an interaction"):
        Appender(path).append(interaction())


def test_after_a_crash_a_file_loads_a_beginning_or_says_where_it_breaks(tmp_path: Path) -> None:
    start = HEADER + render_block(interaction(b"1"))
    whole = start + render_block(interaction(ANTHROPIC_STREAM))
    path = tmp_path / "a.yaml"
    outcomes = set()

    for kept in range(len(start), len(whole)):
        path.write_text(whole[:kept])
        outcomes.add(loaded(path))

    # All of the second interaction is there once its end is; what may follow is the list of what was redacted.
    assert outcomes == {(b"1",), (b"1", ANTHROPIC_STREAM), "refused"}


def loaded(path):
    try:
        return tuple(found.exchange.body for found in read_cassette(path))
    except CassetteDecodeError as error:
        return "refused" if str(error).startswith(f"{path}:") else str(error)


def test_a_first_interaction_cut_off_within_a_line_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    whole = HEADER + render_block(interaction(ANTHROPIC_STREAM))
    path.write_text(whole[: whole.index("ping")])

    with pytest.raises(CassetteDecodeError, match=r"a\.yaml:3: the last interaction is incomplete"):
        read_cassette(path)


@pytest.mark.parametrize(
    "place", ["body", "answer", "header", "path", "known"], ids=["body", "answer", "header", "path", "known"]
)
def test_a_secret_is_never_written_and_the_recording_never_lost(tmp_path: Path, place) -> None:
    path = tmp_path / "a.yaml"
    texts = {
        "body": interaction(asked=talk(KEY)),
        "answer": interaction(f'{{"a":"{KEY}"}}'.encode()),
        "header": interaction(headers={"x-request-id": KEY}),
        "path": interaction(asked=request(path=f"/v1/{KEY}")),
        "known": interaction(asked=talk("known-value")),
    }

    Appender(path, secrets=("known-value",)).append(texts[place])

    written = path.read_text()
    assert KEY not in written
    assert "known-value" not in written
    assert len(read_cassette(path)) == 1


def test_a_path_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(CassetteError, match=r"file/a\.yaml cannot be written: "):
        Appender(tmp_path / "file" / "a.yaml").append(interaction())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_clear_error() -> None:
    with pytest.raises(CassetteError, match="cannot be written: No space left on device"):
        Appender("/dev/full").append(interaction())


@pytest.mark.slow
def test_four_processes_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    program = (
        "import sys\n"
        "from setu.cassette.shelf import Appender\n"
        "from tests.cassette.samples import interaction, talk\n"
        "for n in range(10):\n"
        "    Appender(sys.argv[1]).append(interaction(b'data: 1\\n\\n' * 500, asked=talk(sys.argv[2], str(n))))\n"
    )
    root = Path(__file__).parents[2]
    running = [subprocess.Popen([sys.executable, "-c", program, str(path), name], cwd=root) for name in "abcd"]

    assert [process.wait(60) for process in running] == [0, 0, 0, 0]
    library = Library.load(path)
    assert len(library) == 40
    for name in "abcd":
        for n in range(10):
            library.take(talk(name, str(n)))


def test_each_kind_of_call_has_its_file(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.append(interaction(recording=Recording(op="anthropic.chat.stream")))
    shelf.append(interaction(asked=request(origin="http://localhost:8080", path="/v1/embeddings")))
    shelf.append(interaction(asked=request(origin="")))

    files = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.yaml"))
    assert files == ["api.anthropic.com/anthropic.chat.stream.yaml", "local/raw.yaml", "localhost_8080/raw.yaml"]


def test_a_file_name_stays_below_its_directory() -> None:
    asked = request(origin="https://../../etc")

    assert file_name_of(interaction(asked=asked)) == "_.._etc/raw.yaml"
