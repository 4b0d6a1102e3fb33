"""Personal data: `[privacy]`."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from setu.access.privacy import KINDS, Kind
from setu.config.section import Section

if TYPE_CHECKING:
    from setu.gateway.masking import Options


class PrivacyConfig(Section):
    """What providers and logs get to see."""

    enabled: bool = Field(False, description="Whether requests are searched for personal data and keys.")
    mode: Literal["mask", "refuse"] = Field(
        "mask", description="Replace what is found and put it back in the answer, or refuse the request."
    )
    kinds: tuple[Kind, ...] = Field(KINDS, description="What is looked for.")
    providers: tuple[str, ...] = Field((), description="The providers that must not see it; by default none may.")
    log_bodies: bool = Field(False, description="Whether bodies of requests and answers go into the log.")


def options_of(config: PrivacyConfig) -> "Options | None":
    """Return what is to be masked; None where nothing is."""
    if not config.enabled or not config.kinds:
        return None
    from setu.gateway.masking import Options

    return Options(kinds=config.kinds, mode=config.mode, providers=config.providers)
