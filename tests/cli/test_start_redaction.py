"""`setu start --record`: what a user calls a secret is taken out of both sides of a call."""

from pathlib import Path

import httpx

from tests.gateway.wire import COMPLETION
from tests.live import Upstream, reply
from tests.processes import Serving, setu
from tests.servers import RawServer


def test_what_else_is_a_secret_can_be_named(tmp_path: Path) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "the codename is heron"}], "user": "u-heron-7"}
    rules = ["--redact-pattern", "codename is (?P<secret>[a-z]+)", "--redact-pointer", "/user"]
    with RawServer(Upstream(reply(COMPLETION))) as raw:
        (tmp_path / "setu.toml").write_text(
            f'[providers.mine]\ntype = "openai_compatible"\nbase_url = "{raw.url}/v1"\napi_key = "k"\n'
        )
        with Serving("start", "--port", "0", "--record", "kept", *rules, cwd=tmp_path) as gateway:
            answer = httpx.post(f"{gateway.url}/v1/chat/completions", json=body | {"model": "mine/m"})

    assert answer.status_code == 200
    kept = [path.read_text() for path in (tmp_path / "kept").rglob("*.yaml")]
    assert kept
    assert not any("heron" in text for text in kept)
    assert any("the codename is " in text for text in kept)


def test_it_needs_recordings_to_be_taken_out_of(tmp_path: Path) -> None:
    done = setu("start", "--port", "0", "--redact-header", "x-team", cwd=tmp_path)

    assert done.returncode == 78
    assert "need --record or --replay" in done.stderr
