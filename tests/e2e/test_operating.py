"""An operator's endpoints at a gateway that was started as users do."""

import http.client
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.test_reload import health, section, slow
from tests.live import asked
from tests.processes import Serving
from tests.servers import RawServer

pytestmark = pytest.mark.slow


def ask(url: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        connection.request(method, path, body, {"content-type": "application/json", **headers})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_reload_that_is_asked_for_is_done_or_says_why_not(tmp_path: Path) -> None:
    path = tmp_path / "setu.toml"
    path.write_text(section("old", "http://127.0.0.1:9"))
    with Serving("start", "--port", "0", cwd=tmp_path) as server:
        path.write_text(section("new", "http://127.0.0.1:9"))
        done = ask(server.url, "POST", "/admin/reload")
        _, listed = ask(server.url, "GET", "/admin/providers")
        path.write_text("[server]\nprot = 1\n")
        status, refused = ask(server.url, "POST", "/admin/reload")
        after = health(server.url)

    assert (done[0], done[1]["ok"]) == (200, True)
    assert [one["name"] for one in listed["providers"]] == ["new"]
    assert (status, refused["error"]["message"]) == (
        422,
        "setu.toml:2: server.prot: unknown key; did you mean 'port'?",
    )
    assert (list(after["providers"]), after["configuration"]["ok"]) == (["new"], False)


def test_a_policy_is_changed_until_the_next_reload(tmp_path: Path) -> None:
    (tmp_path / "setu.toml").write_text(section("oa", "http://127.0.0.1:9"))
    with Serving("start", "--port", "0", cwd=tmp_path) as server:
        before = ask(server.url, "GET", "/admin/routing/policy")[1]["policy"]
        put = ask(server.url, "PUT", "/admin/routing/policy", '{"policy": "cost_based", "config": {"cost_weight": 1}}')
        wrong = ask(server.url, "PUT", "/admin/routing/policy", '{"policy": "cost_baste"}')
        mistyped = ask(server.url, "PUT", "/admin/routing/policy", '{"policy": "cost_based", "config": {"x": 1}}')
        now = ask(server.url, "GET", "/admin/routing/policy")[1]
        ask(server.url, "POST", "/admin/reload")
        after = ask(server.url, "GET", "/admin/routing/policy")[1]["policy"]

    assert (before, put[0], now["policy"], now["config"]["cost_weight"]) == ("composite", 200, "cost_based", 1)
    assert [wrong[0], mistyped[0]] == [422, 422]
    assert "cost_based" in wrong[1]["error"]["message"]
    assert after == "composite"


def test_a_request_can_be_explained_and_is_counted(tmp_path: Path) -> None:
    with RawServer(slow) as upstream:
        (tmp_path / "setu.toml").write_text(section("oa", upstream.url))
        with Serving("start", "--port", "0", cwd=tmp_path) as server:
            connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=20)
            body, path = asked("oa/gpt", stream=True)
            connection.request("POST", path, body, {"content-type": "application/json", "x-request-id": "req-1"})
            connection.getresponse().read()
            connection.close()
            _, why = ask(server.url, "GET", "/v1/routing/info?request_id=req-1")
            _, counts = ask(server.url, "GET", "/v1/metrics")
            found = health(server.url)

    assert (why["decision"]["provider_name"], why["decision"]["model"]) == ("oa", "gpt")
    assert counts["requests"]["total"] == 1
    assert found["providers"]["oa"]["circuit"] == "closed"


def test_with_an_admin_key_it_must_be_shown(tmp_path: Path) -> None:
    text = "[auth]\nadmin_keys = ['sk-setu-admin-1']\n" + section("oa", "http://127.0.0.1:9")
    (tmp_path / "setu.toml").write_text(text)
    with Serving("start", "--port", "0", cwd=tmp_path) as server:
        without = ask(server.url, "GET", "/admin/providers")
        shown = ask(server.url, "GET", "/admin/providers", authorization="Bearer sk-setu-admin-1")
        (tmp_path / "setu.toml").write_text(text.replace("admin-1", "admin-2"))
        ask(server.url, "POST", "/admin/reload", authorization="Bearer sk-setu-admin-1")
        old = ask(server.url, "GET", "/admin/providers", authorization="Bearer sk-setu-admin-1")

    assert [without[0], shown[0], old[0]] == [401, 200, 401]
