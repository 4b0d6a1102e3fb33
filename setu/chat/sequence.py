"""Put overlapping parts in a row, for wires that can only have one part open.

Deltas of a second open part wait until the first has ended, then come in their own order.
"""

from setu.chat.events import DELTAS, Ended, Event, Failed, Finished, PartEnded, PartStarted


class Sequence:
    """Reorders events so that every `PartStarted` is followed by its own deltas and its end before the next one."""

    __slots__ = ("_current", "_waiting")

    def __init__(self) -> None:
        self._current: int | None = None
        self._waiting: dict[int, list[Event]] = {}

    def feed(self, event: Event) -> list[Event]:
        """Return the events that may go out now."""
        if isinstance(event, (PartStarted, PartEnded, *DELTAS)):
            return self._part(event.part, event)
        if isinstance(event, (Finished, Failed, Ended)):
            return [*self._flush(), event]
        return [event]

    def _part(self, part: int, event: Event) -> list[Event]:
        if self._current is None:
            self._current = part
        if part != self._current:
            self._waiting.setdefault(part, []).append(event)
            return []
        if not isinstance(event, PartEnded):
            return [event]
        self._current = None
        return [event, *self._next()]

    def _next(self) -> list[Event]:
        """Release the parts that waited, each up to the first that is still open."""
        released: list[Event] = []
        while self._current is None and self._waiting:
            part = next(iter(self._waiting))
            events = self._waiting.pop(part)
            released += events
            if not isinstance(events[-1], PartEnded):
                self._current = part
        return released

    def _flush(self) -> list[Event]:
        """Release everything: the stream is over, whether or not its parts were closed."""
        released: list[Event] = []
        while self._waiting:
            if self._current is not None:
                released.append(PartEnded(part=self._current))
                self._current = None
            released += self._next()
        return released
