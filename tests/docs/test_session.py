"""The machinery that proves the pages can itself fail."""

from pathlib import Path

import pytest

from tests.docs.blocks import Block, anchors, blocks, links
from tests.docs.session import DocsError, Session, dialogue, shows


def block(language: str, text: str, info: str = "") -> Block:
    return Block(Path("page.md"), 1, language, info, text)


def prove(folder: Path, *made: Block) -> None:
    with Session(folder) as session:
        for one in made:
            session.prove(one)


def test_commands_share_a_folder_their_exports_and_their_place(tmp_path: Path) -> None:
    text = "$ export NAME=Ada\n$ mkdir sub\n$ cd sub\n$ echo hello $NAME >file\n$ cat file\nhello Ada\n"

    prove(tmp_path, block("console", text))

    assert (tmp_path / "sub" / "file").read_text() == "hello Ada\n"


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (block("console", "$ false\n"), "ended with 1"),
        (block("console", "$ exit 3\n"), "ended with 3"),
        (block("console", "$ echo a\nb\n"), "and not"),
        (block("console", "echo a\n"), "starts with"),
        (block("python", "raise SystemExit(2)\n"), "ended with 2"),
        (block("bash", "echo a\n"), "nobody can prove"),
        (block("", "a\n"), "nobody can prove"),
        (block("console", "$ false &\n"), "does not answer"),
    ],
)
def test_a_block_that_fails_says_where(made: Block, words: str, tmp_path: Path) -> None:
    with pytest.raises(DocsError, match=words):
        prove(tmp_path, made)


@pytest.mark.parametrize(
    "made",
    [
        block("json", "{a: 1}"),
        block("toml", "a = "),
        block("yaml", "a: [1"),
        block("toml", "[server]\nprot = 1\n", "setu.toml"),
    ],
)
def test_data_that_is_not_what_it_says_is_refused(made: Block, tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match=r".") if made.language != "yaml" else pytest.raises(Exception, match="parsing")
    ):
        prove(tmp_path, made)


def test_a_script_with_a_name_is_for_the_commands_after_it(tmp_path: Path) -> None:
    script = block("python", "print('hello')\nraise SystemExit(3)\n", "file: say.py")

    prove(tmp_path, script, block("console", "$ python say.py || echo status $?\nhello\nstatus 3\n"))
    with pytest.raises(SyntaxError):
        prove(tmp_path, block("python", "print(\n", "file: say.py"))


def test_a_configuration_that_is_right_passes(tmp_path: Path) -> None:
    prove(tmp_path, block("toml", "[server]\nport = 3742\n", "setu.toml file: conf/setu.toml"))

    assert "[server]" in (tmp_path / "conf" / "setu.toml").read_text()


def test_a_server_in_the_background_answers_and_is_stopped(tmp_path: Path) -> None:
    serve = "$ python -m http.server 3742 --bind 127.0.0.1 &\n"
    fetch = "import urllib.request\nprint(urllib.request.urlopen('http://127.0.0.1:3742/').status)\n"

    with Session(tmp_path) as session:
        session.prove(block("console", serve))
        session.prove(block("python", fetch))

    assert [server.poll() is not None for server in session.servers] == [True]


def test_a_port_that_a_page_names_is_a_free_one_in_all_that_follows(tmp_path: Path) -> None:
    with Session(tmp_path) as session:
        session.prove(block("console", "$ echo --port 4801 >named\n$ echo /127.0.0.1_4801/ 14801 >used\n"))

    [named] = set(session.ports) - {"3742"}
    assert (tmp_path / "named").read_text() == f"--port {session.ports[named]}\n"
    assert (tmp_path / "used").read_text() == f"/127.0.0.1_{session.ports[named]}/ 14801\n"


def test_nothing_of_the_callers_environment_reaches_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-real")

    prove(tmp_path, block("console", "$ echo key=${OPENAI_API_KEY:-none}\nkey=none\n"))


def test_a_dialogue_is_commands_and_what_they_print() -> None:
    text = "$ curl -s \\\n  -d '{}'\n$ cat <<E\n> a\n> E\n\none\ntwo\n"

    assert dialogue(text) == [("curl -s \\\n  -d '{}'", []), ("cat <<E\na\nE", ["one", "two"])]


@pytest.mark.parametrize(
    ("expected", "shown"),
    [(["a"], True), (["a", "c"], True), (["c", "a"], False), (["b...2"], True), (["...", "...", "...", "..."], False)],
)
def test_expected_lines_occur_in_order(expected: list[str], shown: bool) -> None:
    assert shows("a 1\nb x 2\nc\n", expected) is shown


def test_a_page_is_read_with_its_blocks_links_and_anchors(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# One: `two` & three\n\n[x](a.md#b) ![i](i.png) `[n](no.md)`\n\n"
        "1. item\n   ```console no-run: needs a key\n   $ a\n   ```\n\n````text\n```\n[c](d)\n````\n"
    )

    first, second = blocks(page)

    assert (first.language, first.reason, first.text, first.line) == ("console", "needs a key", "$ a\n", 6)
    assert (second.language, second.reason, second.text) == ("text", None, "```\n[c](d)\n")
    assert links(page) == ["a.md#b"]
    assert anchors(page) == {"one-two--three"}
