"""Put overlapping parts in a row, for wires that can only have one part open.

Deltas of a second open part wait until the first has ended, then come in their own order; a candidate's `Finished`
waits for the candidate's parts.
"""

from setu.chat.events import DELTAS, Ended, Event, Failed, Finished, PartEnded, PartStarted

_OF_A_PART = (PartStarted, PartEnded, *DELTAS)


class Sequence:
    """Reorders events so that every `PartStarted` is followed by its own deltas and its end before the next one."""

    __slots__ = ("_candidates", "_current", "_waiting")

    def __init__(self) -> None:
        self._current: int | None = None
        self._waiting: dict[int, list[Event]] = {}
        self._candidates: dict[int, int] = {}
        """The candidate of each part that has not ended."""

    def feed(self, event: Event) -> list[Event]:
        """Return the events that may go out now."""
        if isinstance(event, _OF_A_PART):
            return self._part(event.part, event)
        if isinstance(event, Finished):
            return self._finished(event)
        if isinstance(event, (Failed, Ended)):
            return [*self._close(list(self._candidates)), event]
        return [event]

    def _part(self, part: int, event: Event) -> list[Event]:
        if isinstance(event, PartStarted):
            self._candidates[part] = event.candidate
        if self._current is None:
            self._current = part
        if isinstance(event, PartEnded):
            self._candidates.pop(part, None)
        if part != self._current:
            self._waiting.setdefault(part, []).append(event)
            return []
        if not isinstance(event, PartEnded):
            return [event]
        self._current = None
        return [event, *self._next()]

    def _finished(self, event: Finished) -> list[Event]:
        unclosed = [part for part, candidate in self._candidates.items() if candidate == event.candidate]
        released = self._close(unclosed)
        if self._current is None:
            return [*released, event]
        # Another candidate's part is open, and this one's may wait behind it. No part has a negative handle.
        self._waiting[-1 - event.candidate] = [event]
        return released

    def _next(self) -> list[Event]:
        """Release the parts that waited, each up to the first that is still open."""
        released: list[Event] = []
        while self._current is None and self._waiting:
            part = next(iter(self._waiting))
            events = self._waiting.pop(part)
            released += events
            if not isinstance(events[-1], (PartEnded, Finished)):
                self._current = part
        return released

    def _close(self, parts: list[int]) -> list[Event]:
        """End the parts that the source left open."""
        return [event for part in parts for event in self._part(part, PartEnded(part=part))]
