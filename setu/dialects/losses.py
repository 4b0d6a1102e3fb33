"""Losses of one phase, collected while writing."""

from typing import Literal

from setu.chat.parts import Part, Reasoning
from setu.chat.request import Message
from setu.chat.seals import Extra
from setu.dialects.record import Loss, pointer

Severity = Literal["info", "warn"]


class Losses(list[Loss]):
    """Losses of one phase, collected while writing."""

    def __init__(self, phase: Literal["request", "response"]) -> None:
        super().__init__()
        self.phase = phase

    def note(self, pointer: str, reason: str, severity: Severity = "warn") -> None:
        self.append(Loss(phase=self.phase, pointer=pointer, reason=reason, severity=severity))

    def note_foreign(self, extra: Extra | None, dialect: str, where: str, severity: Severity = "info") -> None:
        """Note each member that is another dialect's own."""
        if extra is not None and extra.dialect != dialect:
            for key in extra.members:
                self.note(where + pointer(key), f"only {extra.dialect} knows it", severity)

    def note_seal(self, part: Part, issuer: str, where: str) -> None:
        """Note a signature of another host; dropped thinking is a loss of its own."""
        if part.seal is not None and part.seal.issuer != issuer and not isinstance(part, Reasoning):
            self.note(where, f"a signature of {part.seal.issuer} is valid there only", "info")

    def note_envelope(self, message: Message, where: str) -> None:
        """Note what a message says of itself: neither Claude's hosts nor their like know names and phases."""
        if message.name is not None:
            self.note(f"{where}/name", "messages have no name", "info")
        if message.phase is not None:
            self.note(f"{where}/phase", "messages have no phase", "info")
