"""Who may come in, from where, and what nobody may read."""

import json
from pathlib import Path

import pytest

from tests.e2e.predecessors.serving import CHAT, THREE, Started, said
from tests.processes import setu

pytestmark = pytest.mark.slow

KEY, ADMIN = "sk-setu-client-0123456789", "sk-setu-admin-0123456789"


def test_inbound_keys(tmp_path: Path) -> None:
    """In whichever field an SDK puts it, and made, listed and revoked on the command line."""
    store = tmp_path / "keys.json"
    config = f"{THREE}\n[auth]\nmode = 'keys'\nkeys = ['{KEY}']\nkey_store = '{store}'\n"
    made = setu(
        "keys", "create", "--tenant", "team", "--models", "gpt-4o", "--json", "--store", str(store), cwd=tmp_path
    )
    secret = json.loads(made.stdout)["secret"]
    with Started(tmp_path, config) as gateway:
        refused = [gateway.ask(said()), gateway.ask(said(), fields=[("authorization", "Bearer sk-setu-wrong")])]
        fields = [("authorization", f"Bearer {KEY}"), ("x-api-key", KEY), ("api-key", KEY), ("x-goog-api-key", KEY)]
        let_in = [gateway.ask(said(), fields=[field]).status for field in fields]
        by_query = gateway.ask(said(), f"{CHAT}?key={KEY}").status
        own = ("authorization", f"Bearer {secret}")
        scoped = [
            gateway.ask(said(), fields=[own]).status,
            gateway.ask(said(model="openai/gpt-4o-mini"), fields=[own]).status,
        ]
        shown = [str(exchange.request.headers.raw) for exchange in gateway.reached()]

    assert [answer.status for answer in refused] == [401, 401]
    assert refused[1].error["code"] == "invalid_api_key"
    assert [*let_in, by_query] == [200] * 5
    assert scoped == [200, 403]
    assert not any(KEY in headers or secret in headers for headers in shown)
    assert secret not in store.read_text()


def test_key_masking_in_logs(tmp_path: Path) -> None:
    config = f"{THREE}\n[auth]\nmode = 'keys'\nkeys = ['{KEY}']\n"
    with Started(tmp_path, config, "--verbose") as gateway:
        gateway.play("401", "500")
        for field in (
            ("authorization", f"Bearer {KEY}"),
            ("x-api-key", "sk-wrong-9876543210"),
            ("authorization", f"Bearer {KEY}"),
        ):
            gateway.ask(said(), f"{CHAT}?key=sk-query-5555555555", [field])
    log = gateway.serving.errors + gateway.serving.output

    assert "request_completed" in log
    for secret in (KEY, "sk-wrong-9876543210", "sk-query-5555555555", "sk-openai-0123456789abcdef"):
        assert secret not in log


def test_admin_api(tmp_path: Path) -> None:
    """004's had no key at all."""
    config = f"{THREE}\n[auth]\nadmin_keys = ['{ADMIN}']\n"
    admin = ("authorization", f"Bearer {ADMIN}")
    with Started(tmp_path, config) as gateway:
        closed = [gateway.get(path).status for path in ("/admin/providers", "/admin/routing/policy")]
        wrong = gateway.get("/admin/providers", ("authorization", "Bearer sk-setu-wrong")).status
        providers = gateway.get("/admin/providers", admin)
        policy = gateway.get("/admin/routing/policy", admin)
        changed = gateway.ask({"policy": "round_robin"}, "/admin/routing/policy", [admin], "PUT")
        after = gateway.get("/admin/routing/policy", admin)
        reloaded = gateway.ask({}, "/admin/reload", [admin])
        usage = gateway.get("/admin/usage", admin)

    assert {*closed, wrong} <= {401, 403}
    assert providers.status == policy.status == changed.status == reloaded.status == usage.status == 200
    assert {"openai", "anthropic", "gemini"} <= set(str(providers.json).replace("'", " ").split())
    assert "round_robin" in json.dumps(after.json)


def test_cors_configurable(tmp_path: Path) -> None:
    """None by default; the origins that the file names, and no other."""
    asked = [
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ]
    with Started(tmp_path, f"{THREE}\n[cors]\nallow_origins = ['https://app.example']\n") as gateway:
        ours = gateway.ask(path=CHAT, fields=[("origin", "https://app.example"), *asked], method="OPTIONS")
        answer = gateway.ask(said(), fields=[("origin", "https://app.example")])
        theirs = gateway.ask(path=CHAT, fields=[("origin", "https://evil.example"), *asked], method="OPTIONS")

    assert ours.status in (200, 204)
    assert ours.field("access-control-allow-origin") == "https://app.example"
    assert answer.field("access-control-allow-origin") == "https://app.example"
    assert theirs.field("access-control-allow-origin") is None
