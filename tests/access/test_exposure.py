"""A gateway that strangers can use says so."""

import pytest

from setu.access.entrance import Mode
from setu.access.exposure import exposed
from setu.errors import ConfigError


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9", "localhost", "app.localhost", "::1", "[::1]", "::ffff:127.0.0.1", "LOCALHOST."]
)
def test_on_this_machine_alone_nobody_need_be_asked(host: str) -> None:
    assert exposed(host, "open", strict=True) is None


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", "192.168.1.9", "gateway.example", "localhost.example", "127.0.0.1.example"]
)
def test_where_others_can_reach_it_there_is_a_warning(host: str) -> None:
    warning = exposed(host, "open")

    assert warning is not None
    assert 'set auth.mode to "keys"' in warning


@pytest.mark.parametrize("mode", ["keys", "passthrough", "hybrid"])
def test_where_a_key_is_asked_for_all_is_well(mode: Mode) -> None:
    assert exposed("0.0.0.0", mode, strict=True) is None


def test_strict_refuses() -> None:
    with pytest.raises(ConfigError, match=r"anybody who reaches 0\.0\.0\.0"):
        exposed("0.0.0.0", "open", strict=True)
