"""`[privacy]` becomes options, or nothing at all."""

import pytest
from pydantic import ValidationError

from setu.access.privacy import KINDS
from setu.config.privacy import PrivacyConfig, options_of
from setu.gateway.masking import Options


def test_by_default_nothing_is_searched_and_no_body_is_logged() -> None:
    config = PrivacyConfig()

    assert options_of(config) is None
    assert config.log_bodies is False


def test_what_is_switched_on_looks_for_every_kind_and_for_every_provider() -> None:
    options = options_of(PrivacyConfig(enabled=True))

    assert options == Options(kinds=KINDS, mode="mask", providers=())


def test_kinds_and_providers_are_those_that_are_named() -> None:
    config = PrivacyConfig.model_validate(
        {"enabled": True, "kinds": ["email", "ssn"], "providers": ["openai"], "mode": "refuse"}
    )

    assert options_of(config) == Options(kinds=("email", "ssn"), mode="refuse", providers=("openai",))
    assert options_of(PrivacyConfig(enabled=True, kinds=())) is None


def test_a_kind_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValidationError, match="kinds"):
        PrivacyConfig.model_validate({"kinds": ["name"]})
