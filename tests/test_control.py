import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from setu import build
from setu.cassette.shelf import Appender, read_cassette, write_cassette
from setu.config.model import Config
from setu.control import Control, Reloading
from setu.server.serve import Background
from setu.studio import Setup, Studio, proxy
from tests.cassette.samples import JSON, interaction, request
from tests.test_testing import ANSWER, said


def recorded(path: Path, *texts: str, body: bytes = ANSWER) -> None:
    appender = Appender(path)
    for text in texts:
        asked = request(said(text), path="/v1/chat/completions", origin="https://api.openai.com")
        appender.append(interaction(body, asked=asked, headers=JSON))


class Desk:
    """A replay server with its admin side."""

    def __init__(self, directory: Path, **options: Any) -> None:
        self.studio = Studio(Setup(directory=directory, misses=None, **options), tell=print, environ={})
        self.studio.load()
        scopes = proxy(self.studio, build.deployments(Config(), {}, offline_key="offline"))
        self.control = Control(self.studio, scopes)
        app = build.app(Reloading(scopes, self.studio), Config(), dict, self.control.admin.routes)
        self.server = Background(app)

    def ask(self, text: str = "hello", prefix: str = "", **headers: str) -> int:
        answer = httpx.post(f"{self.server.url}{prefix}/v1/chat/completions", json=said(text), headers=headers)
        return answer.status_code

    def get(self, path: str, **options: Any) -> httpx.Response:
        return httpx.get(f"{self.server.url}/__setu__/{path}", **options)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        return httpx.request(method, f"{self.server.url}/__setu__/{path}", **options)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    recorded(tmp_path / "one.yaml", "hello", "goodbye")
    found = Desk(tmp_path)
    with found.server:
        yield found


def test_the_index_says_what_there_is(desk: Desk) -> None:
    assert "GET /journal" in desk.get("").json()["endpoints"]


def test_the_journal_tells_hits_from_misses(desk: Desk) -> None:
    assert [desk.ask(), desk.ask("nothing")] == [200, 424]

    journal = desk.get("journal").json()
    assert [(entry["match"], entry["status"], entry["model"]) for entry in journal] == [
        ("exact", 200, "gpt-4o-mini"),
        ("miss", 424, "gpt-4o-mini"),
    ]
    assert [entry["n"] for entry in desk.get("hits").json()] == [1]
    misses = desk.get("misses").json()
    assert [entry["n"] for entry in misses["requests"]] == [2]
    assert "first difference: /messages/0/content" in misses["explained"][0]
    assert [entry["n"] for entry in desk.get("journal", params={"after": 1}).json()] == [2]
    assert desk.get("journal", params={"after": "x"}).status_code == 400


def test_recordings_are_listed_with_how_often_they_were_served(desk: Desk) -> None:
    desk.ask()

    rows = desk.get("interactions").json()
    assert [row["served"] for row in rows] == [1, 0]
    assert rows[0]["model"] == "gpt-4o-mini"
    assert desk.get("unused").json() == [rows[1]["place"]]


def test_faults_can_be_set_while_it_runs(desk: Desk) -> None:
    assert desk.send("PUT", "faults", json=["503x1"]).json() == ["503x1"]
    assert [desk.ask(), desk.ask()] == [503, 200]

    desk.send("PUT", "faults", json=[])
    assert desk.get("faults").json() == []


@pytest.mark.parametrize("body", [b'["sometimes"]', b"{}", b"not json"])
def test_faults_that_are_none_change_nothing(desk: Desk, body: bytes) -> None:
    desk.send("PUT", "faults", json=["503x1"])

    answer = desk.send("PUT", "faults", content=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
    assert desk.get("faults").json() == ["503x1"]


def test_a_fault_strikes_the_one_request_that_asks_for_it(desk: Desk) -> None:
    assert [desk.ask(**{"x-setu-fault": "429x1"}), desk.ask()] == [429, 200]


def test_after_a_reset_everything_can_be_served_again(desk: Desk) -> None:
    assert [desk.ask(), desk.ask()] == [200, 424]

    assert desk.send("POST", "reset").status_code == 204
    assert desk.get("journal").json() == []
    assert desk.ask() == 200


def test_a_reset_of_one_cassette_leaves_the_others(desk: Desk) -> None:
    assert [desk.ask(prefix="/c/one@a"), desk.ask(prefix="/c/one@b")] == [200, 200]

    assert desk.send("POST", "reset", params={"scope": "one@a"}).status_code == 204
    assert [desk.ask(prefix="/c/one@a"), desk.ask(prefix="/c/one@b")] == [200, 424]
    assert desk.send("POST", "reset", params={"scope": "../x"}).status_code == 400


def test_the_verdict_is_there_at_any_time(desk: Desk) -> None:
    desk.send("PUT", "faults", json=["503x1"])
    desk.ask()

    assert desk.get("verdict").json()["calls"] == 1


@pytest.mark.parametrize("accept", ["text/plain", "application/openmetrics-text; version=1.0.0"])
def test_prometheus_can_scrape_it(desk: Desk, accept: str) -> None:
    desk.ask()
    desk.ask("nothing")

    answer = desk.get("metrics", headers={"accept": accept})

    assert answer.headers["content-type"].startswith(accept.partition(";")[0])
    assert "setu_replay_requests_total 2.0" in answer.text
    assert "setu_replay_misses_total 1.0" in answer.text
    assert "setu_replay_interactions 2.0" in answer.text
    assert 'match="exact"' in answer.text


def until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
    return found


def test_an_edited_cassette_is_read_again_and_what_was_served_stays_served(desk: Desk, tmp_path: Path) -> None:
    assert desk.ask("hello") == 200
    recorded(tmp_path / "two.yaml", "new")

    until(lambda: desk.ask("new") == 200)

    assert desk.ask("hello") == 424
    assert desk.ask("goodbye") == 200


def test_an_edited_cassette_of_a_test_is_read_again(desk: Desk, tmp_path: Path) -> None:
    assert desk.ask("new", "/c/one") == 424
    found = read_cassette(tmp_path / "one.yaml")
    recorded(tmp_path / "other.txt", "new")
    write_cassette(tmp_path / "one.yaml", [*found, *read_cassette(tmp_path / "other.txt")])

    until(lambda: desk.ask("new", "/c/one") == 200)


def test_a_cassette_that_was_broken_by_an_edit_is_told_until_it_is_mended(desk: Desk, tmp_path: Path) -> None:
    desk.ask("hello", "/c/one")
    good = (tmp_path / "one.yaml").read_text()
    (tmp_path / "one.yaml").write_text("interactions: [")

    answer = until(
        lambda: (
            found
            if b"not readable YAML"
            in (found := httpx.post(f"{desk.server.url}/c/one/v1/chat/completions", json=said("nothing"))).content
            else None
        )
    )
    (tmp_path / "one.yaml").write_text(good)

    assert answer.status_code == 424
    until(lambda: desk.ask("goodbye", "/c/one") == 200)


def test_several_directories_are_one_library(tmp_path: Path) -> None:
    recorded(tmp_path / "a" / "one.yaml", "hello")
    recorded(tmp_path / "b" / "two.yaml", "goodbye")
    found = Desk(tmp_path / "a", more=(tmp_path / "b",))

    with found.server:
        assert [found.ask("hello"), found.ask("goodbye"), found.ask("goodbye", "/c/two")] == [200, 200, 200]


@pytest.mark.parametrize("path", ["journal?after=x", "hits?limit=x", "misses?after=x"])
def test_a_number_that_is_none_is_refused(desk: Desk, path: str) -> None:
    assert desk.get(path).status_code == 400


def test_a_limit_counts_what_is_shown(desk: Desk) -> None:
    desk.ask("hello")
    desk.ask("never said")

    assert len(desk.get("hits?limit=1").json()) == 1


def test_a_cassette_that_is_not_there_is_a_miss_that_is_explained_and_can_be_forgotten(desk: Desk) -> None:
    assert desk.ask(prefix="/c/nope") == 424

    found = desk.get("misses").json()
    assert [entry["scope"] for entry in found["requests"]] == ["nope"]
    assert "no cassette nope" in found["explained"][0]
    desk.send("POST", "reset")
    assert desk.get("misses").json() == {"requests": [], "explained": []}


def test_cassettes_may_be_opened_while_others_are_listed(desk: Desk) -> None:
    """The listing runs on the event loop, the opening in threads."""
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(desk.ask, prefix=f"/c/one@{n}") for n in range(60)]
        statuses = [desk.get("unused").status_code for _ in range(60)]

    assert {each.result() for each in asked} == {200}
    assert set(statuses) == {200}


def test_an_edit_before_the_first_request_is_seen(desk: Desk, tmp_path: Path) -> None:
    recorded(tmp_path / "one.yaml", "more")

    time.sleep(1.5)  # the watcher's own pace; no request meanwhile
    assert desk.ask("more") == 200


def test_a_single_file_that_is_edited_is_read_again(tmp_path: Path) -> None:
    recorded(tmp_path / "one.yaml", "hello")
    found = Desk(tmp_path / "one.yaml")
    with found.server:
        assert found.ask() == 200
        time.sleep(1)
        recorded(tmp_path / "one.yaml", "more")
        settled = time.monotonic() + 10

        while found.ask("more") != 200:
            assert time.monotonic() < settled
            time.sleep(0.1)


def test_no_secret_of_a_path_or_a_query_shows_on_the_admin_side(desk: Desk) -> None:
    secret = "sk-proj-" + "aB3dE6gH9j" * 4
    httpx.get(f"{desk.server.url}/v1/files/{secret}/content", params={"key": secret})
    httpx.post(f"{desk.server.url}/c/nope/v1/files/{secret}", params={"api_key": secret})

    assert [entry["match"] for entry in desk.get("journal").json()] == ["miss", "miss"]
    for page in ("journal", "misses", "hits", "verdict", "interactions", "metrics"):
        assert secret not in desk.get(page).text
