"""When an answer came, as a picture: the wait for the head, then each event where it fell."""

import msgspec

from setu.cassette.model import Interaction
from setu.cassette.pieces import pieces_of

WIDTH = 600.0


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """An event: where it stands from left (0 to WIDTH), and what it is."""

    x: float
    title: str


class Waterfall(msgspec.Struct, frozen=True, kw_only=True):
    """A time line of `total_ms`, of which the wait for the head takes `wait` of WIDTH."""

    total_ms: int
    ttfb_ms: int
    wait: float
    marks: tuple[Mark, ...]

    @property
    def words(self) -> str:
        """The picture in words, for those who do not see it."""
        if not self.marks:
            return f"the whole answer after {self.ttfb_ms} ms"
        return f"head after {self.ttfb_ms} ms, {len(self.marks)} events until {self.total_ms} ms"


def waterfall_of(interaction: Interaction) -> Waterfall | None:
    """Return the time line; None where no times were kept."""
    timing = interaction.recording.timing
    if timing is None:
        return None
    total = timing.ttfb_ms + max(timing.events_ms, default=0)
    scale = WIDTH / total if total else 0.0
    sizes = [len(piece) for piece in pieces_of(interaction.exchange)]
    fits = len(sizes) == len(timing.events_ms)
    marks = tuple(
        Mark(
            x=round((timing.ttfb_ms + at) * scale, 1),
            title=f"event {index}: {timing.ttfb_ms + at} ms" + (f", {sizes[index]} bytes" if fits else ""),
        )
        for index, at in enumerate(timing.events_ms)
    )
    return Waterfall(total_ms=total, ttfb_ms=timing.ttfb_ms, wait=round(timing.ttfb_ms * scale, 1), marks=marks)
