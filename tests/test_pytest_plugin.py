import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from setu import testing
from setu.cassette.scope import parse_scope
from setu.pytest_plugin import cassette_name
from tests.test_testing import recorded

CASE = """
import openai

def ask(text, **options):
    said = [{"role": "user", "content": text}]
    return openai.OpenAI(max_retries=0, **options).chat.completions.create(model="gpt-4o-mini", messages=said)
"""


class Project:
    """A project with tests of its own, run in a process of its own."""

    def __init__(self, directory):
        self.directory = directory
        (directory / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider -p no:benchmark\n")

    def run(self, source, *options, **environ):
        (self.directory / "test_it.py").write_text(CASE + source)
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "OPENAI_"))}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *options],
            cwd=self.directory,
            env=clean | environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_a_test_gets_the_cassette_of_its_name(project):
    recorded(project.directory / "cassettes", "test_it/test_hello", "hello")

    code, out = project.run("def test_hello(setu_env):\n    assert ask('hello').id == 'chatcmpl-1'\n")

    assert code == 0, out


def test_a_marker_names_a_cassette_and_faults(project):
    recorded(project.directory / "cassettes", "mine", "hello")

    code, out = project.run(
        """
import pytest

@pytest.mark.setu(cassette="mine", faults=["503x1"])
def test_hello(setu_env):
    with pytest.raises(openai.InternalServerError):
        ask("hello")
    assert ask("hello").id == "chatcmpl-1"

@pytest.mark.setu(cassette="mine")
@pytest.mark.parametrize("n", range(3))
def test_again(setu_server, n):
    assert ask("hello", base_url=setu_server.openai, api_key="x").id == "chatcmpl-1"
"""
    )

    assert code == 0, out


def test_a_miss_fails_the_test_and_is_explained(project):
    recorded(project.directory / "cassettes", "test_it/test_hello", "hello")

    code, out = project.run("def test_hello(setu_env):\n    ask('goodbye')\n")

    assert code == 1
    assert "setu" in out
    assert "first difference: /messages/0/content" in out
    assert "test_hello.yaml:3" in out


def test_a_miss_that_a_test_swallows_fails_it_all_the_same(project):
    recorded(project.directory / "cassettes", "test_it/test_hello", "hello")

    code, out = project.run(
        "def test_hello(setu_env):\n    try:\n        ask('goodbye')\n    except openai.APIStatusError:\n        pass\n"
    )

    assert code == 1
    assert "no recording answers POST /v1/chat/completions" in out


def test_a_test_without_a_cassette_is_told_which_file_is_missing(project):
    code, out = project.run("def test_hello(setu_env):\n    ask('hello')\n")

    assert code == 1
    assert "test_it/test_hello.yaml" in out


def test_unused_recordings_fail_when_asked(project):
    recorded(project.directory / "cassettes", "test_it/test_hello", "hello", "more")
    source = "def test_hello(setu_env):\n    ask('hello')\n"

    assert project.run(source)[0] == 0
    code, out = project.run(source, "--setu-strict-unused")
    assert code == 1
    assert "no call asked for the recording at" in out


def test_options_have_twins_in_the_ini_file(project):
    recorded(project.directory / "tapes", "test_it/test_hello", "on 2026-01-01")
    ini = project.directory / "pytest.ini"
    ini.write_text(ini.read_text() + "setu_cassettes = tapes\nsetu_normalise = date uuid\n")

    code, out = project.run("def test_hello(setu_env):\n    ask('on 2026-11-20')\n")

    assert code == 0, out


@pytest.mark.parametrize("marker", ["setu('mine')", "setu(name='mine')"])
def test_a_marker_that_says_something_else_is_refused(project, marker):
    code, out = project.run(f"import pytest\n\n@pytest.mark.{marker}\ndef test_hello(setu_server):\n    pass\n")

    assert code != 0
    assert "takes cassette, faults and record_mode by name" in out


def test_what_has_no_cassette_is_recorded_once(project):
    recorded(project.directory / "source", "all", "hello")
    source = """
from setu import testing

def test_hello(setu_server):
    with testing.serve("source", cassette="all") as live:
        place = live.url.partition("://")[2]
        said = ask("hello", base_url=f"{setu_server.url}/proxy/http/{place}/v1", api_key="x")
    assert said.id == "chatcmpl-1"
"""

    code, out = project.run(source, "--setu-record-mode=once")

    assert code == 0, out
    assert (project.directory / "cassettes" / "test_it" / "test_hello.yaml").is_file()


UPSTREAM = """
import os
import pytest
from setu import testing

@pytest.fixture(scope="session", autouse=True)
def upstream(tmp_path_factory):
    with testing.serve("source", cassette="all") as live:
        yield live

def through(setu_server, upstream):
    place = upstream.url.partition("://")[2]
    return f"{setu_server.url}/proxy/http/{place}/v1"
"""


def test_a_mode_of_ones_own_is_recorded_where_the_session_only_replays(project):
    recorded(project.directory / "source", "all", "hello")
    recorded(project.directory / "cassettes", "test_it/test_replayed", "hello")
    source = (
        UPSTREAM
        + """
@pytest.mark.setu(record_mode="all")
def test_recorded(setu_env, upstream):
    assert os.environ["OPENAI_API_KEY"] == "sk-of-mine"
    assert ask("hello", base_url=through(setu_env, upstream)).id == "chatcmpl-1"

def test_replayed(setu_env):
    assert os.environ["OPENAI_API_KEY"] == "setu-offline"
    assert ask("hello").id == "chatcmpl-1"
"""
    )

    code, out = project.run(source, OPENAI_API_KEY="sk-of-mine")

    assert code == 0, out
    assert (project.directory / "cassettes" / "test_it" / "test_recorded.yaml").is_file()


def test_a_test_that_only_replays_has_no_key_where_the_session_records(project):
    recorded(project.directory / "source", "all", "hello")
    recorded(project.directory / "cassettes", "mine", "hello")
    source = (
        UPSTREAM
        + """
@pytest.mark.setu(cassette="mine", record_mode="none")
def test_replayed(setu_env):
    assert os.environ["OPENAI_API_KEY"] == "setu-offline"
    assert ask("hello").id == "chatcmpl-1"

@pytest.mark.setu(cassette="mine", record_mode="once")
def test_recorded_before(setu_env):
    assert os.environ["OPENAI_API_KEY"] == "setu-offline"

@pytest.mark.setu(record_mode="once")
def test_new(setu_env):
    assert os.environ["OPENAI_API_KEY"] == "sk-of-mine"

@pytest.mark.setu(cassette="mine", record_mode="new_episodes")
def test_more(setu_env):
    assert os.environ["OPENAI_API_KEY"] == "sk-of-mine"
"""
    )

    code, out = project.run(source, "--setu-record-mode=all", OPENAI_API_KEY="sk-of-mine")

    assert code == 0, out


def test_hosts_are_those_of_the_projects_settings(project):
    recorded(project.directory / "source", "all", "hello", "hello")
    (project.directory / "setu.toml").write_text(
        '[providers.mine]\ntype = "openai_compatible"\nbase_url = "${MINE_URL}"\napi_key = "${MINE_KEY}"\n'
    )
    source = """
def test_prefixed(setu_server):
    assert ask("hello", base_url=f"{setu_server.url}/mine/v1", api_key="x").id == "chatcmpl-1"

def test_unprefixed(setu_env):
    assert ask("hello", api_key="x").id == "chatcmpl-1"
"""
    with testing.serve(project.directory / "source", cassette="all") as live:
        options = ("--setu-record-mode=all", "--setu-upstream=mine")
        code, out = project.run(source, *options, MINE_URL=f"{live.url}/v1", MINE_KEY="")

    assert code == 0, out
    offline = project.run(source, "--setu-upstream=mine", MINE_URL="http://elsewhere/v1")
    assert offline[0] == 0, offline[1]


def test_another_configuration_can_be_named(project):
    (project.directory / "other.toml").write_text("[server]\nprot = 1\n")

    code, out = project.run("def test_hello(setu_env):\n    pass\n", "--setu-config=other.toml")

    assert code == 1
    assert "other.toml:2: server.prot: unknown key" in out


def test_the_recordings_that_come_with_setu_answer_every_test(project):
    source = """
import pytest

@pytest.mark.parametrize("n", range(2))
def test_all_of_them(setu_env, n):
    assert ask("Name the three primary colours of light.").choices

@pytest.mark.setu(cassette="openai/openai_chat/text")
def test_one_of_them(setu_env):
    assert ask("Name the three primary colours of light.").choices
"""

    code, out = project.run(source, "--setu-cassettes=bundled")

    assert code == 0, out
    assert not (project.directory / "bundled").exists()


def test_nothing_is_recorded_among_the_recordings_that_come_with_setu(project):
    source = "import pytest\n\n@pytest.mark.setu(record_mode='all')\ndef test_hello(setu_env):\n    pass\n"

    for options in (["--setu-cassettes=bundled"], ["--setu-cassettes=bundled", "--setu-record-mode=once"]):
        code, out = project.run(source, *options)

        assert code == 1
        assert "cannot record into bundled" in out


def test_what_else_is_a_secret_can_be_named(project):
    recorded(project.directory / "source", "all", "the codename is heron")
    ini = project.directory / "pytest.ini"
    ini.write_text(ini.read_text() + "setu_redact_pattern =\n    codename is (?P<secret>\\w+)\n")
    source = (
        UPSTREAM
        + """
def test_hello(setu_server, upstream):
    ask("the codename is heron", base_url=through(setu_server, upstream), api_key="x", default_headers={"openai-beta": "b"})
"""
    )

    code, out = project.run(source, "--setu-record-mode=all", "--setu-redact-header=OpenAI-Beta")

    assert code == 0, out
    kept = (project.directory / "cassettes" / "test_it" / "test_hello.yaml").read_text()
    assert "the codename is" in kept
    assert "heron" not in kept
    assert "openai-beta: [b]" not in kept
    again = source.replace("base_url=through(setu_server, upstream)", "base_url=setu_server.openai")
    replayed = project.run(again.replace("heron", "ibis"))
    assert replayed[0] == 0, replayed[1]


def test_workers_side_by_side_do_not_disturb_each_other(project):
    recorded(project.directory / "cassettes", "shared", *(f"n{n}" for n in range(20)))
    source = """
import pytest

@pytest.mark.setu(cassette="shared")
@pytest.mark.parametrize("n", range(20))
def test_one(setu_env, n):
    assert ask(f"n{n}").id == "chatcmpl-1"
"""

    code, out = project.run(source, "-n", "2")

    assert code == 0, out


def test_the_plugin_imports_nothing_heavy():
    script = (
        "import sys, pytest\nbefore = set(sys.modules)\nimport setu.pytest_plugin\n"
        "heavy = {name.partition('.')[0] for name in set(sys.modules) - before} - {'setu'}\n"
        "assert not heavy & {'httpx', 'yaml', 'msgspec', 'uvicorn', 'starlette', 'vcr', 'pydantic'}, heavy"
    )

    subprocess.run([sys.executable, "-c", script], check=True)


def named(nodeid):
    return cassette_name(SimpleNamespace(nodeid=nodeid))


def test_a_case_of_a_test_has_a_cassette_that_no_other_test_has():
    ids = [
        "t.py::test_x",
        "t.py::test_x_a",
        *(f"t.py::test_x[{case}]" for case in ("a", "A b", "A_b", "é", "ü", "a::b")),
    ]
    ids += ["t.py::test_x[a.]", "t.py::test_x[-a]", "t.py::TestX::test_x[a]"]

    assert named("t.py::test_x[a]") == "t/test_x-a"
    assert len({named(each) for each in ids}) == len(ids)
    assert [parse_scope(named(each)).name for each in ids] == [named(each) for each in ids]


def test_a_long_case_has_a_name_that_a_file_can_have():
    one, other = (named(f"t.py::test_x[{'long ' * 100}{end}]") for end in "ab")

    assert one != other
    assert len(parse_scope(one).name) < 150
