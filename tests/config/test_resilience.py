"""What the sections about resilience come to: the provider's word, else everybody's, else the defaults."""

from typing import Any

import pytest
from pydantic import ValidationError

from setu.config.resilience import HealthCheckConfig, ProviderHost, ResilienceConfig, resilience_of
from setu.config.units import Seconds
from setu.errors import ErrorKind
from setu.resilience.policy import ELSEWHERE, HealthCheck, Hedge, Resilience, Retry, Timeouts


class Provider(ProviderHost):
    """As in a configuration, where a provider's timeout has a default of its own."""

    timeout: Seconds = 600.0


def of(
    provider: dict[str, Any], common: dict[str, Any] | None = None, checks: dict[str, Any] | None = None
) -> Resilience:
    return resilience_of(
        Provider.model_validate(provider),
        ResilienceConfig.model_validate(common or {}),
        HealthCheckConfig.model_validate(checks or {}),
    )


def test_nothing_said_is_the_defaults() -> None:
    assert of({}) == Resilience()
    assert Resilience().retry == Retry(attempts=3, initial=1, maximum=30, multiplier=2, max_wait=30)
    assert Resilience().timeouts == Timeouts(connect=10, first_byte=600, idle=600)


def test_durations_are_said_as_people_say_them() -> None:
    said = of(
        {
            "retry": {
                "max_attempts": 5,
                "initial_interval": "250ms",
                "max_interval": "8s",
                "multiplier": 3,
                "max_wait": "1m",
            },
            "timeout": "45s",
            "connect_timeout": 3,
            "total_timeout": "2m",
            "pool_timeout": "500ms",
            "http2": True,
        }
    )

    assert said.retry == Retry(attempts=5, initial=0.25, maximum=8, multiplier=3, max_wait=60)
    assert said.timeouts == Timeouts(connect=3, first_byte=45, idle=45, total=120, pool=0.5)
    assert said.http2


def test_silence_may_have_a_length_of_its_own() -> None:
    assert of({"timeout": 10, "idle_timeout": 90}).timeouts == Timeouts(first_byte=10, idle=90)


def test_a_provider_says_it_for_itself_key_by_key() -> None:
    common = {"timeout": 60, "retry": {"max_attempts": 7, "multiplier": 4}, "http2": True, "hedge": {"after": "2s"}}

    said = of({"retry": {"max_attempts": 1}, "http2": False}, common)

    assert (said.retry.attempts, said.retry.multiplier, said.http2) == (1, 4, False)
    assert (said.timeouts.first_byte, said.hedge) == (60, Hedge(after=2, limit=2))


def test_health_checks_are_off_until_there_is_an_interval() -> None:
    own = {"health_check": {"url": "https://h/up", "interval": "10s"}}

    assert of({}).health_check == HealthCheck(url=None, interval=None, timeout=10)
    assert of(own, checks={"interval": 30, "timeout": "3s"}).health_check == HealthCheck(
        url="https://h/up", interval=10, timeout=3
    )


def test_fallbacks_may_be_chosen_by_status_and_by_kind() -> None:
    said = of({"fallback_on_errors": [429, "503", "quota"]}).retry

    assert said.fallback_statuses == {429, 503}
    assert said.fallback_on == {ErrorKind.QUOTA}
    assert of({}).retry.fallback_on == ELSEWHERE


def test_statuses_to_retry_replace_the_usual_ones() -> None:
    assert of({"retry": {"statuses": [418]}}).retry.statuses == {418}


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"retry": {"max_attempts": 0}}, "greater than or equal to 1"),
        ({"retry": {"max_atempts": 1}}, "Extra inputs"),
        ({"fallback_on_errors": [200]}, "200 is no status from 400 to 599"),
        ({"fallback_on_errors": ["slow"]}, "'slow' is no status from 400 to 599 and none of invalid_request,"),
        ({"health_check": {"url": "h/up"}}, "must start with http:// or https://"),
        ({"hedge": {}}, "Field required"),
        ({"hedge": {"after": "soon"}}, "is no duration"),
    ],
)
def test_what_makes_no_sense_is_refused(section: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Provider.model_validate(section)


def test_a_proxy_is_not_shown() -> None:
    assert "hunter2" not in repr(Provider.model_validate({"proxy": "http://user:hunter2@h:3128"}))
