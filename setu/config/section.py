"""What every table of a configuration has in common."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the file: unknown keys are errors, because a typo must not be silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)
