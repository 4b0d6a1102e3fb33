"""Edit recordings as a whole: their times, their keys, and which of them stay."""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Sequence

import msgspec

from setu.cassette.model import Interaction, Timing
from setu.cassette.pieces import pieces_of

KeyOf = Callable[[Interaction], str]


def retimed(interactions: Sequence[Interaction], source: Sequence[Interaction], key_of: KeyOf) -> list[Interaction]:
    """Return the recordings with the times of older ones of the same request, where they count the same events."""
    times: defaultdict[str, deque[Timing]] = defaultdict(deque)
    for each in source:
        if each.recording.timing is not None:
            times[key_of(each)].append(each.recording.timing)
    return [_with(each, _fitting(each, times[key_of(each)])) for each in interactions]


def without_times(interactions: Sequence[Interaction]) -> list[Interaction]:
    return [_with(each, None) for each in interactions]


def rekeyed(interactions: Sequence[Interaction], key_of: KeyOf) -> list[Interaction]:
    """Return the recordings with the keys that their requests have now, where they have one."""
    return [
        msgspec.structs.replace(each, recording=msgspec.structs.replace(each.recording, key=key_of(each)))
        if each.recording.key
        else each
        for each in interactions
    ]


def pruned(interactions: Sequence[Interaction], places: Collection[str], key_of: KeyOf | None) -> list[Interaction]:
    """Return the recordings without those at `places`; with `key_of` of equal ones only the last.

    Equal is what answers the same request with the same status and bytes.
    """
    kept: list[Interaction] = []
    seen: set[tuple[str, int, bytes]] = set()
    for each in reversed([each for each in interactions if each.place not in places]):
        if key_of is not None:
            identity = (key_of(each), each.exchange.status, each.exchange.body)
            if identity in seen:
                continue
            seen.add(identity)
        kept.append(each)
    return kept[::-1]


def _fitting(each: Interaction, times: deque[Timing]) -> Timing | None:
    old = times.popleft() if times else None
    fits = old is not None and len(old.events_ms) == len(pieces_of(each.exchange))
    return old if fits else each.recording.timing


def _with(each: Interaction, timing: Timing | None) -> Interaction:
    recording = msgspec.structs.replace(each.recording, timing=timing)
    exchange = msgspec.structs.replace(each.exchange, arrivals=())
    return msgspec.structs.replace(each, recording=recording, exchange=exchange)
