"""The tables about access: what they mean, and mistakes that are told."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from setu.access.decide import Rule, Rules
from setu.config.access import Audit, Auth, Cors, PolicyRule, audit_file, key_place, place_of, rules_of, secrets_of
from setu.config.model import Config


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"mode": "keys"}, "auth.mode is keys, but there are no auth.keys and no auth.key_store"),
        ({"mode": "keys", "keys": [""]}, "there are no auth.keys"),
        ({"mode": "hybrid"}, "auth.mode is hybrid, but there are no auth.keys"),
        ({"keys": ["k"]}, "there are auth.keys, but auth.mode is none: nobody would be asked for them"),
        ({"mode": "open", "keys": ["k"]}, "auth.mode is open"),
        ({"mode": "passthrough", "keys": ["k"]}, "auth.mode is passthrough"),
        ({"mode": "key"}, "Input should be"),
        ({"mode": "keys", "keys": 5}, "there are no auth.keys"),
        ({"key_store": "mysql://user:hunter2@host/db"}, "must start with sqlite:/// or postgresql://"),
    ],
)
def test_what_does_not_go_together_is_told(table: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as found:
        Auth.model_validate(table)

    message = found.value.errors(include_url=False, include_input=False)[0]["msg"]
    assert says in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("table", "mode"),
    [
        ({}, "open"),
        ({"mode": "none"}, "open"),
        ({"mode": "keys", "keys": ["k"]}, "keys"),
        ({"mode": "keys", "key_store": "local"}, "keys"),
        ({"mode": "hybrid", "key_store": "keys.json"}, "hybrid"),
        ({"mode": "passthrough", "admin_keys": ["k"]}, "passthrough"),
    ],
)
def test_the_modes(table: dict[str, Any], mode: str) -> None:
    assert Auth.model_validate(table).mode == mode


def test_keys_do_not_show(tmp_path: Path) -> None:
    section = Auth.model_validate(
        {"mode": "keys", "keys": ["sk-a", ""], "admin_keys": ["sk-b"], "key_store": "postgresql://u:hunter2@h/d"}
    )

    assert secrets_of(section.keys) == ["sk-a"]
    assert not {"sk-a", "sk-b", "hunter2"} & set(repr(section).replace("'", " ").split())


@pytest.mark.parametrize(
    ("store", "place"),
    [
        (None, None),
        ("", None),
        ("local", "/data/setu/keys.json"),
        ("team/keys.json", "team/keys.json"),
        ("sqlite:////data/keys.db", "sqlite:////data/keys.db"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
    ],
)
def test_where_keys_are_kept(monkeypatch: pytest.MonkeyPatch, store: str | None, place: str | None) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")

    assert key_place(Auth.model_validate({"key_store": store})) == place
    assert not store or place_of(store) == place


def test_a_browser_remembers_for_as_long_as_people_write_it() -> None:
    assert Cors.model_validate({"max_age": "10m"}).options()["max_age"] == 600


def test_where_the_audit_log_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")

    assert audit_file(Audit()) == Path("/data/setu/audit.log")
    assert audit_file(Audit(file=Path("a.log"))) == Path("a.log")
    assert audit_file(Audit(enabled=False, file=Path("a.log"))) is None


def test_rules_keep_their_order_and_one_pattern_needs_no_list() -> None:
    found = Config.model_validate(
        {
            "policy": [
                {"effect": "allow", "tenant": "acme", "model": ["gpt-*", "claude-*"], "tool": "search"},
                {
                    "effect": "deny",
                    "reason": "elsewhere",
                    "region": "us*",
                    "modality": "image",
                    "key": "k",
                    "provider": "p",
                },
            ]
        }
    )

    assert rules_of(found.policy) == Rules(
        (
            Rule(effect="allow", tenants=("acme",), models=("gpt-*", "claude-*"), tools=("search",)),
            Rule(
                effect="deny",
                reason="elsewhere",
                regions=("us*",),
                modalities=("image",),
                keys=("k",),
                providers=("p",),
            ),
        )
    )


def test_a_typo_in_a_rule_is_no_rule_for_everybody() -> None:
    with pytest.raises(ValidationError, match="tennant"):
        PolicyRule.model_validate({"effect": "deny", "tennant": "acme"})


@pytest.mark.parametrize("origin", ["app.example", "https://app.example/", "https://app.example/x", "null", "https://"])
def test_an_origin_has_a_scheme_and_no_path(origin: str) -> None:
    with pytest.raises(ValidationError, match="must be an origin"):
        Cors(allow_origins=(origin,))


def test_any_origin_gets_nobodys_cookies() -> None:
    with pytest.raises(ValidationError, match="needs origins by name"):
        Cors(allow_origins=("*",), allow_credentials=True)
