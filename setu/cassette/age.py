"""How old recordings may be."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

import msgspec

from setu.cassette.drift import Drift, Level
from setu.cassette.model import Interaction
from setu.errors import CassetteError, ConfigError

Expired = Literal["warn", "fail", "rerecord"]

_DAYS = {"d": 1, "w": 7, "y": 365}


class Expiry(msgspec.Struct, frozen=True):
    """Recordings may be `days` old; of older ones is told, they are refused, or they are recorded anew."""

    days: int
    then: Expired = "warn"


def parse_age(text: str) -> int:
    """Read an age such as `30d`, `8w` or `1y`; return days.

    Raises:
        ConfigError: it is none.
    """
    number, unit = (text[:-1], text[-1:]) if text[-1:] in _DAYS else (text, "d")
    if not (number.isascii() and number.isdigit() and len(number) < 7):
        raise ConfigError(f"{text!r} is no age: expected a number of days, weeks or years, such as 30d, 8w or 1y")
    return int(number) * _DAYS[unit]


def age_of(interaction: Interaction, today: date) -> int | None:
    """Return a recording's age in days; None for one without a date, or whose date is none."""
    try:
        return (today - date.fromisoformat(interaction.recording.recorded)).days
    except ValueError:
        return None


def aged(interaction: Interaction, days: int, today: date, level: Level = "warn") -> list[Drift]:
    """Say that a recording is older than so many days."""
    age = age_of(interaction, today)
    if age is None or age <= days:
        return []
    said = f"recorded {interaction.recording.recorded}, {age} days ago; {days} are allowed"
    return [Drift(level=level, place=interaction.place, pointer="recorded", message=said)]


def too_old(interactions: Sequence[Interaction], days: int, today: date) -> str | None:
    """Return a sentence about the recordings of a cassette that are older than so many days; None: there are none."""
    ages = [(age_of(each, today) or 0, each) for each in interactions]
    old = [(age, each) for age, each in ages if age > days]
    if not old:
        return None
    age, oldest = max(old, key=lambda pair: pair[0])
    what = f"{len(old)} of {len(ages)} recordings are" if len(ages) > 1 else "the recording is"
    return f"{what} older than {days} days: {oldest.place} was recorded {age} days ago"


def judge(expiry: Expiry, interactions: Sequence[Interaction], today: date) -> str | None:
    """Return what is to be told of old recordings.

    Raises:
        CassetteError: there are some, and they are not to be used.
    """
    found = too_old(interactions, expiry.days, today)
    if found is not None and expiry.then == "fail":
        raise CassetteError(f"{found}; record again")
    return found
